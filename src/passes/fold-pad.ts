import { consumersOf, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";
import type { ConvolutionAttrs } from "../ops/convolution.ts";
import type { PadAttrs } from "../ops/pad.ts";

/**
 * PAD over height and width, read by convolutions, becomes their padding: both fill with the input's zero point, and
 * padding adds up. The PAD stays for other readers.
 */
export function foldPad(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    if (node.op !== "pad") continue;
    const { before, after } = node.attrs as PadAttrs;
    const [input = -1] = node.inputs;
    const [output = -1] = node.outputs;
    const spatial = before.length === 4 && [0, 3].every((axis) => before[axis] === 0 && after[axis] === 0);
    if (!spatial || !sameScale(tensorOf(graph, input), tensorOf(graph, output))) continue;
    for (const reader of consumers.get(output) ?? []) {
      if (reader.inputs[0] !== output || !CONVOLUTIONS.includes(reader.op)) continue;
      const attrs = reader.attrs as ConvolutionAttrs;
      const padded: ConvolutionAttrs = {
        ...attrs,
        padTop: attrs.padTop + (before[1] ?? 0),
        padLeft: attrs.padLeft + (before[2] ?? 0),
        padBottom: attrs.padBottom + (after[1] ?? 0),
        padRight: attrs.padRight + (after[2] ?? 0),
      };
      replacements.set(reader, [{ ...reader, inputs: [input, ...reader.inputs.slice(1)], attrs: padded }]);
    }
    const readers = consumers.get(output) ?? [];
    if (!graph.outputs.includes(output) && readers.every((reader) => replacements.has(reader))) {
      replacements.set(node, []);
    }
  }
  return replacements.size === 0 ? graph : replaceNodes(graph, replacements);
}

const CONVOLUTIONS = ["conv2d", "depthwiseConv2d"];

function sameScale(a: Tensor, b: Tensor): boolean {
  return (
    a.quantization?.scales[0] === b.quantization?.scales[0] &&
    a.quantization?.zeroPoints[0] === b.quantization?.zeroPoints[0]
  );
}
