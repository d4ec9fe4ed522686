/** The reference's fixed-point arithmetic; derivations in docs/numerics.md. */

/**
 * SaturatingRoundingDoublingHighMul for b in [0, 2^31): floor((a·b + 2^30) / 2^31). The reference truncates after a
 * signed nudge, which is the same number; its one saturating case needs b = -2^31.
 */
export function doublingHighMul(a: i32, b: i32): i32 {
  return <i32>((<i64>a * <i64>b + (1 << 30)) >> 31);
}

/** RoundingDivideByPOT: x / 2^exponent, half away from zero, exponent in [0, 31]. */
export function roundingShift(x: i32, exponent: i32): i32 {
  const mask = <i32>(((<i64>1) << exponent) - 1);
  const threshold = (mask >> 1) + i32(x < 0);
  return (x >> exponent) + i32((x & mask) > threshold);
}

/**
 * RoundingDivideByPOT where sums are int64 anyway, for e ≥ 1 or −2^30 ≤ x < 2^30:
 *
 *   roundingShift(x, e) = (x·TWICE + 2^(30 + e)) >> (31 + e)
 *
 * since x·TWICE is x · 2^31 less a little where x < 0. Without a branch, comparison or call, for loops that interpreters run.
 */
export const TWICE: i64 = 0x80000001;

/** MultiplyByQuantizedMultiplier, double rounding; the left shift wraps. */
export function multiplyByQuantizedMultiplier(x: i32, multiplier: i32, shift: i32): i32 {
  const left = max(shift, 0);
  return roundingShift(doublingHighMul(x << left, multiplier), left - shift);
}

export function clamp(x: i32, low: i32, high: i32): i32 {
  return min(max(x, low), high);
}

/**
 * MultiplyByQuantizedMultiplier of a 64-bit sum: the multiplier in 16 bits, one rounding, halves up. The shift is −31 to 7 and
 * |x| < 2^47; the result is brought within int32.
 */
export function multiplyWide(x: i64, multiplier: i32, shift: i32): i32 {
  const short: i64 = multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff;
  const right = 15 - shift;
  const value = (x * short + ((<i64>1) << (right - 1))) >> right;
  return <i32>min<i64>(max<i64>(value, i32.MIN_VALUE), i32.MAX_VALUE);
}
