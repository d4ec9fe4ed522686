import type { Packed } from "../ops/op.ts";
import { NOWHERE, recordsOf } from "../ops/op.ts";
import { align } from "../plan/packing.ts";
import { recordBytes } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import { bytesInStep, distancesOf, repeats, stepScratch, streamBytes } from "../schedule/cost.ts";
import type { Step as ScheduledStep } from "../schedule/layers.ts";
import type { Operation, Program } from "../schedule/program.ts";
import { liesApart, mayGiveWay } from "../schedule/program.ts";
import type { Overlap, Step, Storage, WeightDemand } from "./problem.ts";

/** What the planner is asked, and how to read its answer back in terms of values. */
export interface MemoryDemand {
  readonly storages: readonly Storage[];
  readonly steps: readonly Step[];
  /** The value in whose place one is made: its own, or that of what takes its place in a stream. */
  placeOf(value: number | undefined): number | undefined;
  /** The storage of a value; undefined for what no operation reads or makes. */
  storageOf(value: number | undefined): number | undefined;
}

/** Packed weights of every operation. */
export type PackedWeights = ReadonlyMap<Operation, Packed | undefined>;

/**
 * Exact lifetimes: a whole value lives from the step that writes it to the last that reads it, graph inputs from before the
 * first step, graph outputs until after the last; a ring lives in its stream's step. Values made in the place of another
 * share its storage.
 */
export function demandMemory(
  program: Program,
  steps: readonly ScheduledStep[],
  packed: PackedWeights,
  variant: Variant,
): MemoryDemand {
  const stepOf = steps.flatMap(({ operations }, index) => operations.map(() => index));
  const storages: Storage[] = [];
  const storageOfValue = new Map<number, number>();
  const inPlaceOf = new Map(steps.flatMap(({ stream }) => [...(stream?.inPlaceOf ?? [])]));
  const takenOver = new Map(
    steps.flatMap(({ operations: [operation], inPlace }) =>
      inPlace === true && operation ? [[operation.writes[0], operation.reads[0]] as const] : [],
    ),
  );
  for (const { id, name, bytes, born, lastRead, view } of program.values.values()) {
    if (inPlaceOf.has(id) || view !== undefined) continue;
    const taken = takenOver.get(id);
    const before = taken === undefined ? undefined : storageOfValue.get(taken);
    const lastStep = stepOf[lastRead] ?? steps.length;
    const over = storages[before ?? -1];
    if (before !== undefined && over !== undefined) {
      storageOfValue.set(id, before);
      storages[before] = { ...over, lastStep };
      continue;
    }
    const firstStep = born < 0 ? -1 : (stepOf[born] ?? -1);
    const maker = steps[firstStep];
    const { stream, outputAtTop } = maker ?? {};
    const ringRows = stream?.ringRows.get(id);
    storageOfValue.set(id, storages.length);
    storages.push({
      id: storages.length,
      value: id,
      isRing: ringRows !== undefined,
      ...(ringRows === undefined && outputAtTop !== undefined && { fromTop: outputAtTop }),
      name,
      bytes: ringRows === undefined || maker === undefined ? bytes : bytesInStep(maker, id, bytes),
      firstStep,
      lastStep: ringRows === undefined ? lastStep : firstStep,
    });
  }
  const placeOf = (value: number | undefined): number | undefined => {
    let place = value;
    for (let next = place; next !== undefined; next = inPlaceOf.get(next)) place = next;
    return place;
  };
  const storageOf = (value: number | undefined): number | undefined => {
    const place = placeOf(value);
    const whole = program.values.get(place ?? -1)?.view?.whole;
    return place === undefined ? undefined : storageOfValue.get(whole ?? place);
  };
  return {
    storages,
    placeOf,
    storageOf,
    steps: steps.map((step, index) => {
      const weights = weightDemand(step, packed);
      return {
        name: stepName(step),
        scratchBytes: stepScratch(step, variant).bytes,
        overlaps: overlapsOf(program, step, index, { storages, storageOf }, variant),
        recordBytes: stepRecordBytes(step, packed, variant),
        ...(weights && { weights }),
      };
    }),
  };
}

/** For messages and maps: the operator's name, or that of a stream's first and last. */
export function stepName({ operations }: ScheduledStep): string {
  const [first, last] = [operations[0]?.node.name ?? "", operations.at(-1)?.node.name ?? ""];
  return operations.length > 1 ? `${first} … ${last}` : first;
}

/** A stream's weights are in memory together, one piece behind the other, each 16-aligned. */
function weightDemand(
  { operations, stream }: ScheduledStep,
  packed: PackedWeights,
): WeightDemand | undefined {
  const blobs = operations.map((operation) => packed.get(operation));
  const [blob] = blobs;
  if (stream === undefined) return blob && { blocks: blob.blocks, blockBytes: blob.blockBytes };
  const bytes = blobs.reduce((sum, blob) => sum + align(blob?.bytes.length ?? 0, 16), 0);
  return bytes > 0 ? { blocks: 1, blockBytes: bytes } : undefined;
}

function overlapsOf(
  { values }: Program,
  step: ScheduledStep,
  index: number,
  { storages, storageOf }: Pick<MemoryDemand, "storages" | "storageOf">,
  variant: Variant,
): Overlap[] {
  const made = step.operations.at(-1)?.writes[0] ?? -1;
  const output = storageOf(made);
  if (output === undefined || step.sharesBytes === false || step.strips !== undefined) return [];
  if (!liesApart(values.get(made))) return [];
  return distancesOf(step, variant).flatMap(([id, distance]) => {
    const input = storageOf(id);
    return input !== undefined &&
      mayGiveWay(values, step.operations, id) &&
      input !== output &&
      storages[input]?.lastStep === index
      ? [{ input, output, distance }]
      : [];
  });
}

/** Size of a step's records, which depends on its operators alone. */
function stepRecordBytes(step: ScheduledStep, packed: PackedWeights, variant: Variant): number {
  const bytes = step.operations.reduce(
    (sum, operation) => sum + lowerableBytes(operation, variant, packed.get(operation)),
    0,
  );
  return (bytes + streamBytes(step)) * repeats(step);
}

function lowerableBytes({ op, bound }: Operation, variant: Variant, packed: Packed | undefined): number {
  const nowhere = {
    inputs: bound.inputs.map(() => NOWHERE),
    outputs: bound.outputs.map(() => NOWHERE),
    packed: 0,
    scratch: 0,
    c0: 0,
    c1: 0,
  };
  const records = recordsOf(op, bound, nowhere, variant, packed);
  return records.reduce((sum, { record }) => sum + recordBytes(record.op), 0);
}
