import fc from "fast-check";
import type { Activation, FloatModel, FloatNode, FloatTensor } from "../../src/index.ts";
import { elementCount } from "../../src/plan/shape.ts";

/** Numbers about 0 that follow from a seed. */
export function noise(seed: number, length: number, spread = 1): Float32Array {
  let state = seed | 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (spread * (state >> 8)) / 2 ** 23;
  });
}

function tensor(seed: number, ...shape: readonly number[]): FloatTensor {
  const length = elementCount(shape);
  return { shape, data: noise(seed, length) };
}

/** Small networks with every operator that can be quantised. */
export function floatModel(): fc.Arbitrary<FloatModel> {
  const activation = fc.constantFrom<Activation>("none", "relu", "relu6", "reluN1To1");
  return fc
    .record({
      height: fc.integer({ min: 3, max: 8 }),
      width: fc.integer({ min: 3, max: 8 }),
      depth: fc.integer({ min: 1, max: 5 }),
      channels: fc.integer({ min: 1, max: 6 }),
      multiplier: fc.integer({ min: 1, max: 2 }),
      stride: fc.integer({ min: 1, max: 2 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      padding: fc.constantFrom("same" as const, "valid" as const),
      activation,
      keepDims: fc.boolean(),
      seed: fc.nat(),
    })
    .map(
      ({
        height,
        width,
        depth,
        channels,
        multiplier,
        stride,
        dilation,
        padding,
        activation,
        keepDims,
        seed,
      }) => {
        const wide = channels * multiplier;
        const nodes: FloatNode[] = [
          {
            op: "conv2d",
            name: "conv",
            input: "in",
            weights: tensor(seed, channels, 3, 3, depth),
            bias: noise(seed + 1, channels),
            padding: "same",
            strideY: stride,
            strideX: 3 - stride,
            dilationY: dilation,
            activation,
          },
          {
            op: "depthwiseConv2d",
            name: "depthwise",
            input: "conv",
            weights: tensor(seed + 2, 1, 2, 1, wide),
            padding: height < 4 ? "same" : padding,
          },
          { op: "add", name: "sum", inputs: ["depthwise", tensor(seed + 3, wide)], activation },
          { op: "mul", name: "product", inputs: ["sum", "depthwise"] },
          {
            op: "pad",
            name: "padded",
            input: "product",
            paddings: [
              [0, 0],
              [1, 0],
              [0, 2],
              [0, 0],
            ],
          },
          {
            op: "maxPool2d",
            name: "most",
            input: "padded",
            kernelHeight: 2,
            kernelWidth: 1,
            padding,
            strideX: stride,
          },
          {
            op: "averagePool2d",
            name: "average",
            input: "padded",
            kernelHeight: 2,
            kernelWidth: 3,
            padding: "same",
          },
          { op: "mean", name: "mean", input: "average", axes: [1, -2], keepDims },
          { op: "reshape", name: "vector", input: "mean", shape: [1, -1] },
          {
            op: "fullyConnected",
            name: "logits",
            input: "vector",
            weights: tensor(seed + 4, 4, wide),
            bias: noise(seed + 5, 4),
          },
          { op: "softmax", name: "scores", input: "logits" },
        ];
        return {
          inputs: [{ name: "in", shape: [1, height, width, depth] }],
          nodes,
          outputs: ["scores", "logits", "most"],
        };
      },
    );
}

/** Samples of the model's input. */
export function samplesOf({ inputs }: FloatModel, count: number): Float32Array[] {
  const length = (inputs[0]?.shape ?? []).reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, i) => noise(97 * i + 5, length));
}
