import { addTensor, replaceNodes } from "../graph/edit.ts";
import type { Graph, Tensor } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";
import type { DepthwiseAttrs } from "../ops/depthwise-conv2d.ts";

/** A depthwise convolution over one channel is a convolution: weights [1, kh, kw, O] become [O, kh, kw, 1]. */
export function depthwiseToConvolution(graph: Graph): Graph {
  return graph.nodes.reduce((current, node) => {
    const [input = -1, weightsId = -1, ...bias] = node.inputs;
    if (node.op !== "depthwiseConv2d" || tensorOf(current, input).shape[3] !== 1) return current;
    const weights = tensorOf(current, weightsId);
    const added = addTensor(current, `${weights.name} (as convolution)`, ...transposed(weights));
    const { depthMultiplier: _, ...attrs } = node.attrs as DepthwiseAttrs;
    const convolution = { ...node, op: "conv2d", attrs, inputs: [input, added.tensor.id, ...bias] };
    return replaceNodes(added.graph, new Map([[node, [convolution]]]));
  }, graph);
}

function transposed(weights: Tensor): [Omit<Tensor, "id" | "name" | "data">, Uint8Array] {
  const [, kernelHeight = 1, kernelWidth = 1, channels = 1] = weights.shape;
  const taps = kernelHeight * kernelWidth;
  const from = weights.data ?? new Uint8Array(0);
  const data = Uint8Array.from(from, (_, i) => from[(i % taps) * channels + Math.floor(i / taps)] ?? 0);
  const shape = [channels, kernelHeight, kernelWidth, 1];
  const { type, quantization } = weights;
  return [
    quantization === undefined
      ? { shape, type }
      : { shape, type, quantization: { ...quantization, axis: 0 } },
    data,
  ];
}
