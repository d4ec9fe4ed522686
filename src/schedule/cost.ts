/** What steps need and take: bytes exactly, before anything is placed, and cycles roughly. */
import type { TensorType } from "../graph/graph.ts";
import { byteSize } from "../graph/graph.ts";
import type { Packed } from "../ops/op.ts";
import { align } from "../plan/packing.ts";
import { recordBytes } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import type { Step } from "./layers.ts";
import type { Operation, Program } from "./program.ts";
import { liesApart, mayGiveWay } from "./program.ts";
import { widest } from "./strips.ts";

/** Bytes of the values that are there when operation `index` begins. */
export function aliveBytes({ operations, values }: Program): Float64Array {
  const change = new Float64Array(operations.length + 2);
  for (const { bytes, born, lastRead, view } of values.values()) {
    // Its whole is counted, from the first part on.
    if (view !== undefined) continue;
    const size = align(bytes, 16);
    change[born + 1] = (change[born + 1] ?? 0) + size;
    change[lastRead + 1] = (change[lastRead + 1] ?? 0) - size;
  }
  let alive = 0;
  return change.map((difference) => (alive += difference));
}

/** What a step adds to the values that are there: its outputs and rings; and what its output may share with a dying input. */
export function madeBytes(
  { values }: Program,
  step: Step,
  begin: number,
  variant: Variant,
): { readonly bytes: number; readonly shared: number; readonly inPlace: boolean } {
  const { operations, stream } = step;
  const end = begin + operations.length;
  let bytes = 0;
  for (const [maker, { writes }] of operations.entries()) {
    for (const id of writes) {
      const value = values.get(id);
      if (value === undefined || stream?.inPlaceOf.has(id) === true) continue;
      const whole = values.get(value.view?.whole ?? -1);
      if (whole === undefined) bytes += align(bytesOfMade(step, maker, id, value.bytes), 16);
      else if (whole.born === begin + maker && value.born === whole.born) bytes += align(whole.bytes, 16);
    }
  }
  let shared = 0;
  let inPlace = false;
  const output = values.get(operations.at(-1)?.writes[0] ?? -1);
  if (output === undefined || !liesApart(output) || stream?.ringRows.has(output.id) === true) {
    return { bytes, shared, inPlace };
  }
  const size = align(output.bytes, 16);
  // Strips read the input again and again.
  for (const [id, distance] of step.strips === undefined ? distancesOf(step, variant) : []) {
    const input = values.get(id);
    if (input === undefined || !mayGiveWay(values, operations, id) || input.lastRead >= end) continue;
    const apart = Math.max(size - align(input.bytes, 16), align(distance, 16));
    if (size - apart <= shared) continue;
    shared = size - apart;
    inPlace = distance === 0;
  }
  return { bytes, shared, inPlace };
}

/** Per value that dies in a step: how many bytes below it the step's last output must begin, where they may share memory. */
export function distancesOf(
  { operations, stream, inPlace }: Step,
  variant: Variant,
): readonly (readonly [number, number])[] {
  if (stream !== undefined) return [...stream.overlapDistance];
  return operations.flatMap(({ op, bound, reads }) =>
    reads.flatMap((id, i) => {
      const usual = id === undefined ? undefined : op.overlapDistance?.(bound, i, variant);
      const distance = inPlace === true && i === 0 ? 0 : usual;
      // What is read twice may be read at two paces.
      const once = reads.indexOf(id) === reads.lastIndexOf(id);
      return id === undefined || distance === undefined || !once ? [] : [[id, distance] as const];
    }),
  );
}

/** Bytes that a value has in a step that makes it: all, or those of the rows and columns of its ring. */
export function bytesInStep(step: Step, id: number, whole: number): number {
  const maker = step.operations.findIndex(({ writes }) => writes.includes(id));
  return bytesOfMade(step, maker, id, whole);
}

/** As bytesInStep, for a value that operation `maker` of the step makes. */
function bytesOfMade({ operations, stream, strips }: Step, maker: number, id: number, whole: number): number {
  const ringRows = stream?.ringRows.get(id);
  if (ringRows === undefined) return whole;
  const { rows, bound } = operations[maker] ?? {};
  const [, , width = 1] = bound?.outputs[0]?.shape ?? [];
  const share = strips === undefined ? 1 : widest(strips, maker) / width;
  const isWhole = rows === undefined || rows.accumulatorBytes !== undefined;
  return ringRows * (isWhole ? whole : whole / rows.rows) * share;
}

/** Bytes of a step's last output. */
export function outputBytes({ values }: Program, { operations }: Step): number {
  return values.get(operations.at(-1)?.writes[0] ?? -1)?.bytes ?? 0;
}

/** Bytes of records that a stream adds to those of its operators. */
export function streamBytes({ operations, stream }: Step): number {
  return stream === undefined ? 0 : recordBytes("stream") + operations.length * recordBytes("stage");
}

/** How many times the records of a step stand in the plan. */
export function repeats({ strips }: Step): number {
  return strips?.length ?? 1;
}

/** Scratch, and weights that must be in memory at once: all where the output shares bytes with the input, which is then read once. */
export function workingBytes(
  step: Step,
  packed: readonly (Packed | undefined)[],
  begin: number,
  variant: Variant,
  sharesBytes: boolean,
): number {
  const { operations, stream } = step;
  const scratch = stepScratch(step, variant).bytes;
  const weights = operations.map((_, i) => packed[begin + i]);
  const [blob] = weights;
  if (stream === undefined && !sharesBytes) return scratch + (blob?.blockBytes ?? 0);
  return scratch + weights.reduce((sum, blob) => sum + align(blob?.bytes.length ?? 0, 16), 0);
}

/** How a step's scratch is laid out, in bytes from its beginning. */
export interface ScratchLayout {
  readonly bytes: number;
  /** Per operation: of its accumulators, and of the scratch that all share in turn. */
  readonly accumulators: readonly number[];
  readonly shared: number;
}

/** A stream's state, then the accumulators of its stages, then what the stages use in turn. */
export function stepScratch({ operations, stream, inPlace }: Step, variant: Variant): ScratchLayout {
  let at = stream === undefined ? 0 : align(8 * operations.length, 16);
  const accumulators = operations.map(({ rows }) => {
    const begin = at;
    if (stream !== undefined) at += align(rows?.accumulatorBytes ?? 0, 16);
    return begin;
  });
  let most = 0;
  for (const operation of operations) {
    const { scratchBytes, inPlaceScratchBytes } = costsOf(operation, variant);
    most = Math.max(most, inPlace === true ? inPlaceScratchBytes : scratchBytes);
  }
  return { bytes: at + most, accumulators, shared: at };
}

/** What an operation needs and takes by itself. */
interface OperationCosts {
  readonly scratchBytes: number;
  readonly inPlaceScratchBytes: number;
  readonly work: number;
  readonly rowsAtOnce: number;
}

/** Asked for again and again while schedules are compared. */
const knownCosts = new WeakMap<Operation, Map<Variant, OperationCosts>>();

function costsOf(operation: Operation, variant: Variant): OperationCosts {
  const known = knownCosts.get(operation) ?? new Map<Variant, OperationCosts>();
  knownCosts.set(operation, known);
  const { op, bound } = operation;
  const costs = known.get(variant) ?? {
    scratchBytes: op.scratchBytes?.(bound, variant, operation.isPitched) ?? 0,
    inPlaceScratchBytes: op.inPlaceScratchBytes?.(bound, variant) ?? 0,
    work: op.work?.(bound) ?? op.macs(bound),
    rowsAtOnce: op.rowsAtOnce?.(bound, variant) ?? 1,
  };
  known.set(variant, costs);
  return costs;
}

/** What calling a kernel for a range of rows costs beside its work. */
const PULL_CYCLES = 250;
/** Multiply-accumulates per cycle of a usual layer. */
const MACS_PER_CYCLE = 8;
/** Pixels of a tile. */
const TILE = 4;

/** Cycles that a step takes, roughly; only differences between schedules count. */
export function cyclesOf(
  { operations, stream, strips, extraMacs = 0, inPlace }: Step,
  variant: Variant,
): number {
  let cycles = (extraMacs / MACS_PER_CYCLE) * 1.5;
  for (const [i, operation] of operations.entries()) {
    const copied = inPlace === true ? byteSize(operation.bound.outputs[0] ?? NOTHING) : 0;
    cycles +=
      operationCycles(operation, variant, stream?.rows[i], stream?.rowsPerPull[i], strips?.length) +
      copied / COPIED_PER_CYCLE;
  }
  return cycles;
}

/** Of one operation in a step: as a whole, or `rows` rows, so many at a time and so many times. */
export function operationCycles(
  operation: Operation,
  variant: Variant,
  rows?: number,
  rowsPerPull?: number,
  times = 1,
): number {
  const [, height = 1, width = 1] = (operation.bound.outputs[0] ?? NOTHING).shape;
  const { work, rowsAtOnce } = costsOf(operation, variant);
  const all = rows ?? height;
  const perPull = rowsPerPull ?? height;
  const pulls = Math.ceil(all / perPull);
  // Of all pulls, the last perhaps a short one: rows and pixels that tiles are filled up to.
  const filledUp = (unit: number, size: number): number =>
    ((pulls - 1) * align(perPull * size, unit) + align((all - (pulls - 1) * perPull) * size, unit)) /
    (all * size);
  const waste = filledUp(TILE, width) * (1 + ALONE_COST * (filledUp(rowsAtOnce, 1) - 1));
  return (work / MACS_PER_CYCLE) * waste + pulls * PULL_CYCLES * times;
}

/** What the place of a row costs that its kernel could have made together with others but did not. */
const ALONE_COST = 0.6;
/** Bytes per cycle that go to a plane and come back. */
const COPIED_PER_CYCLE = 2;
const NOTHING: TensorType = { shape: [0], type: "int8" };
