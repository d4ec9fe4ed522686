/**
 * mcu: three sums in one int64, 21 bits apart.
 *
 *   sums = Σ_p (2^20 − 1 + lane_p) · 2^(21p)
 *
 * One multiplication of an int64 by an int8 makes three products. Every lane carries 2^20 − 1 more than its sum, so that none is
 * negative and borrows from the next, or carries into it: a product of int8 is −128 · 127 at least and 128 · 128 at most, and so
 * LANE_TERMS of them make −1,040,384 to 2^20.
 */

export const LANE_BITS: i64 = 21;
export const LANE_MASK: i64 = 0x1fffff;
/** What a lane carries more than its sum. */
export const LANE_ZERO: i64 = 0xfffff;
/** The highest lane, of sum 0. */
export const TOP_ZERO: i64 = LANE_ZERO << 42;
/** Products that a lane holds whatever they are: a multiple of eight, since kernels take eight at a time. */
export const LANE_TERMS = 64;

/** Three lanes whose sums are 0. */
export function zeroLanes(): i64 {
  return LANE_ZERO | (LANE_ZERO << LANE_BITS) | TOP_ZERO;
}
