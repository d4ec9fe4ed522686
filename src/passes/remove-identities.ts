import { redirectUses, replaceNodes } from "../graph/edit.ts";
import type { Graph } from "../graph/graph.ts";
import { bind } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";

/** Drops operators that only pass their first input on. An output of the graph keeps its tensor, and so its node. */
export function removeIdentities(graph: Graph): Graph {
  return graph.nodes.reduce((current, node) => {
    const [output = -1] = node.outputs;
    // An earlier removal may have redirected this node's input.
    const now = current.nodes.find(({ outputs }) => outputs[0] === output);
    if (now === undefined || current.outputs.includes(output)) return current;
    if (opOf(now).isIdentity?.(bind(current, now)) !== true) return current;
    return redirectUses(replaceNodes(current, new Map([[now, []]])), output, now.inputs[0] ?? -1);
  }, graph);
}
