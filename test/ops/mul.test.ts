import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mul } from "../../src/ops/mul.ts";
import { provedKernels } from "../kernel-harness.ts";
import { mulReference } from "../reference/mul.ts";
import type { Int8Output } from "../reference/tensor.ts";
import { checkElementwise, elementwiseCase, zeroPoint } from "./elementwise.ts";
import { importNode, int8Tensor, int8Values } from "./node.ts";

const plain = (shape: number[], scale = 0.5, zeroPoint = 0): Int8Output => ({ shape, scale, zeroPoint });

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "mul (%s)",
  (_, kernels) => {
    test("equals the reference for any broadcast, constant and overlap", () => {
      const cases = elementwiseCase((lhs, rhs, spread) => lhs * rhs * 60 * spread);
      fc.assert(
        fc.property(cases, (c) => {
          checkElementwise(mul, kernels, c, mulReference(c.lhs, c.rhs, c.output, c.activation));
        }),
        { numRuns: 300 },
      );
    });

    test("equals the reference for all pairs of values and a multiplier above 1", () => {
      const values = Int8Array.from({ length: 256 }, (_, i) => i - 128);
      const lhs = { ...plain([256, 1], Math.fround(0.0235), -128), values };
      const rhs = { ...plain([256], Math.fround(0.0471), 127), values };
      const output = plain([256, 256], Math.fround(0.0007), 5);
      const c = { lhs, rhs, output, activation: 0, lhsConstant: false, rhsConstant: false, below: 0 };
      checkElementwise(mul, kernels, c, mulReference(lhs, rhs, output, 0));
    });

    test("equals the reference for all pairs of values, whatever the scales, and in float32 where that is proved", () => {
      const values = Int8Array.from({ length: 256 }, (_, i) => i - 128);
      const cases = fc.record({
        zeroPoints: fc.tuple(zeroPoint, zeroPoint, zeroPoint),
        // Of the multiplier, as a power of two.
        power: fc.integer({ min: -1600, max: 100 }).map((hundredths) => hundredths / 100),
        activation: fc.integer({ min: 0, max: 3 }),
        isColumn: fc.boolean(),
      });
      let single = 0;
      fc.assert(
        fc.property(cases, ({ zeroPoints, power, activation, isColumn }) => {
          const [column, row] = [
            [256, 1],
            [1, 256],
          ];
          const lhs = { ...plain(isColumn ? column : row, 1, zeroPoints[0]), values };
          const rhs = { ...plain(isColumn ? row : column, 1, zeroPoints[1]), values };
          const output = plain([256, 256], Math.fround(2 ** -power), zeroPoints[2]);
          const c = { lhs, rhs, output, activation, lhsConstant: false, rhsConstant: false, below: 0 };
          const [record] = checkElementwise(mul, kernels, c, mulReference(lhs, rhs, output, activation));
          if (record?.op === "mul" && record.singleScale !== 0) single++;
        }),
        { numRuns: 40 },
      );
      if (kernels.variant === "mcu" || kernels.variant === "simd") expect(single).toBe(0);
      else expect(single).toBeGreaterThan(20);
    });

    // The vector loop takes left shifts to 13 and right shifts to 30.
    test.each([-32, -31, -30, 0, 1, 13, 14, 16, 30])("equals the reference at shift %i", (shift) => {
      const values = int8Values(9, 40);
      const lhs = { ...plain([40, 1], 0.75, 127), values };
      const rhs = { ...plain([40], 1, -128), values };
      const output = plain([40, 40], 2 ** -shift, 0);
      const c = { lhs, rhs, output, activation: 0, lhsConstant: false, rhsConstant: false, below: 0 };
      checkElementwise(mul, kernels, c, mulReference(lhs, rhs, output, 0));
    });
  },
);

test("the reference gives the values that the formula gives by hand", () => {
  const lhs = { ...plain([3], 0.5, 1), values: Int8Array.of(4, -2, 101) };
  const rhs = { ...plain([1], 0.5, -10), values: Int8Array.of(-5) };
  // (3, -3, 100) · 5 · 0.25 / 0.5 = 7.5, -7.5, 250: a multiplier of 1/2 rounds in the high product alone, halves up.
  expect([...mulReference(lhs, rhs, plain([3]), 0)]).toEqual([8, -7, 127]);
  // … / 1 = 3.75, -3.75, 125: 7.5 and -7.5 round to 8 and -7, whose halves round away from zero.
  expect([...mulReference(lhs, rhs, plain([3], 1), 0)]).toEqual([4, -4, 125]);
  // RELU_N1_TO_1 at scale 0.5: -2 … 2 around the zero point.
  expect([...mulReference(lhs, rhs, plain([3], 0.5, 10), 2)]).toEqual([12, 8, 12]);
});

test("refuses a multiplier that no int32 can be shifted by", () => {
  const x = int8Tensor("x", plain([2], 1e10));
  expect(() => importNode(mul, [x, x], int8Tensor("y", plain([2], 1e-10)))).toThrow(
    expect.objectContaining({ code: "multiplier-too-large" }),
  );
});
