/** The few edits that passes are made of. All return new graphs; tensor ids never change. */
import type { Graph, Node, Tensor, TensorType } from "./graph.ts";

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

/** Every reader of tensor `from`, and the graph's outputs, take tensor `to` instead. */
export function redirectUses(graph: Graph, from: number, to: number): Graph {
  const redirect = (id: number): number => (id === from ? to : id);
  return {
    ...graph,
    nodes: graph.nodes.map((node) =>
      node.inputs.includes(from) ? { ...node, inputs: node.inputs.map(redirect) } : node,
    ),
    outputs: graph.outputs.map(redirect),
  };
}

/** A graph with one more tensor, and that tensor. */
export function addTensor(
  graph: Graph,
  name: string,
  type: TensorType,
  data?: Uint8Array,
): { readonly graph: Graph; readonly tensor: Tensor } {
  const tensor = { ...type, id: graph.tensors.length, name, ...(data === undefined ? {} : { data }) };
  return { graph: { ...graph, tensors: [...graph.tensors, tensor] }, tensor };
}

/** A graph in which tensor `id` is a constant. */
export function setConstant(graph: Graph, id: number, data: Uint8Array): Graph {
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) => (tensor.id === id ? { ...tensor, data } : tensor)),
  };
}
