import { replaceNodes, setConstants } from "../graph/edit.ts";
import type { BoundNode, Graph, Node, Tensor } from "../graph/graph.ts";
import { bind } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";

/**
 * Evaluates nodes whose inputs are all constants, where the operator's definition can (`fold`). What is an output of the graph
 * stays: outputs are computed.
 */
export function foldConstants(graph: Graph): Graph {
  const outputs = new Set(graph.outputs);
  const removed = new Map<Node, readonly Node[]>();
  const folded = new Map<number, Uint8Array>();
  for (const node of graph.nodes) {
    const [output = -1] = node.outputs;
    if (outputs.has(output)) continue;
    const bound = withConstants(bind(graph, node), folded);
    if (bound.inputs.some((input) => input !== undefined && input.data === undefined)) continue;
    const data = opOf(node).fold?.(bound);
    if (data === undefined) continue;
    folded.set(output, data);
    removed.set(node, []);
  }
  return removed.size === 0 ? graph : setConstants(replaceNodes(graph, removed), folded);
}

function withConstants(node: BoundNode, folded: ReadonlyMap<number, Uint8Array>): BoundNode {
  const inputs = node.inputs.map((tensor) => {
    const data = tensor && folded.get(tensor.id);
    return data === undefined ? tensor : { ...(tensor as Tensor), data };
  });
  return { ...node, inputs };
}
