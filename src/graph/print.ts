import type { Graph, Tensor } from "./graph.ts";
import { tensorOf } from "./graph.ts";

/** The graph as text, a line per node: `#4 conv2d  t12 int8 [1, 8, 8, 16] ← t7, t3 (constant)`. */
export function printGraph(graph: Graph): string {
  const shape = (tensor: Tensor): string => `${tensor.type} [${tensor.shape.join(", ")}]`;
  const reference = (id: number): string => {
    if (id < 0) return "–";
    return `t${id}${tensorOf(graph, id).data === undefined ? "" : " (constant)"}`;
  };
  const port = (id: number): string => `t${id} ${shape(tensorOf(graph, id))} "${tensorOf(graph, id).name}"`;
  return [
    `graph "${graph.name}"`,
    ...graph.inputs.map((id) => `input  ${port(id)}`),
    ...graph.nodes.map((node) => {
      const outputs = node.outputs.map((id) => `t${id} ${shape(tensorOf(graph, id))}`).join(", ");
      const source = node.source < 0 ? "  +" : `#${node.source}`.padStart(3);
      return `${source} ${node.op}  ${outputs} ← ${node.inputs.map(reference).join(", ")}`;
    }),
    ...graph.outputs.map((id) => `output ${port(id)}`),
  ].join("\n");
}
