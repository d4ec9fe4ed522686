import type { Tensor } from "../graph/graph.ts";
import { byteSize } from "../graph/graph.ts";
import { align } from "../plan/packing.ts";
import type { LayerStep } from "../schedule/layers.ts";
import type { Compilation } from "./emit.ts";
import type { MapEntry, Report, StepReport } from "./image.ts";

const PAGE_BYTES = 65536;

/** Where a step's records ended up. */
export interface EmittedStep {
  readonly step: LayerStep;
  readonly firstRecord: number;
  readonly endRecord: number;
}

/** The byte figures, the steps and the memory map of a compiled model. */
export function report(
  { graph, variant, budget, packed, demand, layout }: Compilation,
  emitted: readonly EmittedStep[],
  streamedBytes: number,
  addressOf: (tensor: Tensor) => number,
): Report {
  const live = emitted.map((_, index) => liveBytes(demand, layout.storageAddress, index));
  const steps = emitted.map(({ step, firstRecord, endRecord }, index): StepReport => {
    const placement = layout.weights[index];
    return {
      op: step.node.op,
      name: step.node.name,
      source: step.node.source,
      firstRecord,
      endRecord,
      outputs: step.bound.outputs.map((tensor) => ({
        id: tensor.id,
        name: tensor.name,
        shape: tensor.shape,
        type: tensor.type,
        address: addressOf(tensor),
        bytes: byteSize(tensor),
      })),
      macs: step.op.macs(step.bound),
      weightBytes: packed[index]?.bytes.length ?? 0,
      weights: placement?.kind ?? "none",
      tiles: placement?.kind === "streamed" ? placement.tiles.length : 0,
      scratchBytes: demand.steps[index]?.scratchBytes ?? 0,
      liveBytes: live[index] ?? 0,
    };
  });
  return {
    model: graph.name,
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
    peakStep: live.indexOf(Math.max(...live)),
    steps,
    map: memoryMap({ demand, layout, packed }, steps),
  };
}

/** Bytes that hold an activation needed by, or made in, step `index`; overlapping storages count once. */
function liveBytes(demand: Compilation["demand"], addresses: readonly number[], index: number): number {
  const ranges = demand.storages
    .filter(({ firstStep, lastStep }) => firstStep <= index && index <= lastStep)
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
  { demand, layout, packed }: Pick<Compilation, "demand" | "layout" | "packed">,
  steps: readonly StepReport[],
): MapEntry[] {
  const activations = demand.storages.map(({ id, name, bytes, firstStep, lastStep }): MapEntry => ({
    name,
    kind: "activation",
    address: layout.storageAddress[id] ?? 0,
    bytes,
    firstStep: Math.max(firstStep, 0),
    lastStep: Math.min(lastStep, steps.length - 1),
  }));
  const working = steps.flatMap((step, index): MapEntry[] => {
    const span = { firstStep: index, lastStep: index };
    const entries: MapEntry[] = [];
    if (step.scratchBytes > 0) {
      const address = layout.scratchAddress[index] ?? 0;
      entries.push({ name: step.name, kind: "scratch", address, bytes: step.scratchBytes, ...span });
    }
    const placement = layout.weights[index];
    if (placement?.kind === "streamed") {
      const largest = Math.max(...placement.tiles.map(({ blocks }) => blocks));
      const bytes = largest * (packed[index]?.blockBytes ?? 0);
      entries.push({ name: step.name, kind: "weights", address: placement.address, bytes, ...span });
    }
    return entries;
  });
  return [...activations, ...working];
}
