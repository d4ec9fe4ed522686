import { ModelError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { bind } from "../graph/graph.ts";
import { mendAfter, verifyGraph } from "../graph/verify.ts";
import { opOf } from "./index.ts";

/**
 * `verifyGraph`, and that every operator computes the shapes and types that its outputs have.
 * @throws ModelError naming the import or pass `after`
 */
export function verifyOperators(graph: Graph, after: string): void {
  verifyGraph(graph, after);
  for (const node of graph.nodes) {
    const { inputs, outputs } = bind(graph, node);
    for (const [i, { shape, type }] of opOf(node).infer(inputs, node.attrs, outputs).entries()) {
      const output = outputs[i];
      if (output?.type === type && output.shape.join() === shape.join()) continue;
      throw new ModelError(
        "graph-output-type",
        `graph "${graph.name}" after ${after}: ${node.op} "${node.name}" makes ${type} [${shape.join(", ")}], its output ` +
          `is ${output?.type ?? "missing"} [${output?.shape.join(", ") ?? ""}]; ${mendAfter(after)}`,
      );
    }
  }
}
