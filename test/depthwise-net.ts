import { elementCount } from "../src/plan/shape.ts";
import type { WrittenOperator, WrittenTensor } from "./model-writer.ts";
import { BUILTIN, options, SAME, writeModel } from "./model-writer.ts";

const RELU = 1;

/** A repeatable stream of numbers in [0, 1). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * The bytes of a small depthwise-separable int8 network with seeded weights, untrained: 32×32×3 → 10 classes. Layer scales
 * follow from the weights' spread, so that values neither vanish nor clamp.
 */
export function depthwiseNet(seed: number): Uint8Array {
  const next = random(seed);
  const tensors: WrittenTensor[] = [];
  const operators: WrittenOperator[] = [];
  const add = (tensor: WrittenTensor): number => tensors.push(tensor) - 1;
  const weights = (name: string, shape: readonly number[], axis: number, channels: number): number =>
    add({
      name,
      shape,
      scales: Array.from({ length: channels }, () => 0.004 + 0.004 * next()),
      axis,
      data: Int8Array.from({ length: elementCount(shape) }, () => Math.round(254 * next() - 127)),
    });
  const bias = (name: string, channels: number): number =>
    add({
      name,
      shape: [channels],
      type: "int32",
      scales: [1e-4],
      data: Int32Array.from({ length: channels }, () => Math.round(4000 * (next() - 0.3))),
    });
  const activation = (name: string, shape: readonly number[], scale: number): number =>
    add({ name, shape, scales: [scale], zeroPoints: [-128] });

  const image = add({ name: "image", shape: [1, 32, 32, 3], scales: [1 / 128], zeroPoints: [0] });
  let size = 16;
  let depth = 8;
  let last = activation("stem", [1, size, size, depth], 0.02);
  operators.push({
    builtin: BUILTIN.conv2d,
    inputs: [image, weights("stem/weights", [depth, 3, 3, 3], 0, depth), bias("stem/bias", depth)],
    outputs: [last],
    options: options.conv2d(SAME, 2, RELU),
  });
  for (const [block, [channels, stride]] of (
    [
      [16, 1],
      [32, 2],
      [32, 1],
      [64, 2],
    ] as const
  ).entries()) {
    size /= stride;
    const depthwise = activation(`block${block}/depthwise`, [1, size, size, depth], 0.03);
    operators.push({
      builtin: BUILTIN.depthwiseConv2d,
      inputs: [
        last,
        weights(`block${block}/depthwise/weights`, [1, 3, 3, depth], 3, depth),
        bias(`block${block}/depthwise/bias`, depth),
      ],
      outputs: [depthwise],
      options: options.depthwiseConv2d(SAME, stride, 1, RELU),
    });
    last = activation(`block${block}/pointwise`, [1, size, size, channels], 0.04);
    operators.push({
      builtin: BUILTIN.conv2d,
      inputs: [
        depthwise,
        weights(`block${block}/pointwise/weights`, [channels, 1, 1, depth], 0, channels),
        bias(`block${block}/pointwise/bias`, channels),
      ],
      outputs: [last],
      options: options.conv2d(SAME, 1, RELU),
    });
    depth = channels;
  }
  const pooled = activation("pool", [1, 1, 1, depth], 0.04);
  operators.push({
    builtin: BUILTIN.averagePool2d,
    inputs: [last],
    outputs: [pooled],
    options: options.pool2d(1, 1, size),
  });
  const logits = add({ name: "logits", shape: [1, 10], scales: [0.05], zeroPoints: [0] });
  operators.push({
    builtin: BUILTIN.fullyConnected,
    inputs: [pooled, weights("dense/weights", [10, depth], 0, 1), bias("dense/bias", 10)],
    outputs: [logits],
    options: options.fullyConnected(),
  });
  const scores = add({ name: "scores", shape: [1, 10], scales: [1 / 256], zeroPoints: [-128] });
  operators.push({
    builtin: BUILTIN.softmax,
    inputs: [logits],
    outputs: [scores],
    options: options.softmax(1),
  });
  return writeModel({ tensors, operators, inputs: [image], outputs: [scores] });
}
