import { SoftmaxField } from "../../src/plan/format.ts";
import { doublingHighMul, multiplyByQuantizedMultiplier, roundingShift } from "../fixed-point.ts";
import { address, field, loadActivation, storeActivation } from "../record.ts";

/**
 *   out[r, i] = round(256 · e[i] / Σ_j e[j]) − 128,   e[j] = exp(beta · scale · (in[r, j] − max in[r]))
 *
 * in   int8 [rows, depth]
 * out  int8 [rows, depth], scale 1/256, zero point −128; may begin at `in` or below it
 *
 * All in fixed point: differences Q5.26, exponentials Q0.31, their sum Q12.19, its reciprocal by three Newton steps.
 * Differences below `diffMin` count as 0. The sum is unsigned and stays below 2^32 while depth ≤ 8191: each of its terms
 * is at most 2^19. Factors of either sign are rounded by doublingHighMul as the reference rounds them; none is −2^31.
 * Reference: TFLite reference/softmax.h with gemmlowp fixedpoint.h.
 */
export function softmax(record: usize): void {
  const depth = <usize>field(record, SoftmaxField.depth);
  const rows = field(record, SoftmaxField.rows);
  const multiplier = field(record, SoftmaxField.multiplier);
  const shift = field(record, SoftmaxField.shift);
  const diffMin = field(record, SoftmaxField.diffMin);
  let from = address(record, SoftmaxField.input);
  let to = address(record, SoftmaxField.output);
  for (let row = 0; row < rows; row++) {
    let largest = -128;
    for (let i: usize = 0; i < depth; i++) largest = max(largest, loadActivation(from + i));
    let sum = 0;
    for (let i: usize = 0; i < depth; i++) {
      const difference = loadActivation(from + i) - largest;
      if (difference >= diffMin) sum += roundingShift(exponential(difference, multiplier, shift), 12);
    }
    // sum = 2^(12 − headroom) · (1 + fraction), fraction in Q0.31.
    const headroom = <i32>clz(sum);
    const fraction = <i32>(<u32>(sum << headroom) - 0x80000000);
    const reciprocal = oneOverOnePlus(fraction);
    const exponent = 12 - headroom + 31 - 8;
    for (let i: usize = 0; i < depth; i++) {
      const difference = loadActivation(from + i) - largest;
      let value = -128;
      if (difference >= diffMin) {
        const share = doublingHighMul(reciprocal, exponential(difference, multiplier, shift));
        // The share is below 2^31: a shift by 32 or more, which the reference refuses, rounds it to 0.
        if (exponent < 32) value = min(roundingShift(share, exponent) - 128, 127);
      }
      storeActivation(to + i, value);
    }
    from += depth;
    to += depth;
  }
}

/** exp(difference · multiplier · 2^(shift − 31)) in Q0.31, difference ≤ 0. */
function exponential(difference: i32, multiplier: i32, shift: i32): i32 {
  return expOnNegative(multiplyByQuantizedMultiplier(difference, multiplier, shift));
}

/** x · 2^exponent, saturating, exponent > 0. */
function saturatingShiftLeft(x: i32, exponent: i32): i32 {
  const limit = ((<i64>1) << (31 - exponent)) - 1;
  if (<i64>x > limit) return i32.MAX_VALUE;
  if (<i64>x < -limit) return i32.MIN_VALUE;
  return x << exponent;
}

/**
 * exp(a) for a ≤ 0 in Q5.26, as Q0.31: a polynomial on [−¼, 0), times one constant per remaining bit of −a from ¼ to 16.
 */
function expOnNegative(a: i32): i32 {
  if (a === 0) return i32.MAX_VALUE;
  const quarter = 1 << 24;
  const fraction = (a & (quarter - 1)) - quarter;
  let result = expOnQuarter(fraction << 5);
  const remainder = fraction - a;
  result = multiplyIf(remainder, 24, result, 1672461947);
  result = multiplyIf(remainder, 25, result, 1302514674);
  result = multiplyIf(remainder, 26, result, 790015084);
  result = multiplyIf(remainder, 27, result, 290630308);
  result = multiplyIf(remainder, 28, result, 39332535);
  result = multiplyIf(remainder, 29, result, 720401);
  return multiplyIf(remainder, 30, result, 242);
}

/** result · exp(−2^(bit − 26)) if that bit of the remainder is set. */
function multiplyIf(remainder: i32, bit: i32, result: i32, constant: i32): i32 {
  return remainder & (1 << bit) ? doublingHighMul(result, constant) : result;
}

/** exp on [−¼, 0) in Q0.31: the Taylor series to the fourth power around −⅛. */
function expOnQuarter(a: i32): i32 {
  const constant = 1895147668;
  const oneThird = 715827883;
  const x = a + (1 << 28);
  const x2 = doublingHighMul(x, x);
  const x3 = doublingHighMul(x2, x);
  const x4 = doublingHighMul(x2, x2);
  const x4Over4 = roundingShift(x4, 2);
  const rest = roundingShift(doublingHighMul(x4Over4 + x3, oneThird) + x2, 1);
  return constant + doublingHighMul(constant, x + rest);
}

/** 1 / (1 + a) for a in [0, 1), Q0.31 to Q0.31: three Newton–Raphson steps on the half denominator, in Q2.29. */
function oneOverOnePlus(a: i32): i32 {
  const half = (a >> 1) + (1 << 30);
  const fortyEightOver17 = 1515870810;
  const minusThirtyTwoOver17 = -1010580540;
  let x = fortyEightOver17 + doublingHighMul(half, minusThirtyTwoOver17);
  for (let i = 0; i < 3; i++) {
    const product = doublingHighMul(half, x);
    const error = (1 << 29) - product;
    x += saturatingShiftLeft(doublingHighMul(x, error), 2);
  }
  return saturatingShiftLeft(x, 1);
}
