import { expect, test } from "vitest";
import { foldPad } from "../../src/passes/fold-pad.ts";
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
