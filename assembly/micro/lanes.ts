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

/** Where lanes of bytes have theirs. */
export const BYTE_LANES: i64 = 0xff | (0xff << LANE_BITS) | (0xff << (2 * LANE_BITS));
/** 128 in each lane. */
export const ZERO_BYTES: i64 = 128 | (128 << LANE_BITS) | (128 << (2 * LANE_BITS));

/**
 * The bytes at bits 0, 21 and 8 of a word of 29 bits, lowest lane first: the product is the word twice, and an interpreter takes two
 * operations. Weights have 128 added there: ZERO_BYTES.
 */
export function spread(word: i64): i64 {
  return (word * (1 + (1 << 34))) & BYTE_LANES;
}

/** More than the weights of a lane add up to, in each lane. */
const WEIGHT_BOUND: i64 = 1 << 14;
export const ONES: i64 = 1 | (1 << LANE_BITS) | (1 << (2 * LANE_BITS));

/** The sum of three lanes, each of LANE_TERMS weights at most: the product has it in its highest lane. */
export function laneTotal(weights: i64): i64 {
  const product = (weights + WEIGHT_BOUND * ONES) * ONES;
  return ((product >> (2 * LANE_BITS)) & LANE_MASK) - 3 * WEIGHT_BOUND;
}

/**
 *   packed[i] = a[i] + b[i] · 2^21 + c[i] · 2^42
 *
 * for the elements of three pixels, or of three runs of one vector, `toSecond` and `toThird` bytes from the first.
 */
export function pack(
  first: usize,
  toSecond: usize,
  toThird: usize,
  segments: i32,
  segmentBytes: usize,
  steps: i32,
  packed: usize,
): void {
  const eights = <usize>(steps & ~7);
  const rest = <usize>(steps & 7);
  const gap = segmentBytes - <usize>steps;
  // Short segments are common: what a segment itself takes counts.
  do {
    if (eights) {
      const end = first + eights;
      do {
        const b = first + toSecond;
        const c = first + toThird;
        store<i64>(packed, <i64>load<i8>(first) + ((<i64>load<i8>(b)) << 21) + ((<i64>load<i8>(c)) << 42));
        store<i64>(
          packed,
          <i64>load<i8>(first, 1) + ((<i64>load<i8>(b, 1)) << 21) + ((<i64>load<i8>(c, 1)) << 42),
          8,
        );
        store<i64>(
          packed,
          <i64>load<i8>(first, 2) + ((<i64>load<i8>(b, 2)) << 21) + ((<i64>load<i8>(c, 2)) << 42),
          16,
        );
        store<i64>(
          packed,
          <i64>load<i8>(first, 3) + ((<i64>load<i8>(b, 3)) << 21) + ((<i64>load<i8>(c, 3)) << 42),
          24,
        );
        store<i64>(
          packed,
          <i64>load<i8>(first, 4) + ((<i64>load<i8>(b, 4)) << 21) + ((<i64>load<i8>(c, 4)) << 42),
          32,
        );
        store<i64>(
          packed,
          <i64>load<i8>(first, 5) + ((<i64>load<i8>(b, 5)) << 21) + ((<i64>load<i8>(c, 5)) << 42),
          40,
        );
        store<i64>(
          packed,
          <i64>load<i8>(first, 6) + ((<i64>load<i8>(b, 6)) << 21) + ((<i64>load<i8>(c, 6)) << 42),
          48,
        );
        store<i64>(
          packed,
          <i64>load<i8>(first, 7) + ((<i64>load<i8>(b, 7)) << 21) + ((<i64>load<i8>(c, 7)) << 42),
          56,
        );
        packed += 64;
        first += 8;
      } while (first < end);
    }
    if (rest) {
      const end = first + rest;
      do {
        const b = <i64>load<i8>(first + toSecond);
        const c = <i64>load<i8>(first + toThird);
        store<i64>(packed, <i64>load<i8>(first) + (b << 21) + (c << 42));
        packed += 8;
        first++;
      } while (first < end);
    }
    first += gap;
  } while (--segments > 0);
}
