import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { bind, byteSize, tensorOf } from "../graph/graph.ts";
import { addTensors, producersOf } from "../graph/edit.ts";
import { opOf } from "../ops/index.ts";

/** A graph in which some nodes stand twice, so that what they make need not be kept in between. */
export interface Recomputation {
  readonly graph: Graph;
  /** The node that each copy repeats. */
  readonly originals: ReadonlyMap<Node, Node>;
  /** Multiply-accumulates of the copies. */
  readonly extraMacs: number;
}

/** A large value that is read early and again late, and the nodes that make it from a smaller one. */
interface Rereading {
  readonly value: number;
  readonly bytes: number;
  /** In execution order; the last makes the value. */
  readonly chain: readonly Node[];
  /** Index of the first node that reads it again: behind the first reader and what follows from that alone. */
  readonly again: number;
  readonly macs: number;
}

/**
 * Squeeze-and-excite in two passes, and whatever else has its shape: a value that is read to the end before it is read again
 * (its mean decides how each channel is scaled) is made twice instead of kept. One graph per size from which values are made
 * twice, the fewest extra MACs first, none with more than `maxExtra`.
 */
export function recomputations(graph: Graph, maxExtra: number): readonly Recomputation[] {
  const rereadings = findRereadings(graph).sort((a, b) => b.bytes - a.bytes);
  const found: Recomputation[] = [];
  for (let count = 1; count <= rereadings.length; count++) {
    const next = rereadings[count];
    if (next !== undefined && next.bytes === rereadings[count - 1]?.bytes) continue;
    const chosen = rereadings.slice(0, count);
    const extraMacs = chosen.reduce((sum, { macs }) => sum + macs, 0);
    if (extraMacs <= maxExtra) found.push(makeTwice(graph, chosen, extraMacs));
  }
  return found;
}

/** Nodes of a chain that is worth making twice. */
const MAX_CHAIN = 4;

function findRereadings(graph: Graph): Rereading[] {
  const indexOf = new Map(graph.nodes.map((node, index) => [node, index]));
  const makerOf = producersOf(graph);
  const readersOf = new Map<number, number[]>();
  for (const [index, node] of graph.nodes.entries()) {
    for (const id of new Set(node.inputs)) readersOf.set(id, [...(readersOf.get(id) ?? []), index]);
  }
  const kept = new Set(graph.outputs);
  return graph.nodes.flatMap((node): Rereading[] => {
    const [value = -1] = node.outputs;
    const readers = readersOf.get(value) ?? [];
    const again = readers[1];
    if (again === undefined || kept.has(value)) return [];
    // The first reader reads all of it before anything else can be made.
    if (!reducesAllRows(graph, graph.nodes[readers[0] ?? -1], readersOf)) return [];
    const chain: Node[] = [];
    let best: readonly Node[] = [];
    let least = byteSize(tensorOf(graph, value));
    for (let at: Node | undefined = node; at !== undefined && chain.length < MAX_CHAIN;) {
      const inputs: readonly number[] = at.inputs.filter(
        (id) => id >= 0 && tensorOf(graph, id).data === undefined,
      );
      const [input = -1] = inputs;
      if (inputs.length !== 1 || opOf(at).rows?.(bind(graph, at)) === undefined) break;
      chain.unshift(at);
      const bytes = byteSize(tensorOf(graph, input));
      if (bytes < least) [least, best] = [bytes, [...chain]];
      const maker = makerOf.get(input);
      const isShared = (readersOf.get(input)?.length ?? 0) > 1 || kept.has(input);
      at = isShared ? undefined : maker;
    }
    if (best.length === 0 || (indexOf.get(best[0] ?? node) ?? 0) > (indexOf.get(node) ?? 0)) return [];
    const macs = best.reduce((sum, at) => sum + opOf(at).macs(bind(graph, at)), 0);
    return [{ value, bytes: byteSize(tensorOf(graph, value)), chain: best, again, macs }];
  });
}

/** Whether a node, or the one that alone reads what it makes of each row, takes all rows of its input into one. */
function reducesAllRows(
  graph: Graph,
  node: Node | undefined,
  readersOf: ReadonlyMap<number, readonly number[]>,
): boolean {
  const rows = node && opOf(node).rows?.(bind(graph, node));
  if (node === undefined || rows === undefined) return false;
  if (rows.accumulatorBytes !== undefined) return true;
  const [output = -1] = node.outputs;
  const readers = readersOf.get(output) ?? [];
  const next = graph.nodes[readers[0] ?? -1];
  if (readers.length !== 1 || next === undefined) return false;
  return opOf(next).rows?.(bind(graph, next))?.accumulatorBytes !== undefined;
}

/** The first readers read copies; the originals move to where they are read again. */
function makeTwice(graph: Graph, chosen: readonly Rereading[], extraMacs: number): Recomputation {
  const originals = new Map<Node, Node>();
  const added: Tensor[] = [];
  const moved = new Map<number, readonly Node[]>();
  const replaced = new Map<Node, Node>();
  const renamed = new Map<number, Map<number, number>>();
  for (const { value, chain, again } of chosen) {
    const copies = new Map<number, number>();
    for (const node of chain) {
      for (const id of node.outputs) {
        const copy = graph.tensors.length + added.length;
        // The original alone stands for what the file has.
        const { name, shape, type, quantization } = tensorOf(graph, id);
        added.push({ id: copy, name, shape, type, ...(quantization && { quantization }) });
        copies.set(id, copy);
      }
      const copied = (id: number): number => copies.get(id) ?? id;
      const copy = { ...node, inputs: node.inputs.map(copied), outputs: node.outputs.map(copied) };
      originals.set(copy, node);
      replaced.set(node, copy);
    }
    moved.set(again, [...(moved.get(again) ?? []), ...chain]);
    const first = graph.nodes.findIndex(({ inputs }) => inputs.includes(value));
    renamed.set(first, new Map([...(renamed.get(first) ?? []), [value, copies.get(value) ?? value]]));
  }
  const nodes = graph.nodes.flatMap((node, index): Node[] => {
    const names = renamed.get(index);
    const reader = names && { ...node, inputs: node.inputs.map((id) => names.get(id) ?? id) };
    if (reader !== undefined) originals.set(reader, node);
    return [...(moved.get(index) ?? []), reader ?? replaced.get(node) ?? node];
  });
  return { graph: { ...addTensors(graph, added), nodes }, originals, extraMacs };
}
