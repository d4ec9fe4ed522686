import fc from "fast-check";
import { expect, test } from "vitest";
import { tensorOf } from "../../src/graph/graph.ts";
import { load } from "../../src/index.ts";
import { foldConstants } from "../../src/passes/fold-constants.ts";
import { arrayOf } from "../../src/plan/arrays.ts";
import type { WrittenTensor } from "../model-writer.ts";
import { BUILTIN, options, writeModel } from "../model-writer.ts";
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

/** CONCATENATION of an input with `given` converted to `to`, which is a constant of the model or another input. */
function converted(builtin: number, given: WrittenTensor, to: Partial<WrittenTensor>): Uint8Array {
  const { shape } = given;
  const whole = [2 * (shape[0] ?? 1)];
  return writeModel({
    tensors: [
      given,
      { name: "converted", type: "float32", ...to, shape },
      { name: "input", type: "float32", ...to, shape },
      { name: "output", type: "float32", ...to, shape: whole },
    ],
    operators: [
      { builtin, inputs: [0], outputs: [1] },
      { builtin: BUILTIN.concatenation, inputs: [1, 2], outputs: [3], options: options.concatenation(0) },
    ],
    inputs: given.data === undefined ? [0, 2] : [2],
    outputs: [3],
  });
}

const QUANTIZED = {
  int8: { type: "int8", scales: [0.05], zeroPoints: [-7] },
  uint8: { type: "uint8", scales: [0.02], zeroPoints: [130] },
  int16: { type: "int16", scales: [0.0007], zeroPoints: [0] },
  int32: { type: "int32", scales: [0.003], zeroPoints: [7] },
} as const;
const REALS = Float32Array.of(0, 1.5, -1.5, 0.025, -0.075, 3, -3, 1e6, -1e6, 2.37);
const WHOLE = {
  int8: Int8Array.of(-128, 127, 0, -7, 3),
  uint8: Uint8Array.of(0, 255, 130, 129, 200),
  int16: Int16Array.of(-32768, 32767, 0, 1, -9999),
  int32: Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 5, -70000),
} as const;
const TYPES = ["int8", "uint8", "int16", "int32"] as const;
type Constant = Float32Array | (typeof WHOLE)[keyof typeof WHOLE];
const CONVERSIONS: readonly (readonly [
  string,
  number,
  Constant,
  Partial<WrittenTensor>,
  Partial<WrittenTensor>,
])[] = TYPES.flatMap(
  (type) =>
    [
      [`float32 to ${type}`, BUILTIN.quantize, REALS, { type: "float32" }, QUANTIZED[type]],
      [`${type} to float32`, BUILTIN.dequantize, WHOLE[type], QUANTIZED[type], { type: "float32" }],
      ...TYPES.map(
        (to) =>
          [
            `${type} to ${to}`,
            BUILTIN.quantize,
            WHOLE[type],
            QUANTIZED[type],
            { ...QUANTIZED[to], scales: [0.011] },
          ] as const,
      ),
    ] as const,
);

test.each(CONVERSIONS)(
  "folds constants of %s to what the kernels give",
  async (_, builtin, data, from, to) => {
    const given = { name: "given", type: "float32", ...from, shape: [data.length] } as const;
    const folded = await load(converted(builtin, { ...given, data }, to), { guard: true });
    const computed = await load(converted(builtin, given, to), { passes: [], guard: true });
    const rest = arrayOf(folded.inputs[0]?.type ?? "float32", data.length);
    expect([folded.run(rest)]).toEqual(computed.run([data, rest]));
  },
);
