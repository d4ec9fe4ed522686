import type { Graph } from "../graph/graph.ts";

/** Drops nodes whose results nobody needs. */
export function removeDeadNodes(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const nodes = [...graph.nodes]
    .reverse()
    .filter((node) => {
      if (!node.outputs.some((id) => needed.has(id))) return false;
      for (const id of node.inputs) needed.add(id);
      return true;
    })
    .reverse();
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes };
}
