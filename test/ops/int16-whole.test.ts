import fc from "fast-check";
import { expect, test } from "vitest";
import { clampTo } from "../reference/fixed-point.ts";
import {
  bounds16,
  clamp16,
  multiplyWide,
  softmaxInt16Reference,
  sumOrMeanInt16Reference,
} from "../reference/int16.ts";
import { softmaxToInt16Reference } from "../reference/softmax.ts";
import { coordinates, count } from "../reference/tensor.ts";
import { matrixSums, transposeConvSums } from "../reference/whole.ts";
import { zeroPoint } from "./elementwise.ts";
import { biasOperand, int16Values, int32, operand, result, scale, size } from "./int16.ts";
import { int8Values } from "./node.ts";
import type { OperatorCase } from "./operator.ts";
import { checkOperator } from "./operator.ts";

const f = Math.fround;

async function holds<T>(
  drawn: fc.Arbitrary<T>,
  caseOf: (drawn: T) => OperatorCase,
  numRuns = 20,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(drawn, (value) => checkOperator(caseOf(value))),
    { numRuns },
  );
}

test.each([
  ["sum", 74],
  ["mean", 40],
])("%s of int16 equals the reference", async (name, builtin) => {
  const zero = fc.oneof(fc.constant(0), fc.constantFrom(-32768, 32767), fc.integer({ min: -999, max: 999 }));
  const cases = fc.record({
    axes: fc.array(fc.tuple(size, fc.boolean()), { minLength: 1, maxLength: 5 }),
    leading: fc.boolean(),
    keeps: fc.boolean(),
    scale,
    spread: fc.double({ min: -1.5, max: 1.5, noNaN: true }),
    zeroPoints: fc.tuple(zero, zero),
    seed: fc.nat(),
  });
  await holds(
    cases,
    ({ axes: drawn, leading, keeps, scale, spread, zeroPoints, seed }) => {
      // A leading 1 lets it run in rows, where its input comes so.
      const dimensions = leading ? [[1, false] as const, ...drawn] : drawn;
      const shape = dimensions.map(([n]) => n);
      const chosen = dimensions.flatMap(([, reduces], axis) => (reduces ? [axis] : []));
      const axes = chosen.length > 0 ? chosen : [shape.length - 1];
      const made = {
        shape: shape.flatMap((n, axis) => (axes.includes(axis) ? (keeps ? [1] : []) : [n])),
        scale: f(scale * 10 ** spread),
        zeroPoint: zeroPoints[1],
      };
      const input = { shape, scale, zeroPoint: zeroPoints[0], values: int16Values(seed, count(shape)) };
      return {
        builtin,
        options: [{ bool: keeps }],
        operands: [operand(shape, scale, input.values, false, input.zeroPoint), int32(axes)],
        outputs: [
          result(
            made.shape,
            made.scale,
            sumOrMeanInt16Reference(input, axes, made, name === "mean"),
            made.zeroPoint,
          ),
        ],
        streamed: true,
      };
    },
    50,
  );
});

const logits = fc.record({
  shape: fc.oneof(
    fc.array(size, { minLength: 1, maxLength: 4 }),
    fc.tuple(size, fc.integer({ min: 20, max: 300 })),
  ),
  beta: fc.double({ min: -1, max: 1, noNaN: true }).map((power) => f(10 ** power)),
  power: fc.double({ min: 0, max: 1, noNaN: true }),
  zeroPoint,
  seed: fc.nat(),
});

test("softmax of int16 equals the reference", async () => {
  await holds(logits, ({ shape, beta, power, zeroPoint, seed }) => {
    // Ranges of 0.3 to 3 · 10^1, of which the table covers 10.
    const scale = f(10 ** (-5.3 + 2 * power) / beta);
    const values = int16Values(seed, count(shape));
    return {
      builtin: 25,
      options: [{ float: beta }],
      operands: [operand(shape, scale, values, false, zeroPoint)],
      outputs: [result(shape, 2 ** -15, softmaxInt16Reference({ shape, scale, zeroPoint, values }, beta))],
    };
  });
});

test("softmax of int8 to int16 equals the reference", async () => {
  await holds(logits, ({ shape, beta, power, zeroPoint, seed }) => {
    const input = {
      shape,
      scale: f(10 ** (-3 + 3 * power)),
      zeroPoint,
      values: int8Values(seed, count(shape)),
    };
    return {
      builtin: 25,
      options: [{ float: beta }],
      operands: [
        { shape, type: "int8", scales: [input.scale], zeroPoints: [zeroPoint], values: input.values },
      ],
      outputs: [result(shape, 2 ** -16, softmaxToInt16Reference(input, beta), -32768)],
    };
  });
});

test("batchMatmul of int16 equals the reference", async () => {
  const cases = fc.record({
    batches: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean()), { maxLength: 3 }),
    sizes: fc.tuple(size, fc.integer({ min: 1, max: 20 }), size),
    transposes: fc.tuple(fc.boolean(), fc.boolean()),
    isConstant: fc.boolean(),
    // Just below a power of two a multiplier has no 16 bits of its own.
    isNearPower: fc.boolean(),
    seed: fc.nat(),
  });
  await holds(
    cases,
    ({ batches, sizes: [rows, depth, columns], transposes, isConstant, isNearPower, seed }) => {
      const [transposeLhs, transposeRhs] = transposes;
      const matrix = (shape: number[], seed: number): Parameters<typeof matrixSums>[0] => ({
        shape,
        scale: f(1e-4),
        zeroPoint: 0,
        values: int16Values(seed, count(shape)),
      });
      const lhsBatch = batches.map(([n, repeats]) => (repeats ? 1 : n));
      const rhsBatch = batches.map(([n, , repeats]) => (repeats ? 1 : n));
      const lhs = matrix([...lhsBatch, ...(transposeLhs ? [depth, rows] : [rows, depth])], seed);
      const rhs = matrix([...rhsBatch, ...(transposeRhs ? [columns, depth] : [depth, columns])], seed + 1);
      const shape = [...lhsBatch.map((n, i) => Math.max(n, rhsBatch[i] ?? 1)), rows, columns];
      const product = f(lhs.scale * rhs.scale);
      const made = {
        shape,
        scale: f(isNearPower ? product * 2 ** 14 * 1.00001 : 2e-4 * Math.sqrt(depth)),
        zeroPoint: 0,
      };
      const real = product / made.scale;
      const sums = matrixSums(lhs, rhs, transposeLhs, transposeRhs, made);
      return {
        builtin: 126,
        options: [{ bool: transposeLhs }, { bool: transposeRhs }],
        operands: [
          operand(lhs.shape, lhs.scale, Int16Array.from(lhs.values)),
          operand(rhs.shape, rhs.scale, Int16Array.from(rhs.values), isConstant),
        ],
        outputs: [
          result(
            shape,
            made.scale,
            sums.map((sum) => clamp16(multiplyWide(BigInt(sum), real))),
          ),
        ],
      };
    },
  );
});

test("transposeConv of int16 equals the reference", async () => {
  const cases = fc.record({
    input: fc.tuple(fc.constantFrom(1, 1, 2), size, size, fc.integer({ min: 1, max: 9 })),
    kernel: fc.tuple(size, size),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    // Outputs of any size are accepted, not only the multiples of the input's.
    grown: fc.tuple(fc.integer({ min: -2, max: 3 }), fc.integer({ min: -2, max: 3 })),
    channels: fc.integer({ min: 1, max: 7 }),
    same: fc.boolean(),
    activation: fc.integer({ min: 0, max: 3 }),
    bias: fc.constantFrom<"int64" | "int16" | undefined>("int64", "int16", undefined),
    isPerChannel: fc.boolean(),
    seed: fc.nat(),
  });
  await holds(cases, ({ input: [batches, height, width, depth], kernel, strides, grown, channels, ...c }) => {
    const [strideY, strideX] = strides;
    const shape = [
      batches,
      Math.max(height * strideY + grown[0], 1),
      Math.max(width * strideX + grown[1], 1),
      channels,
    ];
    const values = int16Values(c.seed, batches * height * width * depth);
    const input = { shape: [batches, height, width, depth], scale: f(2e-4), zeroPoint: 0, values };
    const weights = {
      shape: [channels, ...kernel, depth],
      scales: Array.from({ length: c.isPerChannel ? channels : 1 }, (_, i) => f(0.004 + 0.001 * i)),
      values: int8Values(c.seed + 1, channels * count(kernel) * depth).map((w) => Math.max(w, -127)),
    };
    const made = { shape, scale: f(3e-4 * Math.sqrt(depth)), zeroPoint: 0 };
    const bias = BigInt64Array.from({ length: channels }, (_, i) =>
      c.bias === undefined ? 0n : BigInt(i * 4_001 - 9_000) * (c.bias === "int64" ? 1_000_000n : 1n),
    );
    const sums = transposeConvSums(input, weights, made, {
      strideY,
      strideX,
      same: c.same,
      activation: c.activation,
    });
    const expected = Array.from(sums, (sum, i) => {
      const o = i % channels;
      const real = (input.scale * (weights.scales[o] ?? weights.scales[0] ?? NaN)) / made.scale;
      const value = multiplyWide(BigInt(sum) + (bias[o] ?? 0n), real);
      return clampTo(value, bounds16(c.activation, made.scale));
    });
    return {
      builtin: 67,
      options: [{ byte: c.same ? 0 : 1 }, { int: strideX }, { int: strideY }, { byte: c.activation }],
      operands: [
        int32(shape),
        { ...weights, type: "int8", zeroPoints: weights.scales.map(() => 0), axis: 0, isConstant: true },
        operand(input.shape, input.scale, values),
        ...biasOperand(c.bias, bias),
      ],
      outputs: [result(shape, made.scale, expected)],
    };
  });
});

test("pad of int16 fills with 0, whatever the zero point", async () => {
  const axis = fc.tuple(size, fc.nat(2), fc.nat(2));
  const cases = fc.tuple(fc.array(axis, { minLength: 1, maxLength: 4 }), zeroPoint, fc.nat());
  await holds(cases, ([axes, zeroPoint, seed]) => {
    const from = axes.map(([n]) => n);
    const shape = axes.map(([n, before, after]) => before + n + after);
    const values = int16Values(seed, count(from));
    const expected = Array.from({ length: count(shape) }, (_, i) => {
      const at = coordinates(shape, i).map((index, axis) => index - (axes[axis]?.[1] ?? 0));
      if (at.some((index, axis) => index < 0 || index >= (from[axis] ?? 0))) return 0;
      return values[at.reduce((sum, index, axis) => sum * (from[axis] ?? 1) + index, 0)] ?? NaN;
    });
    const paddings = axes.flatMap(([, before, after]) => [before, after]);
    return {
      builtin: 34,
      operands: [
        operand(from, 0.01, values, false, zeroPoint),
        { ...int32(paddings), shape: [axes.length, 2] },
      ],
      outputs: [result(shape, 0.01, expected, zeroPoint)],
    };
  });
});

test("the references give the values that the formulas give by hand", () => {
  const of = (values: number[], scale: number): Int16Array =>
    softmaxInt16Reference(
      { shape: [values.length], scale, zeroPoint: 0, values: Int16Array.from(values) },
      1,
    );
  // Two equal logits share 2^15; one by itself has all, as far as int16 goes.
  expect([...of([5, 5], 0.001)]).toEqual([16384, 16384]);
  expect([...of([5], 0.001)]).toEqual([32767]);
  const input = { shape: [2, 2], scale: 1, zeroPoint: 100, values: Int16Array.of(101, 103, 32767, -32768) };
  const made = { shape: [2], scale: 1, zeroPoint: 7 };
  expect([...sumOrMeanInt16Reference(input, [1], made, false)]).toEqual([11, -194]);
  // 4 / 2, and −201 / 2, whose half goes up in the high product.
  expect([...sumOrMeanInt16Reference(input, [1], made, true)]).toEqual([9, -93]);
});
