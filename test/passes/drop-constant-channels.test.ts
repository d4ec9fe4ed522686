import { expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { tensorOf } from "../../src/graph/graph.ts";
import { dropConstantChannels } from "../../src/passes/drop-constant-channels.ts";
import { applyExactly, CONVOLUTION, GraphBuilder, int8, noise, operators, perTensor, Q } from "./graphs.ts";

const RELU = 1;
const PADDED = { ...CONVOLUTION, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 };

/** A pointwise convolution to as many channels as `constants` has entries: a number is what its filter, which is empty, gives. */
function expand(builder: GraphBuilder, constants: readonly (number | undefined)[], activation = 0): number {
  const weights = noise(3, 3 * constants.length).map((w, i) =>
    constants[Math.floor(i / 3)] === undefined ? w | 1 : 0,
  );
  // A step of the output is 0.05, one of the sum 0.05 · 0.01.
  const bias = Int32Array.from(constants, (value) => ((value ?? 3) - 3) * 100);
  return builder.node(
    "conv2d",
    [
      builder.input(int8([1, 4, 4, 3])),
      builder.constant(int8([constants.length, 1, 1, 3], perTensor(0.01, 0)), weights),
      builder.constant({ type: "int32", shape: [constants.length] }, new Uint8Array(bias.buffer)),
    ],
    { ...CONVOLUTION, activation },
  );
}

function convolve(builder: GraphBuilder, input: number, outputs: number, attrs = CONVOLUTION): number {
  const [, , , depth = 1] = builder.tensor(input).shape;
  const kernel = attrs === CONVOLUTION ? [1, 1] : [3, 3];
  const scales = Float32Array.from({ length: outputs }, (_, c) => 0.002 + 0.001 * c);
  const quantization = { scales, zeroPoints: new Int32Array(outputs), axis: 0 };
  const weights = builder.constant(int8([outputs, ...kernel, depth], quantization));
  return builder.node("conv2d", [input, weights, -1], attrs);
}

function depthwise(builder: GraphBuilder, input: number, depthMultiplier = 1, attrs = PADDED): number {
  const [, , , depth = 1] = builder.tensor(input).shape;
  const weights = builder.constant(int8([1, 3, 3, depth * depthMultiplier], perTensor(0.003, 0)));
  return builder.node("depthwiseConv2d", [input, weights], { ...attrs, depthMultiplier });
}

/** Channels of the node's output. */
function channels(graph: Graph, node: number): number {
  return tensorOf(graph, graph.nodes[node]?.outputs[0] ?? -1).shape.at(-1) ?? 0;
}

const LIVE = undefined;
const ZERO = 3;

test("an empty filter goes, with its depthwise filter and the next layer's weights for it", () => {
  const builder = new GraphBuilder();
  const carried = depthwise(builder, expand(builder, [LIVE, ZERO, LIVE, ZERO, ZERO, LIVE, LIVE]));
  const result = applyExactly(dropConstantChannels, builder.build(convolve(builder, carried, 5)));
  expect(operators(result)).toEqual(["conv2d", "depthwiseConv2d", "conv2d"]);
  expect([0, 1, 2].map((node) => channels(result, node))).toEqual([4, 4, 5]);
  const shapes = result.nodes.map(({ inputs }) => tensorOf(result, inputs[1] ?? -1).shape);
  expect(shapes).toEqual([
    [4, 1, 1, 3],
    [1, 3, 3, 4],
    [5, 1, 1, 4],
  ]);
});

test("a filter that the clamp never leaves is as good as empty", () => {
  const builder = new GraphBuilder();
  // −20 steps of the output and more below zero, which three products cannot make up for.
  const expanded = expand(builder, [LIVE, LIVE, -2000, -2000], RELU);
  const result = applyExactly(dropConstantChannels, builder.build(convolve(builder, expanded, 3)));
  expect(channels(result, 0)).toBe(2);
});

test("constants other than the zero point go to the next bias, unless padding stands beside them", () => {
  for (const [attrs, left] of [
    [CONVOLUTION, 2],
    [PADDED, 4],
  ] as const) {
    const builder = new GraphBuilder();
    const graph = builder.build(convolve(builder, expand(builder, [LIVE, 40, -70, LIVE]), 6, attrs));
    const result = applyExactly(dropConstantChannels, graph);
    expect(channels(result, 0)).toBe(left);
  }
});

test("beside padding a depthwise filter makes no constant of another than the zero point", () => {
  const left = [ZERO, 50].map((constant) => {
    const builder = new GraphBuilder();
    const carried = depthwise(builder, expand(builder, [LIVE, LIVE, constant, constant]));
    return channels(applyExactly(dropConstantChannels, builder.build(convolve(builder, carried, 2))), 1);
  });
  expect(left).toEqual([2, 4]);
});

test("an even number of channels is left, and some", () => {
  for (const [constants, left] of [
    [[LIVE, ZERO, ZERO, ZERO], 2],
    [[ZERO, ZERO, ZERO, ZERO], 2],
    [[LIVE, LIVE, LIVE, ZERO], 4],
    [[LIVE, ZERO], 2],
  ] as const) {
    const builder = new GraphBuilder();
    const graph = builder.build(convolve(builder, expand(builder, constants), 2));
    expect(channels(applyExactly(dropConstantChannels, graph), 0)).toBe(left);
  }
});

test("through pools and a reshape to a fully connected layer of one scale", () => {
  const builder = new GraphBuilder();
  const expanded = expand(builder, [ZERO, LIVE, -100, LIVE, 90], RELU);
  const pool = { padding: 0, strideY: 2, strideX: 2, kernelHeight: 2, kernelWidth: 2, activation: 0 };
  const less = builder.node("maxPool2d", [expanded], { ...pool, padding: 1, activation: RELU });
  const small = builder.node("averagePool2d", [less], pool);
  const rows = builder.node("reshape", [small], { shape: [1, 5] });
  const weights = builder.constant(int8([3, 5], perTensor(0.01, 0)));
  const scores = builder.node("fullyConnected", [rows, weights, -1], { activation: 0, shape: [1, 3] });
  const result = applyExactly(dropConstantChannels, builder.build(scores));
  expect(result.nodes.map((_, node) => channels(result, node))).toEqual([2, 2, 2, 2, 3]);
});

test.each<[string, (builder: GraphBuilder, expanded: number) => number]>([
  ["an output of the model", (_, expanded) => expanded],
  ["an addition", (builder, expanded) => builder.node("add", [expanded, expanded], { activation: 0 })],
  ["channels multiplied", (builder, expanded) => convolve(builder, depthwise(builder, expanded, 2), 3)],
  [
    "a filter of several groups",
    (builder, expanded) => {
      const weights = builder.constant(int8([4, 1, 1, 2], perTensor(0.01, 0)));
      return builder.node("conv2d", [expanded, weights, -1], CONVOLUTION);
    },
  ],
  [
    "rows cut from several pixels",
    (builder, expanded) => {
      const weights = builder.constant(int8([2, 8], perTensor(0.01, 0)));
      return builder.node("fullyConnected", [expanded, weights, -1], { activation: 0, shape: [8, 2] });
    },
  ],
  [
    "a reshape that mixes channels",
    (builder, expanded) => builder.node("reshape", [expanded], { shape: [1, 4, 8, 2] }, Q),
  ],
])("%s keeps the channels", (_, read) => {
  const builder = new GraphBuilder();
  const expanded = expand(builder, [LIVE, ZERO, LIVE, ZERO]);
  const one = convolve(builder, expanded, 2);
  const graph = builder.build(one, read(builder, expanded));
  expect(applyExactly(dropConstantChannels, graph)).toBe(graph);
});

test("sums that may wrap are no constants", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([1, 2, 2, 1]));
  const bias = Int32Array.of(2 ** 31 - 1, 2 ** 31 - 1, 0, 0);
  const expanded = builder.node(
    "conv2d",
    [
      input,
      builder.constant(int8([4, 1, 1, 1], perTensor(0.01, 0))),
      builder.constant({ type: "int32", shape: [4] }, new Uint8Array(bias.buffer)),
    ],
    CONVOLUTION,
  );
  const graph = builder.build(convolve(builder, expanded, 2));
  expect(dropConstantChannels(graph)).toBe(graph);
});

test("a reshape need not be quantised", () => {
  const builder = new GraphBuilder();
  const expanded = expand(builder, [LIVE, ZERO, LIVE, ZERO]);
  const bare = { scales: new Float32Array(0), zeroPoints: new Int32Array(0), axis: 0 };
  const rows = builder.node("reshape", [expanded], { shape: [16, 4] }, bare);
  const graph = builder.build(builder.node("transpose", [rows], { permutation: [1, 0] }, bare));
  expect(dropConstantChannels(graph)).toBe(graph);
});

test("many constants in many tensors stay, and take no time", () => {
  const builder = new GraphBuilder();
  let last = expand(builder, new Array<number>(3000).fill(ZERO));
  const pool = { padding: 0, strideY: 1, strideX: 1, kernelHeight: 1, kernelWidth: 1, activation: 0 };
  for (let i = 0; i < 100; i++) last = builder.node("maxPool2d", [last], pool);
  const graph = builder.build(convolve(builder, last, 1));
  const start = performance.now();
  expect(dropConstantChannels(graph)).toBe(graph);
  expect(performance.now() - start).toBeLessThan(10_000);
});
