import { multiplyByQuantizedMultiplier, quantizeMultiplier, rdbp, srdhm } from "./fixed-point.ts";
import type { Int8Tensor } from "./tensor.ts";

/** SOFTMAX over the last axis, int8 of scale 1/256 and zero point -128. */
export function softmaxReference(input: Int8Tensor, beta: number): Int8Array {
  return Int8Array.from(probabilities(input, beta, 8));
}

/** As softmaxReference, int16 of scale 1/65536 and zero point -32768. */
export function softmaxToInt16Reference(input: Int8Tensor, beta: number): Int16Array {
  return Int16Array.from(probabilities(input, beta, 16));
}

/**
 * With so many bits, less half of their range. `beta` and the scale are float32, their product with 2^26 a double above 1.
 * Fixed-point formats are written Qi.f, for i integer and f fractional bits beside the sign.
 */
function probabilities(input: Int8Tensor, beta: number, resultBits: number): number[] {
  const { multiplier, shift } = quantizeMultiplier(Math.min(beta * input.scale * 2 ** 26, 2 ** 31 - 1));
  const leastDifference = -Math.floor((31 * 2 ** 26) / 2 ** shift);
  const depth = input.shape.at(-1) ?? 1;
  const half = 2 ** (resultBits - 1);
  const output: number[] = [];
  for (let start = 0; start < input.values.length; start += depth) {
    const row = [...input.values.subarray(start, start + depth)];
    const largest = Math.max(...row);
    const powers = row.map((x) => {
      if (x - largest < leastDifference) return undefined;
      return expOfNegative(multiplyByQuantizedMultiplier(x - largest, multiplier, shift));
    });
    // Q12.19
    const sum = powers.reduce<number>((total, e) => total + (e === undefined ? 0 : rdbp(e, 12)), 0);
    // sum · 2^-19 = 2^bits · (1 + fraction · 2^-31)
    const bits = Math.floor(Math.log2(sum)) - 19;
    const fraction = (sum * 2 ** (12 - bits)) % 2 ** 31;
    const reciprocal = reciprocalOfOnePlus(fraction);
    for (const e of powers) {
      const quotient = e === undefined ? 0 : rdbp(srdhm(reciprocal, e), bits + 31 - resultBits);
      output.push(Math.min(Math.max(quotient - half, -half), half - 1));
    }
  }
  return output;
}

const Q0_31 = 2 ** 31;
const ONE = Q0_31 - 1;

/** x · 2^count, saturating to int32. */
export function saturatingLeft(x: number, count: number): number {
  return Math.min(Math.max(x * 2 ** count, -(2 ** 31)), 2 ** 31 - 1);
}

/** exp(a) in Q0.31 of a ≤ 0 with so many integer bits, at most 5. */
export function expOfNegative(a: number, integerBits = 5): number {
  if (a === 0) return ONE;
  // a = r − Σ of powers of two from 2^-2 on, with r in [-1/4, 0).
  const quarter = 2 ** (29 - integerBits);
  const r = a - Math.floor(a / quarter) * quarter - quarter;
  let result = expOfQuarter(r * 2 ** integerBits);
  for (let power = -2; power < integerBits; power++) {
    if (Math.floor((r - a) / (4 * quarter * 2 ** power)) % 2 === 0) continue;
    result = srdhm(result, Math.round(Math.exp(-(2 ** power)) * Q0_31));
  }
  return result;
}

/** exp(a) in Q0.31 of a in [-1/4, 0) in Q0.31: four terms of the Taylor series at -1/8. */
function expOfQuarter(a: number): number {
  const x = a + Q0_31 / 8;
  const x2 = srdhm(x, x);
  const x3 = srdhm(x2, x);
  const x4 = srdhm(x2, x2);
  const third = Math.round(Q0_31 / 3);
  const tail = rdbp(srdhm(rdbp(x4, 2) + x3, third) + x2, 1);
  const middle = Math.round(Math.exp(-1 / 8) * Q0_31);
  return middle + srdhm(middle, x + tail);
}

/** 1 / (1 + a) in Q0.31 of a in [0, 1) in Q0.31. */
export function reciprocalOfOnePlus(a: number): number {
  // x / 2 is the reciprocal, in Q1.30.
  return saturatingLeft(reciprocalOfHalf(a), 1);
}

/** 1 / d in Q2.29, d = (1 + a) / 2 of a in [0, 1] in Q0.31: three Newton-Raphson steps. */
export function reciprocalOfHalf(a: number): number {
  const d = Math.floor((a + ONE + 1) / 2);
  // Q2.29
  let x = Math.round((48 / 17) * 2 ** 29) + srdhm(d, -Math.round((32 / 17) * 2 ** 29));
  for (let step = 0; step < 3; step++) {
    const error = 2 ** 29 - srdhm(d, x);
    x += saturatingLeft(srdhm(x, error), 2);
  }
  return x;
}
