import type { FloatModel, FloatNode, FloatTensor } from "thimble";
import { SIDE } from "./draw.ts";
import type { Layer } from "./layers.ts";
import { conv2d, depthwiseConv2d, fullyConnected, globalMean } from "./layers.ts";
import type { Random } from "./random.ts";

/** Channels and stride of the stem and of each depthwise-separable block. */
const STEM = { channels: 16, stride: 2 };
const BLOCKS = [
  { channels: 24, stride: 2 },
  { channels: 48, stride: 1 },
  { channels: 80, stride: 1 },
  { channels: 96, stride: 1 },
] as const;
const CLASSES = 10;

/** Layers in order: a convolution, pairs of depthwise and pointwise convolutions, the mean of all pixels, a matrix. */
export function digitsNetwork(random: Random): Layer[] {
  const layers = [conv2d({ size: SIDE, depth: 1, kernel: 3, ...STEM }, random)];
  let size = Math.ceil(SIDE / STEM.stride);
  let depth = STEM.channels;
  for (const { channels, stride } of BLOCKS) {
    layers.push(depthwiseConv2d({ size, depth, channels: depth, kernel: 3, stride }, random));
    size = Math.ceil(size / stride);
    layers.push(conv2d({ size, depth, channels, kernel: 1, stride: 1 }, random));
    depth = channels;
  }
  return [...layers, globalMean(size * size, depth), fullyConnected(depth, CLASSES, random)];
}

/** The same network with these layers' weights in float32, a softmax at its end. */
export function floatModel(layers: readonly Layer[]): FloatModel {
  const learned = layers.filter(({ parameters }) => parameters.length > 0);
  let next = 0;
  const take = (...shape: readonly number[]): { weights: FloatTensor; bias: Float32Array } => {
    const [weights, bias] = learned[next++]?.parameters.map(({ value }) => Float32Array.from(value)) ?? [];
    if (weights === undefined || bias === undefined)
      throw new RangeError("the layers are of another network");
    return { weights: { shape, data: weights }, bias };
  };
  const convolution = (
    name: string,
    input: string,
    stride: number,
    ...shape: readonly number[]
  ): FloatNode => {
    const op = shape[0] === 1 ? "depthwiseConv2d" : "conv2d";
    const strides = { strideY: stride, strideX: stride };
    return { op, name, input, ...take(...shape), padding: "same", ...strides, activation: "relu" };
  };
  const nodes = [convolution("stem", "picture", STEM.stride, STEM.channels, 3, 3, 1)];
  let last = "stem";
  let depth = STEM.channels;
  for (const [i, { channels, stride }] of BLOCKS.entries()) {
    const name = `block${i + 1}`;
    nodes.push(convolution(`${name}/depthwise`, last, stride, 1, 3, 3, depth));
    nodes.push(convolution(name, `${name}/depthwise`, 1, channels, 1, 1, depth));
    [last, depth] = [name, channels];
  }
  nodes.push(
    { op: "mean", name: "mean", input: last, axes: [1, 2] },
    { op: "fullyConnected", name: "logits", input: "mean", ...take(CLASSES, depth) },
    { op: "softmax", name: "scores", input: "logits" },
  );
  return { inputs: [{ name: "picture", shape: [1, SIDE, SIDE, 1] }], nodes, outputs: ["scores"] };
}
