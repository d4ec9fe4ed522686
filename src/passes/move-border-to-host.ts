import { consumersOf, producersOf, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";

/**
 * QUANTIZE of a float input that nothing else reads, and DEQUANTIZE that makes a float output, move to the host, which rounds
 * the same; the graph's input or output is then the int8 tensor.
 */
export function moveBorderToHost(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const producers = producersOf(graph);
  const moved = new Map<Node, readonly Node[]>();
  const inputs = graph.inputs.map((id) => {
    const [reader, ...others] = consumers.get(id) ?? [];
    const [output = -1] = reader?.outputs ?? [];
    const moves =
      reader?.op === "quantize" &&
      others.length === 0 &&
      tensorOf(graph, id).type === "float32" &&
      !graph.outputs.includes(id);
    if (!moves) return { id, outer: undefined };
    moved.set(reader, []);
    return { id: output, outer: id };
  });
  const outputs = graph.outputs.map((id, index) => {
    const producer = producers.get(id);
    const [input = -1] = producer?.inputs ?? [];
    // The int8 tensor must be computed, read by nobody else as float, and stand for this output alone.
    const moves =
      producer?.op === "dequantize" &&
      producers.has(input) &&
      !consumers.has(id) &&
      !graph.outputs.includes(input) &&
      graph.outputs.indexOf(id) === index &&
      graph.outputs.every((other) => other === id || producers.get(other)?.inputs[0] !== input);
    if (!moves) return { id, outer: undefined };
    moved.set(producer, []);
    return { id: input, outer: id };
  });
  if (moved.size === 0) return graph;
  const result = replaceNodes(graph, moved);
  return {
    ...result,
    inputs: inputs.map(({ id }) => id),
    outputs: outputs.map(({ id }) => id),
    border: { inputs: inputs.map(({ outer }) => outer), outputs: outputs.map(({ outer }) => outer) },
  };
}
