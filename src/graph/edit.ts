/** The few edits that passes are made of. All return new graphs; a tensor keeps its id for good. */
import type { Graph, Node, Tensor } from "./graph.ts";

/** The nodes that read each tensor. */
export function consumersOf(graph: Graph): ReadonlyMap<number, readonly Node[]> {
  const consumers = new Map<number, Node[]>();
  for (const node of graph.nodes) {
    for (const id of new Set(node.inputs)) {
      const readers = consumers.get(id);
      if (readers === undefined) consumers.set(id, [node]);
      else readers.push(node);
    }
  }
  return consumers;
}

/** The node that makes each tensor. */
export function producersOf(graph: Graph): ReadonlyMap<number, Node> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)));
}

/** Each node in `replacements` gives way to its list (none: it is removed), in place. */
export function replaceNodes(graph: Graph, replacements: ReadonlyMap<Node, readonly Node[]>): Graph {
  return { ...graph, nodes: graph.nodes.flatMap((node) => replacements.get(node) ?? [node]) };
}

/** Nodes read, and make, `names.get(id)` wherever they read or made `id`. Inputs and outputs of the graph stay. */
export function redirect(graph: Graph, names: ReadonlyMap<number, number>): Graph {
  const changes = (id: number): boolean => names.has(id);
  const redirected = (id: number): number => names.get(id) ?? id;
  return {
    ...graph,
    nodes: graph.nodes.map((node) =>
      node.inputs.some(changes) || node.outputs.some(changes)
        ? { ...node, inputs: node.inputs.map(redirected), outputs: node.outputs.map(redirected) }
        : node,
    ),
  };
}

/** A graph with more tensors, whose ids go on from its last. */
export function addTensors(graph: Graph, added: readonly Tensor[]): Graph {
  return { ...graph, tensors: [...graph.tensors, ...added] };
}

/** A graph in which these tensors are constants. */
export function setConstants(graph: Graph, data: ReadonlyMap<number, Uint8Array>): Graph {
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) => {
      const bytes = data.get(tensor.id);
      return bytes === undefined ? tensor : { ...tensor, data: bytes };
    }),
  };
}
