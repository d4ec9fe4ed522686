import { addTensors, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";
import type { ConvolutionAttrs } from "../ops/convolution.ts";
import type { DepthwiseAttrs } from "../ops/depthwise-conv2d.ts";

/** A depthwise convolution over one channel is a convolution: weights [1, kh, kw, O] become [O, kh, kw, 1]. */
export function depthwiseToConvolution(graph: Graph): Graph {
  const added: Tensor[] = [];
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    const [input = -1, weights = -1, ...bias] = node.inputs;
    if (node.op !== "depthwiseConv2d" || tensorOf(graph, input).shape[3] !== 1) continue;
    const id = graph.tensors.length + added.length;
    added.push(asConvolution(tensorOf(graph, weights), id));
    const attrs = withoutMultiplier(node.attrs as DepthwiseAttrs);
    replacements.set(node, [{ ...node, op: "conv2d", attrs, inputs: [input, id, ...bias] }]);
  }
  return added.length === 0 ? graph : addTensors(replaceNodes(graph, replacements), added);
}

function asConvolution(weights: Tensor, id: number): Tensor {
  const { shape, quantization, data: from = new Uint8Array(0) } = weights;
  const [, kernelHeight = 1, kernelWidth = 1, channels = 1] = shape;
  const taps = kernelHeight * kernelWidth;
  return {
    ...weights,
    id,
    name: `${weights.name} (as convolution)`,
    shape: [channels, kernelHeight, kernelWidth, 1],
    data: from.map((_, i) => from[(i % taps) * channels + Math.floor(i / taps)] ?? 0),
    ...(quantization === undefined ? {} : { quantization: { ...quantization, axis: 0 } }),
  };
}

function withoutMultiplier(attrs: DepthwiseAttrs): ConvolutionAttrs {
  const { padTop, padLeft, padBottom, padRight, strideY, strideX, dilationY, dilationX, activation } = attrs;
  return { padTop, padLeft, padBottom, padRight, strideY, strideX, dilationY, dilationX, activation };
}
