import { consumersOf, producersOf, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";

/** A port after the pass: the graph's tensor, and the file's float tensor where the host converts. */
interface Port {
  readonly id: number;
  readonly outer: number | undefined;
}

/**
 * QUANTIZE of a float input that nothing else reads, and DEQUANTIZE that makes a float output, move to the host, which rounds
 * the same; the graph's input or output is then the int8 tensor. A tensor stays one port only.
 */
export function moveBorderToHost(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const producers = producersOf(graph);
  const moved = new Map<Node, readonly Node[]>();
  const taken = new Set(graph.outputs);
  const inputs = graph.inputs.map((id, index): Port => {
    const stays = { id, outer: graph.border?.inputs[index] };
    const [reader, ...others] = consumers.get(id) ?? [];
    if (reader?.op !== "quantize" || others.length > 0 || taken.has(id)) return stays;
    const [output = -1] = reader.outputs;
    const [outer, inner] = [tensorOf(graph, id), tensorOf(graph, output)];
    if (outer.type !== "float32" || inner.type !== "int8" || taken.has(output)) return stays;
    moved.set(reader, []);
    return { id: output, outer: id };
  });
  const outputs = graph.outputs.map((id, index): Port => {
    const stays = { id, outer: graph.border?.outputs[index] };
    const producer = producers.get(id);
    if (producer?.op !== "dequantize" || consumers.has(id)) return stays;
    if (graph.outputs.indexOf(id) !== graph.outputs.lastIndexOf(id)) return stays;
    const [input = -1] = producer.inputs;
    // A node of the graph must make the int8 tensor; what the host quantises it does not give back.
    const maker = producers.get(input);
    if (maker === undefined || moved.has(maker) || taken.has(input)) return stays;
    if (tensorOf(graph, input).type !== "int8") return stays;
    taken.add(input);
    moved.set(producer, []);
    return { id: input, outer: id };
  });
  if (moved.size === 0) return graph;
  return {
    ...replaceNodes(graph, moved),
    inputs: inputs.map(({ id }) => id),
    outputs: outputs.map(({ id }) => id),
    border: { inputs: inputs.map(({ outer }) => outer), outputs: outputs.map(({ outer }) => outer) },
  };
}
