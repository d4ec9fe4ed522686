import { UnsupportedError } from "../errors.ts";
import type { Graph, Tensor } from "../graph/graph.ts";
import { byteSize, tensorOf } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";
import type { Packed } from "../ops/op.ts";
import { recordBytes } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import type { LayerStep } from "../schedule/layers.ts";
import type { Overlap, Step, Storage } from "./problem.ts";

/** Which storage holds a tensor: aliases share one. Constants and unused tensors have none. */
export type StorageOf = (tensorId: number) => number | undefined;

/** What the planner is asked, and how to read its answer back in terms of tensors. */
export interface MemoryDemand {
  readonly storages: readonly Storage[];
  readonly steps: readonly Step[];
  readonly storageOf: StorageOf;
}

/**
 * Exact lifetimes of all activations, one storage per group of aliases: from the step that writes it to the last that
 * reads it; graph inputs live from before the first step, graph outputs until after the last.
 * @throws UnsupportedError an alias of a constant that was not folded
 */
export function demandMemory(
  graph: Graph,
  steps: readonly LayerStep[],
  packed: readonly (Packed | undefined)[],
  variant: Variant,
): MemoryDemand {
  const rootOf = aliasRoots(graph);
  const storages: { -readonly [K in keyof Storage]: Storage[K] }[] = [];
  const idOfRoot = new Map<number, number>();
  const place = (tensor: Tensor, firstStep: number): void => {
    const root = rootOf(tensor.id);
    if (idOfRoot.has(root)) return;
    idOfRoot.set(root, storages.length);
    storages.push({
      id: storages.length,
      name: tensor.name,
      bytes: byteSize(tensor),
      firstStep,
      lastStep: firstStep,
    });
  };
  const storageOf: StorageOf = (tensorId) => idOfRoot.get(rootOf(tensorId));
  const extend = (tensorId: number, step: number): void => {
    const storage = storages[storageOf(tensorId) ?? -1];
    if (storage !== undefined) storage.lastStep = Math.max(storage.lastStep, step);
  };

  for (const id of graph.inputs) place(tensorOf(graph, id), -1);
  for (const [index, { bound }] of steps.entries()) {
    for (const input of bound.inputs) if (input !== undefined) extend(input.id, index);
    for (const output of bound.outputs) {
      place(output, index);
      extend(output.id, index);
    }
  }
  for (const id of graph.outputs) extend(id, steps.length);

  return {
    storages,
    storageOf,
    steps: steps.map((step, index) => {
      const blob = packed[index];
      const demand = {
        name: step.node.name,
        scratchBytes: step.op.scratchBytes?.(step.bound, variant) ?? 0,
        overlaps: overlapsOf(step, index, storages, storageOf, variant),
        recordBytes: lowerableBytes(step, variant, blob),
      };
      return blob === undefined
        ? demand
        : { ...demand, weights: { blocks: blob.blocks, blockBytes: blob.blockBytes } };
    }),
  };
}

/** Follows aliases back to the tensor whose bytes they share. */
function aliasRoots(graph: Graph): (tensorId: number) => number {
  const parent = new Map<number, number>();
  for (const node of graph.nodes) {
    if (opOf(node).alias !== true) continue;
    const [input = -1] = node.inputs;
    const [output = -1] = node.outputs;
    if (tensorOf(graph, input).data !== undefined) {
      throw new UnsupportedError(
        "constant-alias",
        `${node.op} "${node.name}" reshapes a constant; compile with the default passes, which fold all but outputs of the graph`,
      );
    }
    parent.set(output, parent.get(input) ?? input);
  }
  return (tensorId) => parent.get(tensorId) ?? tensorId;
}

function overlapsOf(
  step: LayerStep,
  index: number,
  storages: readonly Storage[],
  storageOf: StorageOf,
  variant: Variant,
): Overlap[] {
  const [output] = step.bound.outputs;
  const outputStorage = output && storageOf(output.id);
  if (outputStorage === undefined || step.op.overlapDistance === undefined) return [];
  const seen = new Map<number, number>();
  const overlaps: Overlap[] = [];
  for (const [i, input] of step.bound.inputs.entries()) {
    const storage = input && storageOf(input.id);
    if (storage === undefined || storages[storage]?.lastStep !== index) continue;
    const distance = step.op.overlapDistance(step.bound, i, variant);
    seen.set(storage, (seen.get(storage) ?? 0) + 1);
    if (distance !== undefined) overlaps.push({ input: storage, output: outputStorage, distance });
  }
  // The same storage read twice may be read at two paces; only single readers are known to keep ahead of the writer.
  return overlaps.filter((overlap) => seen.get(overlap.input) === 1);
}

/** Size of the step's record, which depends on the operator alone. */
function lowerableBytes(step: LayerStep, variant: Variant, packed: Packed | undefined): number {
  const nowhere = {
    inputs: step.bound.inputs.map(() => 0),
    outputs: step.bound.outputs.map(() => 0),
    packed: 0,
    scratch: 0,
    c0: 0,
    c1: 0,
  };
  const record = step.op.lower?.(step.bound, nowhere, variant, packed);
  return record === undefined ? 0 : recordBytes(record.op);
}
