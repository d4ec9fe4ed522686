import type { BoundNode, Graph, Node } from "../graph/graph.ts";
import { bind } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";
import type { OpDefinition } from "../ops/op.ts";

/** One step of the schedule: a whole operator. Aliases have no step. */
export interface LayerStep {
  readonly node: Node;
  readonly bound: BoundNode;
  readonly op: OpDefinition;
}

/** Every node that computes something, a step each, in graph order. */
export function scheduleLayers(graph: Graph): readonly LayerStep[] {
  return graph.nodes
    .map((node) => ({ node, bound: bind(graph, node), op: opOf(node) }))
    .filter(({ op }) => op.lower !== undefined);
}
