import fc from "fast-check";
import { expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { tensorOf } from "../../src/graph/graph.ts";
import type { ConvolutionAttrs } from "../../src/ops/convolution.ts";
import { convolvedSize } from "../../src/ops/convolution-window.ts";
import { trimKernels } from "../../src/passes/trim-kernels.ts";
import { applyExactly, CONVOLUTION, GraphBuilder, int8 } from "./graphs.ts";

interface Window {
  readonly input: readonly [height: number, width: number];
  readonly kernel: readonly [height: number, width: number];
  readonly attrs?: Partial<ConvolutionAttrs>;
}

function convolution(op: string, { input: [height, width], kernel, attrs }: Window): Graph {
  const builder = new GraphBuilder();
  const input = builder.input(int8([1, height, width, 3]));
  const isDepthwise = op === "depthwiseConv2d";
  const scales = isDepthwise ? [0.01, 0.02, 0.03] : [0.01, 0.02];
  const quantization = {
    scales: Float32Array.from(scales),
    zeroPoints: new Int32Array(scales.length),
    axis: isDepthwise ? 3 : 0,
  };
  const weights = builder.constant(int8([isDepthwise ? 1 : 2, ...kernel, 3], quantization));
  const biases = new Uint8Array(Int32Array.from(scales, (_, c) => 500 * c - 300).buffer);
  const bias = builder.constant({ type: "int32", shape: [scales.length] }, biases);
  const extra = isDepthwise ? { depthMultiplier: 1 } : {};
  return builder.build(builder.node(op, [input, weights, bias], { ...CONVOLUTION, ...attrs, ...extra }));
}

function all(padding: number): Partial<ConvolutionAttrs> {
  return { padTop: padding, padLeft: padding, padBottom: padding, padRight: padding };
}

/** Kernel, and padding at the top, left, bottom and right, of the only convolution. */
function windowOf(graph: Graph): readonly number[] {
  const [node] = graph.nodes;
  const [, height = 0, width = 0] = tensorOf(graph, node?.inputs[1] ?? -1).shape;
  const { padTop, padLeft, padBottom, padRight } = node?.attrs as ConvolutionAttrs;
  return [height, width, padTop, padLeft, padBottom, padRight];
}

test.each(["conv2d", "depthwiseConv2d"])("%s loses the taps that meet nothing but padding", (op) => {
  const trimmed = (window: Window): readonly number[] =>
    windowOf(applyExactly(trimKernels, convolution(op, window)));
  expect(trimmed({ input: [3, 3], kernel: [7, 7], attrs: all(3) })).toEqual([5, 5, 2, 2, 2, 2]);
  expect(trimmed({ input: [1, 1], kernel: [3, 3], attrs: all(1) })).toEqual([1, 1, 0, 0, 0, 0]);
  expect(trimmed({ input: [1, 4], kernel: [3, 3], attrs: all(1) })).toEqual([1, 3, 0, 1, 0, 1]);
  // At stride 2 the window over four columns begins twice: the last tap is never inside.
  const halved = { ...all(1), strideX: 2, padLeft: 0 };
  expect(trimmed({ input: [4, 3], kernel: [3, 4], attrs: halved })).toEqual([3, 3, 1, 0, 1, 0]);
  const dilated = { ...all(4), dilationY: 4, dilationX: 4 };
  expect(trimmed({ input: [3, 5], kernel: [3, 3], attrs: dilated })).toEqual([1, 3, 0, 4, 0, 4]);
});

test.each(["conv2d", "depthwiseConv2d"])("%s whose outer taps meet something stays", (op) => {
  for (const window of [
    { input: [4, 4], kernel: [7, 7], attrs: all(3) },
    { input: [1, 1], kernel: [1, 1] },
    // Beyond the input altogether: no tap is worth more than another.
    { input: [1, 1], kernel: [2, 2], attrs: { padTop: 2, padLeft: 2, strideY: 9, strideX: 9 } },
    // The first tap is beside the input, before which no padding would be left.
    {
      input: [5, 5],
      kernel: [2, 2],
      attrs: { ...all(1), padBottom: 0, padRight: 0, strideY: 9, strideX: 9, dilationY: 3, dilationX: 3 },
    },
  ] as const) {
    const graph = convolution(op, window);
    expect(applyExactly(trimKernels, graph)).toBe(graph);
  }
});

test("any window", () => {
  const size = fc.integer({ min: 1, max: 6 });
  const padding = fc.integer({ min: 0, max: 8 });
  const step = fc.integer({ min: 1, max: 4 });
  const drawn = fc.record({
    ...{ height: size, width: size, kernelHeight: size, kernelWidth: size },
    ...{ padTop: padding, padLeft: padding, padBottom: padding, padRight: padding },
    ...{ strideY: step, strideX: step, dilationY: step, dilationX: step },
    op: fc.constantFrom("conv2d", "depthwiseConv2d"),
  });
  let trimmed = 0;
  fc.assert(
    fc.property(drawn, ({ op, height, width, kernelHeight, kernelWidth, ...attrs }) => {
      const { padTop, padBottom, padLeft, padRight, strideY, strideX, dilationY, dilationX } = attrs;
      const rows = convolvedSize(height, padTop + padBottom, kernelHeight, strideY, dilationY);
      const columns = convolvedSize(width, padLeft + padRight, kernelWidth, strideX, dilationX);
      fc.pre(rows > 0 && columns > 0);
      const window: Window = { input: [height, width], kernel: [kernelHeight, kernelWidth], attrs };
      const graph = convolution(op, window);
      const result = applyExactly(trimKernels, graph);
      if (result !== graph) trimmed++;
      expect(trimKernels(result)).toBe(result);
      // Of what is left with a stride and a dilation of one the outer taps meet the input.
      if (strideY !== 1 || dilationY !== 1) return;
      const [kernel = 0, , top = 0] = windowOf(result);
      const meets = (tap: number): boolean => tap - top < height && tap - top + rows - 1 >= 0;
      const met = Array.from({ length: kernelHeight }, (_, tap) => tap - padTop).filter(
        (at) => at < height && at + rows - 1 >= 0,
      );
      if (met.length > 0) expect([meets(0), meets(kernel - 1)]).toEqual([true, true]);
    }),
    { numRuns: 400 },
  );
  expect(trimmed).toBeGreaterThan(100);
});
