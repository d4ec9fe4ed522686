import fc from "fast-check";
import { expect, test } from "vitest";
import { sigmoidTable } from "../../src/ops/sigmoid-table.ts";
import { footprint } from "../../src/plan/footprint.ts";
import { provedKernels } from "../kernel-harness.ts";
import { FUNCTIONS, preluInt16Reference } from "../reference/int16.ts";
import { sigmoidReference, tanhReference } from "../reference/sigmoid-table.ts";
import { broadcastAt, coordinates, count } from "../reference/tensor.ts";
import { int16Values, operand, result, scale, size } from "./int16.ts";
import { int8Values } from "./node.ts";
import { checkOperator } from "./operator.ts";

const CODES: Readonly<Record<string, number>> = {
  relu: 19,
  relu6: 21,
  abs: 101,
  leakyRelu: 98,
  logistic: 14,
  tanh: 28,
};

const cases = fc.record({
  shape: fc.array(size, { minLength: 1, maxLength: 4 }),
  // Powers of two are special to the table's functions.
  si: fc.oneof(
    scale,
    fc.integer({ min: -15, max: -7 }).map((power) => 2 ** power),
  ),
  spread: fc.double({ min: -1, max: 1, noNaN: true }),
  isSame: fc.boolean(),
  alpha: fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround),
  seed: fc.nat(),
});

test.each(Object.entries(FUNCTIONS))("%s of int16 equals the reference", async (name, of) => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape, si, spread, isSame, alpha, seed }) => {
      const isTable = name === "logistic" || name === "tanh";
      const so = isTable ? 2 ** -15 : isSame ? si : Math.fround(si * 10 ** spread);
      const values = int16Values(seed, count(shape));
      await checkOperator({
        builtin: CODES[name] ?? NaN,
        options: name === "leakyRelu" ? [{ float: alpha }] : [],
        operands: [operand(shape, si, values)],
        outputs: [
          result(
            shape,
            so,
            [...values].map((q) => of(q, { si, so, alpha })),
          ),
        ],
      });
    }),
    { numRuns: 30 },
  );
});

test("prelu of int16 equals the reference, with slopes of int8 and of int16", async () => {
  const drawn = fc.record({
    shape: fc.array(size, { minLength: 1, maxLength: 4 }),
    repeats: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    scales: fc.tuple(scale, scale),
    isInt8: fc.boolean(),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ shape, repeats, scales: [si, so], isInt8, seed }) => {
      const slopeShape = shape.map((n, i) => (repeats[i] === true ? 1 : n));
      const slopes = isInt8
        ? { shape: slopeShape, scale: 0.01, zeroPoint: -5, values: int8Values(seed + 1, count(slopeShape)) }
        : {
            shape: slopeShape,
            scale: 2 ** -14,
            zeroPoint: 0,
            values: int16Values(seed + 1, count(slopeShape)),
          };
      const values = int16Values(seed, count(shape));
      const each = values.map((_, i) => broadcastAt(slopes, coordinates(shape, i)));
      const expected = preluInt16Reference(
        { shape, scale: si, zeroPoint: 0, values },
        { ...slopes, values: each },
        so,
      );
      await checkOperator({
        builtin: 54,
        operands: [
          operand(shape, si, values),
          {
            shape: slopeShape,
            type: isInt8 ? "int8" : "int16",
            scales: [slopes.scale],
            zeroPoints: [slopes.zeroPoint],
            values: slopes.values,
            isConstant: true,
          },
        ],
        outputs: [result(shape, so, expected)],
      });
    }),
    { numRuns: 30 },
  );
});

test("the references give the values that the functions have", () => {
  const sides = { si: 2 ** -12, so: 2 ** -12, alpha: 0.5 };
  const at = (name: string, q: number): number => FUNCTIONS[name]?.(q, sides) ?? NaN;
  expect([at("relu", -9), at("relu", 9), at("abs", -9), at("relu6", 30000)]).toEqual([0, 9, 9, 24576]);
  expect([at("leakyRelu", -32), at("leakyRelu", 32)]).toEqual([-16, 32]);
  // 2^15 · σ(1) and 2^15 · tanh(1), interpolated.
  expect(Math.abs(at("logistic", 4096) - 2 ** 15 / (1 + Math.exp(-1)))).toBeLessThan(4);
  expect(Math.abs(at("tanh", 4096) - 2 ** 15 * Math.tanh(1))).toBeLessThan(8);
});

test.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "arguments that no model has stay within the table (%s)",
  (variant, kernels) => {
    kernels.reset();
    const weights = kernels.placeBytes(new Uint8Array(sigmoidTable().buffer));
    const [input, output] = [kernels.allocate(2), kernels.allocate(2)];
    // -2^31 has no magnitude.
    for (const [x, multiplier] of [
      [-32768, 65536],
      [-32768, 65535],
      [32767, 65536],
      [32767, 4],
      [-32768, 4],
    ] as const) {
      for (const [isTanh, of] of [sigmoidReference, tanhReference].entries()) {
        const record = {
          ...{ op: "sigmoidInt16" as const, input, output, weights },
          ...{ length: 1, multiplier, shift: 0, isTanh },
        };
        expect(() => footprint({ ...record, index: 0 }, variant)).not.toThrow();
        kernels.bytes.set(new Uint8Array(Int16Array.of(x).buffer), input);
        kernels.execute(record);
        const [made] = new Int16Array(kernels.bytes.slice(output, output + 2).buffer);
        expect(made).toBe(of(Math.imul(x, multiplier)));
      }
    }
  },
);
