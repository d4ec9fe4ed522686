import { expect, test } from "vitest";
import { tensorOf } from "../../src/graph/graph.ts";
import { depthwiseToConvolution } from "../../src/passes/depthwise-to-convolution.ts";
import { applyExactly, CONVOLUTION, GraphBuilder, int8, perTensor } from "./graphs.ts";

const PER_CHANNEL = { scales: Float32Array.of(0.01, 0.02, 0.005), zeroPoints: new Int32Array(3), axis: 3 };

test.each([
  ["per channel", PER_CHANNEL],
  ["per tensor", perTensor(0.01, 0)],
])("one channel, weights quantised %s", (_, quantization) => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([1, 5, 4, 1]));
  const weights = builder.constant(int8([1, 2, 3, 3], quantization));
  const bias = builder.constant(
    { type: "int32", shape: [3] },
    Uint8Array.of(9, 0, 0, 0, 0, 1, 0, 0, 7, 255, 255, 255),
  );
  const attrs = { ...CONVOLUTION, padTop: 1, padRight: 2, dilationX: 1, strideY: 2, activation: 1 };
  const output = builder.node("depthwiseConv2d", [input, weights, bias], { ...attrs, depthMultiplier: 3 });
  const result = applyExactly(depthwiseToConvolution, builder.build(output));
  const [node] = result.nodes;
  expect(node).toMatchObject({ op: "conv2d", source: 0, outputs: [output] });
  expect(node?.attrs).toEqual(attrs);
  expect([node?.inputs[0], node?.inputs[2]]).toEqual([input, bias]);
  const transposed = tensorOf(result, node?.inputs[1] ?? -1);
  expect(transposed.shape).toEqual([3, 2, 3, 1]);
  expect(transposed.quantization).toEqual({ ...quantization, axis: 0 });
  expect(result.tensors).toHaveLength(5);
});

test("more channels stay depthwise", () => {
  const builder = new GraphBuilder();
  const weights = builder.constant(int8([1, 2, 2, 2], perTensor(0.01, 0)));
  const attrs = { ...CONVOLUTION, depthMultiplier: 1 };
  const graph = builder.build(
    builder.node("depthwiseConv2d", [builder.input(int8([1, 3, 3, 2])), weights], attrs),
  );
  expect(depthwiseToConvolution(graph)).toBe(graph);
});
