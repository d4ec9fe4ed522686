import { replaceNodes, setConstant } from "../graph/edit.ts";
import type { Graph } from "../graph/graph.ts";
import { bind } from "../graph/graph.ts";
import { opOf } from "../ops/index.ts";

/**
 * Evaluates nodes whose inputs are all constants, where the operator's definition can (`fold`). What is an output of the
 * graph stays: outputs are computed.
 */
export function foldConstants(graph: Graph): Graph {
  return graph.nodes.reduce((current, node) => {
    const [output = -1] = node.outputs;
    const bound = bind(current, node);
    const constant = bound.inputs.every((input) => input === undefined || input.data !== undefined);
    if (!constant || current.outputs.includes(output)) return current;
    const data = opOf(node).fold?.(bound);
    if (data === undefined) return current;
    return setConstant(replaceNodes(current, new Map([[node, []]])), output, data);
  }, graph);
}
