import fc from "fast-check";
import { expect, test } from "vitest";
import type { OutputRange } from "../../src/ops/requantization.ts";
import type { RoundedSum, WeightedSum } from "../../src/ops/weighted-sum.ts";
import { weightedSum } from "../../src/ops/weighted-sum.ts";
import { clampTo, multiplyByQuantizedMultiplier, quantizeMultiplier } from "../reference/fixed-point.ts";

/** As ADD has them of scales. */
function roundedSum(
  scales: readonly [number, number, number],
  zeroPoints: readonly [number, number],
  sign: 1 | -1,
): RoundedSum {
  const [lhs, rhs, output] = scales.map(Math.fround) as [number, number, number];
  const twice = 2 * Math.max(lhs, rhs);
  return {
    lhsZeroPoint: zeroPoints[0],
    rhsZeroPoint: zeroPoints[1],
    lhs: quantizeMultiplier(lhs / twice),
    rhs: quantizeMultiplier(rhs / twice),
    output: quantizeMultiplier(twice / (2 ** 20 * output)),
    sign,
  };
}

/** The first pair of int8 whose sum the constants get wrong. */
function wrongPair(
  sum: RoundedSum,
  { zeroPoint, min, max }: OutputRange,
  found: WeightedSum,
): number[] | undefined {
  const scaled = (x: number, { multiplier, shift }: RoundedSum["lhs"]): number =>
    multiplyByQuantizedMultiplier(x, multiplier, shift);
  for (let a = -128; a < 128; a++) {
    const left = scaled((a - sum.lhsZeroPoint) * 2 ** 20, sum.lhs);
    for (let b = -128; b < 128; b++) {
      const right = sum.sign * scaled((b - sum.rhsZeroPoint) * 2 ** 20, sum.rhs);
      const wanted = clampTo(scaled(left + right, sum.output) + zeroPoint, [min, max]);
      const weighed = a * found.lhsFactor + b * found.rhsFactor + found.offset;
      if (clampTo(Math.floor(weighed / 2 ** 28), [min, max]) !== wanted) return [a, b];
    }
  }
  return undefined;
}

const zeroPoint = fc.integer({ min: -128, max: 127 });

test("where there are constants, they give the reference's output for every pair; mostly there are", () => {
  const cases = fc.record({
    scales: fc.tuple(
      fc.double({ min: 0.001, max: 0.2, noNaN: true }),
      fc.double({ min: 0.001, max: 0.2, noNaN: true }),
      fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    ),
    zeroPoints: fc.tuple(zeroPoint, zeroPoint),
    output: zeroPoint,
    clamps: fc.tuple(fc.nat(30), fc.nat(30)),
    sign: fc.constantFrom(1 as const, -1 as const),
  });
  let found = 0;
  fc.assert(
    fc.property(cases, ({ scales, zeroPoints, output, clamps, sign }) => {
      const sum = roundedSum(scales, zeroPoints, sign);
      const range = { zeroPoint: output, min: -128 + clamps[0], max: 127 - clamps[1] };
      const constants = weightedSum(sum, range);
      if (constants === undefined) return;
      found++;
      expect(Math.max(Math.abs(constants.lhsFactor), Math.abs(constants.rhsFactor))).toBeLessThan(2 ** 30);
      expect(Math.abs(constants.offset)).toBeLessThan(2 ** 39);
      expect(wrongPair(sum, range, constants)).toBeUndefined();
    }),
    { numRuns: 250 },
  );
  expect(found).toBeGreaterThan(180);
});

test("scales far apart, and sums that are below a step whatever the values are", () => {
  const output = { zeroPoint: 5, min: -128, max: 127 };
  // The last three: the sum's own multiplier is the least that there is, then none.
  for (const [a, b, o] of [
    [1, 2 ** -20, 0.77],
    [2 ** -33, 1, 0.77],
    [0.3, 1, 4.7],
    [1, 0.731, 301.3],
    [1, 0.7, 2 ** 12.5],
    [1, 0.7, 2 ** 13.5],
    [0.01, 0.01, 100],
    [0.01, 0.01, 1e20],
  ] as const) {
    for (const sign of [1, -1] as const) {
      const sum = roundedSum([a, b, o], [3, -7], sign);
      const constants = weightedSum(sum, output);
      expect(constants, `${a} ${b} ${o}`).toBeDefined();
      expect(constants && wrongPair(sum, output, constants), `${a} ${b} ${o}`).toBeUndefined();
    }
  }
});

test("halves are not to be had: scales of which sums lie in the middle, on both sides of zero", () => {
  const range = { zeroPoint: 0, min: -128, max: 127 };
  // (a + b) / 2 rounds −½ to −1 and ½ to 1.
  expect(weightedSum(roundedSum([1, 1, 2], [0, 0], 1), range)).toBeUndefined();
  // Some pairs of these do.
  expect(weightedSum(roundedSum([1, 0.09375, 2], [0, 0], 1), range)).toBeUndefined();
});

test("factors beyond 30 bits are left to the reference's way", () => {
  const range = { zeroPoint: 0, min: -128, max: 127 };
  expect(weightedSum(roundedSum([0.40012, 0.012372, 0.1], [0, 0], 1), range)).toBeUndefined();
  expect(weightedSum(roundedSum([0.39931, 0.012372, 0.1], [0, 0], 1), range)).toBeDefined();
});
