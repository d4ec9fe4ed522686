/**
 * mcu: three sums in one int64, 21 bits apart.
 *
 *   sums = Σ_p (2^20 + lane_p) · 2^(21p)
 *
 * One multiplication of an int64 by an int8 makes three products. Every lane carries 2^20 more than its sum, so that none is
 * negative and borrows from the next; up to LANE_TERMS products of int8 keep it so.
 */

export const LANE_BITS: i64 = 21;
export const LANE_MASK: i64 = 0x1fffff;
/** What a lane carries more than its sum. */
export const LANE_ZERO: i64 = 0x100000;
/** The highest lane, of sum 0. */
export const TOP_ZERO: i64 = LANE_ZERO << 42;
/** 63 · 128 · 128 < 2^20. */
export const LANE_TERMS = 63;

/** Three lanes whose sums are 0. */
export function zeroLanes(): i64 {
  return LANE_ZERO | (LANE_ZERO << LANE_BITS) | TOP_ZERO;
}
