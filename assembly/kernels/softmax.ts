import { SoftmaxField } from "../../src/plan/format.ts";
import { expOnNegative, oneOverOnePlus } from "../fixed-functions.ts";
import { doublingHighMul, multiplyByQuantizedMultiplier, roundingShift } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";

/**
 *   out[r, i] = round(2^bits · e[i] / Σ_j e[j]) − 2^(bits − 1),   e[j] = exp(beta · scale · (in[r, j] − max in[r]))
 *
 * in   int8 [rows, depth]
 * out  int8 [rows, depth], scale 1/256, zero point −128; may begin at `in` or below it
 *      or int16, scale 1/65536, zero point −32768; apart from `in`
 *
 * All in fixed point: differences Q5.26, exponentials Q0.31, their sum Q12.19, its reciprocal by three Newton steps.
 * Differences below `diffMin` count as 0. The sum is unsigned and stays below 2^32 while depth ≤ 8191: each of its terms
 * is at most 2^19. Factors of either sign are rounded by doublingHighMul as the reference rounds them; none is −2^31.
 * Reference: TFLite reference/softmax.h with gemmlowp fixedpoint.h.
 */
export function softmax(record: usize): void {
  const rows = field(record, SoftmaxField.rows);
  for (let row = 0; row < rows; row++) softmaxRow(record, row, 1);
}

export function softmaxToInt16(record: usize): void {
  const rows = field(record, SoftmaxField.rows);
  for (let row = 0; row < rows; row++) softmaxRow(record, row, 2);
}

/** One row, to outputs of so many bytes. */
function softmaxRow(record: usize, row: i32, outputBytes: usize): void {
  const depth = address(record, SoftmaxField.depth);
  const multiplier = field(record, SoftmaxField.multiplier);
  const shift = field(record, SoftmaxField.shift);
  const diffMin = field(record, SoftmaxField.diffMin);
  const bits = 8 * <i32>outputBytes;
  const least = -(1 << (bits - 1));
  const from = address(record, SoftmaxField.input) + <usize>row * depth;
  const to = address(record, SoftmaxField.output) + <usize>row * depth * outputBytes;
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
  const exponent = 12 - headroom + 31 - bits;
  for (let i: usize = 0; i < depth; i++) {
    const difference = loadActivation(from + i) - largest;
    let value = least;
    if (difference >= diffMin) {
      const share = doublingHighMul(reciprocal, exponential(difference, multiplier, shift));
      // The share is below 2^31: a shift by 32 or more, which the reference refuses, rounds it to 0.
      if (exponent < 32) value = min(roundingShift(share, exponent) + least, -1 - least);
    }
    if (outputBytes === 2) store<i16>(to + (i << 1), <i16>value);
    else storeActivation(to + i, value);
  }
}

/** exp(difference · multiplier · 2^(shift − 31)) in Q0.31, difference ≤ 0. */
function exponential(difference: i32, multiplier: i32, shift: i32): i32 {
  return expOnNegative(multiplyByQuantizedMultiplier(difference, multiplier, shift));
}
