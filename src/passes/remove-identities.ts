import { producersOf, redirect, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { bind } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";

/**
 * Drops operators that only pass their first input on. Where the result is an output of the graph, the node before makes
 * that tensor itself; if it cannot (an input, a constant or another output is passed on), the operator stays.
 */
export function removeIdentities(graph: Graph): Graph {
  const producers = producersOf(graph);
  const outputs = new Set(graph.outputs);
  const removed = new Map<Node, readonly Node[]>();
  /** Tensors that are passed on under another id → where they come from. */
  const origins = new Map<number, number>();
  /** Tensors that become an output of the graph → the output. */
  const renamed = new Map<number, number>();
  for (const node of graph.nodes) {
    if (opOf(node).isIdentity?.(bind(graph, node)) !== true) continue;
    const [input = -1] = node.inputs;
    const [output = -1] = node.outputs;
    const origin = origins.get(input) ?? input;
    if (!outputs.has(output)) {
      origins.set(output, origin);
    } else {
      if (!producers.has(origin) || outputs.has(origin) || renamed.has(origin)) continue;
      renamed.set(origin, output);
    }
    removed.set(node, []);
  }
  if (removed.size === 0) return graph;
  const names = new Map(renamed);
  for (const [id, origin] of origins) names.set(id, renamed.get(origin) ?? origin);
  return redirect(replaceNodes(graph, removed), names);
}
