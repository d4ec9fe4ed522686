import fc from "fast-check";
import { expect, test } from "vitest";
import { conv2d } from "../../src/ops/conv2d.ts";
import { convolvedSize } from "../../src/ops/convolution-window.ts";
import { depthwiseConv2d } from "../../src/ops/depthwise-conv2d.ts";
import { foldPad } from "../../src/passes/fold-pad.ts";
import { provedKernels } from "../kernel-harness.ts";
import { buildCase, checkConvolution, operands, tensorsOf } from "../ops/convolution.ts";
import { int8Tensor } from "../ops/node.ts";
import { conv2dReference } from "../reference/conv2d.ts";
import { depthwiseConv2dReference } from "../reference/depthwise-conv2d.ts";
import { applyExactly, CONVOLUTION, GraphBuilder, int8, operators, perTensor } from "./graphs.ts";

const PAD = { before: [0, 1, 2, 0], after: [0, 0, 3, 0] };

function convolution(builder: GraphBuilder, op: string, input: number, padTop = 0): number {
  const attrs = { ...CONVOLUTION, strideX: 2, padTop };
  return op === "conv2d"
    ? builder.node(op, [input, builder.constant(int8([3, 2, 2, 2], perTensor(0.01, 0)))], attrs)
    : builder.node(op, [input, builder.constant(int8([1, 2, 2, 2], perTensor(0.01, 0)))], {
        ...attrs,
        depthMultiplier: 1,
      });
}

test.each(["conv2d", "depthwiseConv2d"])("%s takes over an asymmetric PAD, on top of its own", (op) => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([2, 4, 4, 2]));
  const output = convolution(builder, op, builder.node("pad", [input], PAD), 1);
  const result = applyExactly(foldPad, builder.build(output));
  expect(result.nodes).toMatchObject([
    { op, source: 1, outputs: [output], attrs: { padTop: 2, padLeft: 2, padBottom: 0, padRight: 3 } },
  ]);
  expect(result.nodes[0]?.inputs[0]).toBe(input);
});

test("PADs in a row add up", () => {
  const builder = new GraphBuilder();
  const once = builder.node("pad", [builder.input(int8([1, 3, 3, 2]))], PAD);
  const output = convolution(builder, "conv2d", builder.node("pad", [once], PAD));
  const result = applyExactly(foldPad, builder.build(output));
  expect(result.nodes).toMatchObject([{ attrs: { padTop: 2, padLeft: 4, padBottom: 0, padRight: 6 } }]);
});

test("windows that see nothing but padding", () => {
  const builder = new GraphBuilder();
  const wide = { before: [0, 5, 4, 0], after: [0, 6, 5, 0] };
  const padded = builder.node("pad", [builder.input(int8([1, 1, 2, 2]))], wide);
  expect(operators(applyExactly(foldPad, builder.build(convolution(builder, "conv2d", padded))))).toEqual([
    "conv2d",
  ]);
});

test("every convolution takes the PAD, which stays for other readers and as an output", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([1, 4, 4, 2]));
  const padded = builder.node("pad", [input], PAD);
  const folded = [convolution(builder, "conv2d", padded), convolution(builder, "depthwiseConv2d", padded)];
  const pool = { padding: 1, strideY: 1, strideX: 1, kernelHeight: 2, kernelWidth: 2, activation: 0 };
  const pooled = builder.node("averagePool2d", [padded], pool);
  const result = applyExactly(foldPad, builder.build(...folded, pooled));
  expect(operators(result)).toEqual(["pad", "conv2d", "depthwiseConv2d", "averagePool2d"]);
  expect(result.nodes.map(({ inputs }) => inputs[0])).toEqual([input, input, input, padded]);

  const alone = new GraphBuilder();
  const kept = alone.node("pad", [alone.input(int8([1, 4, 4, 2]))], PAD);
  const both = applyExactly(foldPad, alone.build(convolution(alone, "conv2d", kept), kept));
  expect(operators(both)).toEqual(["pad", "conv2d"]);
});

test.each([
  ["batches", { before: [1, 0, 0, 0], after: [0, 0, 0, 0] }, perTensor(0.05, 3)],
  ["channels", { before: [0, 1, 0, 0], after: [0, 0, 0, 1] }, perTensor(0.05, 3)],
  ["another zero point", PAD, perTensor(0.05, 4)],
  ["another scale", PAD, perTensor(0.06, 3)],
])("PAD of %s stays", (_, attrs, quantization) => {
  const builder = new GraphBuilder();
  const padded = builder.node("pad", [builder.input(int8([1, 4, 4, 1]))], attrs, quantization);
  const [, , , channels = 1] = builder.tensor(padded).shape;
  const weights = builder.constant(int8([1, 1, 1, channels], perTensor(0.01, 0)));
  const graph = builder.build(builder.node("conv2d", [padded, weights], CONVOLUTION));
  expect(applyExactly(foldPad, graph)).toBe(graph);
});

const size = fc.integer({ min: 1, max: 6 });
const padding = fc.integer({ min: 0, max: 7 });
const step = fc.integer({ min: 1, max: 3 });
const padded = fc.record({
  ...{ height: size, width: size, kernelHeight: size, kernelWidth: size },
  ...{ padTop: padding, padLeft: padding, padBottom: padding, padRight: padding },
  ...{ strideY: step, strideX: step, dilationY: step, dilationX: step },
  channels: fc.constantFrom(1, 3, 8, 17),
});

// A file's SAME and VALID know no such padding: it may be uneven, and wider than the window.
for (const kernels of provedKernels()) {
  test.each([
    { op: conv2d, reference: conv2dReference, axis: 0, extra: {} },
    { op: depthwiseConv2d, reference: depthwiseConv2dReference, axis: 3, extra: { depthMultiplier: 1 } },
  ])(`$op.name takes any padding (${kernels.variant})`, ({ op, reference, axis, extra }) => {
    fc.assert(
      fc.property(padded, operands, (drawn, data) => {
        const { height, width, kernelHeight, kernelWidth, channels, ...geometry } = drawn;
        const { padTop, padBottom, padLeft, padRight, strideY, strideX, dilationY, dilationX } = geometry;
        const rows = convolvedSize(height, padTop + padBottom, kernelHeight, strideY, dilationY);
        const columns = convolvedSize(width, padLeft + padRight, kernelWidth, strideX, dilationX);
        fc.pre(rows > 0 && columns > 0);
        const depth = axis === 0 ? 5 : channels;
        const c = buildCase(kernels.variant, data, {
          input: [1, height, width, depth],
          weights:
            axis === 0 ? [channels, kernelHeight, kernelWidth, depth] : [1, kernelHeight, kernelWidth, depth],
          output: [1, rows, columns, channels],
          channels,
          terms: kernelHeight * kernelWidth * (axis === 0 ? depth : 1),
        });
        const attrs = { ...geometry, activation: c.activation, ...extra };
        const outputs = [int8Tensor("output", c.output)];
        const node = { name: "output", attrs, inputs: tensorsOf(c, axis), outputs };
        const expected = reference(c.input, c.weights, c.bias, c.output, attrs);
        checkConvolution(kernels, op, node, c.input, expected, 1);
      }),
      { numRuns: 150 },
    );
  });
}
