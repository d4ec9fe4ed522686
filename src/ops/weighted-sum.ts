import type { Multiplier } from "./fixed-point.ts";
import { multiplyByQuantizedMultiplier } from "./fixed-point.ts";
import type { OutputRange } from "./requantization.ts";

/**
 * A sum of two int8 as a sum of their multiples:
 *
 *   (a · lhsFactor + b · rhsFactor + offset) >> 28, clamped
 *
 * The reference rounds three times, but its first two roundings are a millionth of an output's step and less, so that this is its answer
 * unless a pair's sum is as close to a half. It is taken for the constants for which it is, of all 65,536 pairs: each pair leaves a range of
 * offsets, and one that all leave is sought. Where scales are in a simple ratio halves are common, and there is none.
 */
export interface WeightedSum {
  /** |factors| < 2^30. */
  readonly lhsFactor: number;
  readonly rhsFactor: number;
  /** Within 2^39. */
  readonly offset: number;
}

/** How the reference computes it. */
export interface RoundedSum {
  readonly lhsZeroPoint: number;
  readonly rhsZeroPoint: number;
  /** Of both sides less zero points, times 2^20; the sum's. */
  readonly lhs: Multiplier;
  readonly rhs: Multiplier;
  readonly output: Multiplier;
  /** 1, or −1 where the right side is subtracted. */
  readonly sign: 1 | -1;
}

const ONE = 2 ** 28;
/** Factors that are tried, from the real ones. */
const NEIGHBOURS = [
  [0, 0],
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const;

/** The constants with which all pairs of int8 give the reference's outputs, undefined if none are found. */
export function weightedSum(sum: RoundedSum, range: OutputRange): WeightedSum | undefined {
  const step = ONE * 2 ** 20 * real(sum.output);
  const lhsFactor = Math.round(step * real(sum.lhs));
  const rhsFactor = Math.round(step * real(sum.rhs)) * sum.sign;
  if (Math.max(lhsFactor, Math.abs(rhsFactor)) >= 2 ** 30 - 1) return undefined;
  const begins = outputSteps(sum.output, range);
  const left = scaledValues(sum.lhs, sum.lhsZeroPoint, 1);
  const right = scaledValues(sum.rhs, sum.rhsZeroPoint, sum.sign);
  for (const [lhsMove, rhsMove] of NEIGHBOURS) {
    const offset = commonOffset(left, right, lhsFactor + lhsMove, rhsFactor + rhsMove, begins, range);
    if (offset !== undefined)
      return { lhsFactor: lhsFactor + lhsMove, rhsFactor: rhsFactor + rhsMove, offset };
  }
  return undefined;
}

function real({ multiplier, shift }: Multiplier): number {
  return multiplier * 2 ** (shift - 31);
}

/** What the reference makes of all int8 before it adds them. */
function scaledValues(multiplier: Multiplier, zeroPoint: number, sign: 1 | -1): Float64Array {
  return Float64Array.from(
    { length: 256 },
    (_, i) => sign * multiplyByQuantizedMultiplier((i - 128 - zeroPoint) * 2 ** 20, multiplier),
  );
}

/** The least sum that gives each output above the least. */
function outputSteps(multiplier: Multiplier, { zeroPoint, min, max }: OutputRange): Float64Array {
  const scale = real(multiplier);
  return Float64Array.from({ length: max - min }, (_, i) => {
    const output = min + 1 + i - zeroPoint;
    const reaches = (sum: number): boolean => multiplyByQuantizedMultiplier(sum, multiplier) >= output;
    // Both roundings of the reference together are less than an output's step.
    let below = Math.floor((output - 1.5) / scale) - 1;
    let least = Math.ceil((output + 0.5) / scale) + 1;
    while (least - below > 1) {
      const middle = Math.floor((below + least) / 2);
      if (reaches(middle)) least = middle;
      else below = middle;
    }
    return least;
  });
}

/** The middle of the offsets that every pair of values leaves. */
function commonOffset(
  left: Float64Array,
  right: Float64Array,
  lhsFactor: number,
  rhsFactor: number,
  begins: Float64Array,
  { min }: OutputRange,
): number | undefined {
  const steps = begins.length;
  // Far enough for outputs that are all clamped.
  let least = -(2 ** 39);
  let most = 2 ** 39;
  for (let b = 0; b < 256; b++) {
    const addend = right[b] ?? 0;
    const product = (b - 128) * rhsFactor;
    let reached = 0;
    for (let a = 0; a < 256; a++) {
      const sum = (left[a] ?? 0) + addend;
      while (reached < steps && sum >= (begins[reached] ?? 0)) reached++;
      // (weighed + offset) >> 28 is the output, or beyond where that is clamped.
      const begin = (min + reached) * ONE - (a - 128) * lhsFactor - product;
      if (reached > 0 && begin > least) least = begin;
      if (reached < steps && begin + ONE - 1 < most) most = begin + ONE - 1;
    }
    if (least > most) return undefined;
  }
  return Math.floor((least + most) / 2);
}
