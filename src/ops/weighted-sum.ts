import type { Multiplier } from "./fixed-point.ts";
import { multiplyByQuantizedMultiplier } from "./fixed-point.ts";
import type { OutputRange } from "./requantization.ts";

/**
 * A sum of two int8 as a sum of their multiples:
 *
 *   (a · lhsFactor + b · rhsFactor + offset) >> 28, clamped
 *
 * The reference rounds three times, but its first two roundings are a millionth of an output's step and less, so that this is its answer
 * unless a pair's sum is as close to a half. Of 65,536 pairs few are: those are found, the reference is asked, and an offset is sought that
 * gives its answer for all of them. Where scales are in a simple ratio halves are common, and there is none. Derivation: docs/numerics.md.
 */
export interface WeightedSum {
  /** |factors| < 2^30. */
  readonly lhsFactor: number;
  readonly rhsFactor: number;
  /** Within 2^38 + 2^37. */
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
const MASK = ONE - 1;
/** Fractions of ONE that are looked up together. */
const BUCKET_BITS = 20;
const BUCKETS = ONE / 2 ** BUCKET_BITS;
/** How far the offset may be from the real one. */
const SLACK = 2 ** 11;
/** Pairs next to a half that are looked at: where there are more, halves are common. */
const MOST_PAIRS = 64;

/** The constants with which all pairs of int8 give the reference's outputs, undefined if none are found. */
export function weightedSum(sum: RoundedSum, range: OutputRange): WeightedSum | undefined {
  const step = ONE * 2 ** 20 * real(sum.output);
  const [lhs, rhs] = [step * real(sum.lhs), step * real(sum.rhs) * sum.sign];
  const [lhsFactor, rhsFactor] = [Math.round(lhs), Math.round(rhs)];
  if (Math.max(lhsFactor, Math.abs(rhsFactor)) >= 2 ** 30) return undefined;
  const middle = Math.round((range.zeroPoint + 0.5) * ONE - sum.lhsZeroPoint * lhs - sum.rhsZeroPoint * rhs);
  // Off the real sum are each side's rounding, by one, and the first of the sum's, by as much again; here both factors, by a half, and c.
  const near = Math.ceil(3 * ONE * real(sum.output)) + 256 + SLACK;
  if (near >= 2 ** BUCKET_BITS) return undefined;
  let least = middle - SLACK;
  let most = middle + SLACK;
  let pairs = 0;
  sortInto(lhsFactor);
  // Of a · lhsFactor, where the sum is next to a multiple of ONE, at which outputs begin; all modulo ONE.
  const move = modulo(rhsFactor);
  let wanted = modulo(128 * rhsFactor - middle);
  for (let b = -128; b < 128; b++) {
    const lower = (wanted - near) & MASK;
    const end = ((wanted + near) & MASK) >> BUCKET_BITS;
    for (let bucket = lower >> BUCKET_BITS; ; bucket = (bucket + 1) % BUCKETS) {
      for (let i = first[bucket] ?? NONE; i !== NONE; i = next[i] ?? NONE) {
        if ((((fractions[i] ?? 0) - lower) & MASK) > 2 * near) continue;
        if (++pairs > MOST_PAIRS) return undefined;
        const a = i - 128;
        const output = reference(sum, range, a, b);
        const begins = output * ONE - a * lhsFactor - b * rhsFactor;
        if (output > range.min) least = Math.max(least, begins);
        if (output < range.max) most = Math.min(most, begins + ONE - 1);
      }
      if (bucket === end) break;
    }
    if (least > most) return undefined;
    wanted = (wanted - move) & MASK;
  }
  return { lhsFactor, rhsFactor, offset: Math.floor((least + most) / 2) };
}

function real({ multiplier, shift }: Multiplier): number {
  return multiplier * 2 ** (shift - 31);
}

/** The reference's answer for one pair. */
function reference(sum: RoundedSum, { zeroPoint, min, max }: OutputRange, a: number, b: number): number {
  const left = multiplyByQuantizedMultiplier((a - sum.lhsZeroPoint) * 2 ** 20, sum.lhs);
  const right = multiplyByQuantizedMultiplier((b - sum.rhsZeroPoint) * 2 ** 20, sum.rhs);
  const output = multiplyByQuantizedMultiplier(left + sum.sign * right, sum.output) + zeroPoint;
  return Math.min(Math.max(output, min), max);
}

const NONE = 256;
/** Multiples of a factor by −128 and up, modulo ONE; of the first in each bucket, and after each, which is the next. Reused. */
const fractions = new Int32Array(256);
const first = new Int16Array(BUCKETS);
const next = new Int16Array(256);

function sortInto(factor: number): void {
  first.fill(NONE);
  const move = modulo(factor);
  let fraction = modulo(-128 * factor);
  for (let i = 0; i < 256; i++) {
    const bucket = fraction >> BUCKET_BITS;
    fractions[i] = fraction;
    next[i] = first[bucket] ?? NONE;
    first[bucket] = i;
    fraction = (fraction + move) & MASK;
  }
}

/** Modulo ONE, of what bitwise operators do not hold. */
function modulo(a: number): number {
  return a - Math.floor(a / ONE) * ONE;
}
