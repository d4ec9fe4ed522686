import type { Tensor } from "../graph/graph.ts";
import { byteSize, tensorOf } from "../graph/graph.ts";
import { stepName } from "../memory/lifetimes.ts";
import { liveStorages } from "../memory/occupancy.ts";
import { PAGE_BYTES } from "../plan/format.ts";
import { align } from "../plan/packing.ts";
import { bytesInStep } from "../schedule/cost.ts";
import type { Step } from "../schedule/layers.ts";
import type { Operation, Program } from "../schedule/program.ts";
import type { Compilation } from "./emit.ts";
import type { MapEntry, OperatorReport, Report, StepReport, TracedTensor } from "./image.ts";

/** Where a step's records ended up. */
export interface EmittedStep {
  readonly step: Step;
  readonly firstRecord: number;
  readonly endRecord: number;
}

/** The byte figures, the steps and the memory map of a compiled model. */
export function report(
  compilation: Compilation,
  emitted: readonly EmittedStep[],
  streamedBytes: number,
  addressOf: (value: number | undefined) => number,
): Report {
  const { program, variant, budget, schedule, demand, layout } = compilation;
  const live = Array.from(liveStorages(demand), ([, storages]) => liveBytes(storages, layout.storageAddress));
  const steps = emitted.map(({ step, firstRecord, endRecord }, index): StepReport => {
    const placement = layout.weights[index];
    const operators = step.operations.map((operation) => operatorReport(compilation, step, operation));
    return {
      ...(step.strips && { strips: step.strips.length }),
      op: step.stream === undefined ? (operators[0]?.op ?? "") : "stream",
      name: stepName(step),
      operators,
      firstRecord,
      endRecord,
      outputs: tracedTensors(program, step, addressOf),
      macs: operators.reduce((sum, { macs }) => sum + macs, step.extraMacs ?? 0),
      weightBytes: operators.reduce((sum, { weightBytes }) => sum + weightBytes, 0),
      weights: placement?.kind ?? "none",
      tiles: placement?.kind === "streamed" ? placement.tiles : 0,
      scratchBytes: demand.steps[index]?.scratchBytes ?? 0,
      liveBytes: live[index] ?? 0,
    };
  });
  return {
    model: program.graph.name,
    variant,
    budgetBytes: Number.isFinite(budget) ? budget : null,
    arenaBytes: layout.arenaBytes,
    scratchBytes: layout.scratchBytes,
    weightTileBytes: layout.weightTileBytes,
    residentWeightBytes: layout.residentWeightBytes,
    planBytes: layout.planBytes,
    slackBytes: layout.slackBytes,
    ramBytes: layout.ramBytes,
    linearMemoryBytes: align(layout.ramBytes, PAGE_BYTES),
    flashBytes: layout.planBytes + layout.residentWeightBytes + align(streamedBytes, 16),
    streamedBytes,
    macs: steps.reduce((sum, step) => sum + step.macs, 0),
    extraMacs: compilation.steps.reduce((sum, step) => sum + (step.extraMacs ?? 0), program.extraMacs),
    schedule,
    cycles: Math.round(compilation.cycles),
    input: program.inputRows.some((rows) => rows !== undefined) ? "streamed" : "resident",
    peakStep: live.reduce((peak, bytes, step) => (bytes > (live[peak] ?? -1) ? step : peak), -1),
    steps,
    map: memoryMap(demand, layout, steps),
  };
}

function operatorReport({ packed, program }: Compilation, step: Step, operation: Operation): OperatorReport {
  const { stream, operations } = step;
  const { node, bound, op, writes } = operation;
  const base = {
    op: node.op,
    name: node.name,
    source: node.source,
    shape: bound.outputs[0]?.shape ?? [],
    macs: op.macs(bound),
    weightBytes: packed.get(operation)?.bytes.length ?? 0,
  };
  if (stream === undefined) return base;
  const rowsPerPull = stream.rowsPerPull[operations.indexOf(operation)] ?? 1;
  const [id = -1] = writes;
  const ringRows = stream.ringRows.get(id);
  if (ringRows === undefined) return { ...base, rowsPerPull };
  const ringBytes = bytesInStep(step, id, program.values.get(id)?.bytes ?? 0);
  return { ...base, rowsPerPull, ringRows, ringBytes };
}

/** What a step leaves whole in memory. */
function tracedTensors(
  program: Program,
  { operations, stream }: Step,
  addressOf: (value: number | undefined) => number,
): TracedTensor[] {
  const traced = (tensor: Tensor, source: number, value: number | undefined): TracedTensor => {
    const pixels = program.values.get(value ?? -1)?.view?.pixels;
    const { lacks } = tensor;
    // As the file has it: its channels are no concern of who compares tensors.
    const { id, name, shape } = lacks === undefined ? tensor : tensorOf(program.graph, lacks.of);
    return {
      id,
      source,
      name,
      shape,
      type: tensor.type,
      address: addressOf(value),
      bytes: byteSize(tensor),
      ...(pixels && { pixels }),
      ...(lacks && { constants: lacks.channels }),
    };
  };
  const isGone = (id: number): boolean =>
    stream?.ringRows.has(id) === true || stream?.inPlaceOf.has(id) === true;
  const made = operations.flatMap(({ bound, writes, node }) =>
    bound.outputs.flatMap((tensor, i) =>
      isGone(writes[i] ?? -1) ? [] : [traced(tensor, node.source, writes[i])],
    ),
  );
  const isWhole = (id: number): boolean => !isGone(program.values.get(id)?.view?.whole ?? id);
  const completed = operations
    .flatMap((operation) => program.completed.get(operation) ?? [])
    .filter(({ tensor }) => isWhole(program.valueOf(tensor.id) ?? -1));
  return [
    ...made,
    ...completed.map(({ tensor, source }) => traced(tensor, source, program.valueOf(tensor.id))),
  ];
}

/** Bytes of the activations that are alive in a step; overlapping storages count once. */
function liveBytes(storages: Compilation["demand"]["storages"], addresses: readonly number[]): number {
  const ranges = storages
    .map(({ id, bytes }) => ({ begin: addresses[id] ?? 0, end: (addresses[id] ?? 0) + bytes }))
    .sort((a, b) => a.begin - b.begin);
  let bytes = 0;
  let covered = 0;
  for (const { begin, end } of ranges) {
    bytes += Math.max(0, end - Math.max(begin, covered));
    covered = Math.max(covered, end);
  }
  return bytes;
}

function memoryMap(
  demand: Compilation["demand"],
  layout: Compilation["layout"],
  steps: readonly StepReport[],
): MapEntry[] {
  const activations = demand.storages.map(
    ({ id, value, isRing, name, bytes, firstStep, lastStep }): MapEntry => ({
      name,
      kind: isRing === true ? "ring" : "activation",
      ...(value !== undefined && { value }),
      address: layout.storageAddress[id] ?? 0,
      bytes,
      firstStep: Math.max(firstStep, 0),
      lastStep: Math.min(lastStep, steps.length - 1),
    }),
  );
  const working = steps.flatMap((step, index): MapEntry[] => {
    const span = { firstStep: index, lastStep: index };
    const entries: MapEntry[] = [];
    if (step.scratchBytes > 0) {
      const address = layout.scratchAddress[index] ?? 0;
      entries.push({ name: step.name, kind: "scratch", address, bytes: step.scratchBytes, ...span });
    }
    const placement = layout.weights[index];
    if (placement?.kind === "streamed") {
      const bytes = placement.blocksPerTile * (demand.steps[index]?.weights?.blockBytes ?? 0);
      entries.push({ name: step.name, kind: "weights", address: placement.address, bytes, ...span });
    }
    return entries;
  });
  return [...activations, ...working];
}
