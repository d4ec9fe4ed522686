import fc from "fast-check";
import { expect, test } from "vitest";
import { tensorOf } from "../../src/graph/graph.ts";
import { foldConstants } from "../../src/passes/fold-constants.ts";
import { applyExactly, float32, GraphBuilder, int8, operators, perTensor } from "./graphs.ts";

const SUM = { activation: 0 };

test("a chain over a constant becomes a constant under the last id", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([3, 2]));
  const constant = builder.constant(int8([6]), Uint8Array.of(0, 1, 2, 3, 4, 5));
  const shaped = builder.node("reshape", [constant], { shape: [2, 3] });
  const transposed = builder.node("transpose", [shaped], { permutation: [1, 0] });
  const result = applyExactly(foldConstants, builder.build(builder.node("add", [input, transposed], SUM)));
  expect(operators(result)).toEqual(["add"]);
  expect(tensorOf(result, transposed).data).toEqual(Uint8Array.of(0, 3, 1, 4, 2, 5));
});

test("conversions of constants round as the references do", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.constantFrom(0.5, -0.5, 1.5, -1.5, 126.5, -127.5, 1e9, -1e9), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.integer({ min: -128, max: 127 }),
      fc.constantFrom(1, 0.05, 2 ** -9, 3),
      (reals, halves, zeroPoint, scale) => {
        const scale32 = Math.fround(scale);
        const values = Float32Array.of(...reals, ...halves.map((half) => half * scale32));
        const builder = new GraphBuilder();
        const shape = [values.length];
        const constant = builder.constant(float32(shape), new Uint8Array(values.buffer));
        const first = builder.node("quantize", [constant], undefined, perTensor(scale32, zeroPoint));
        const real = builder.node("dequantize", [first]);
        const second = builder.node("quantize", [real], undefined, perTensor(0.07, -5));
        const third = builder.node("quantize", [first], undefined, perTensor(0.3, 9));
        const sums = [first, second, third].map((id) =>
          builder.node("add", [builder.input(int8(shape)), id], SUM),
        );
        const result = applyExactly(foldConstants, builder.build(...sums));
        expect(operators(result)).toEqual(["add", "add", "add"]);
      },
    ),
  );
});

test("NaN becomes the zero point and infinities saturate, as in the kernel", () => {
  const builder = new GraphBuilder();
  const values = new Uint8Array(Float32Array.of(NaN, Infinity, -Infinity).buffer);
  const constant = builder.constant(float32([3]), values);
  const quantized = builder.node("quantize", [constant], undefined, perTensor(0.5, 7));
  const graph = builder.build(builder.node("add", [builder.input(int8([3])), quantized], SUM));
  const { data } = tensorOf(foldConstants(graph), quantized);
  expect([...new Int8Array(data ?? [])]).toEqual([7, 127, -128]);
});

test("what is an output, and what would take arithmetic, stays", () => {
  const builder = new GraphBuilder();
  builder.input(int8([1]));
  const constant = builder.constant(int8([2, 2]));
  const sum = builder.node("add", [constant, constant], SUM);
  const graph = builder.build(builder.node("transpose", [constant], { permutation: [1, 0] }), sum);
  expect(applyExactly(foldConstants, graph)).toBe(graph);
});
