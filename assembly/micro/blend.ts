import { UNSIGNED, loadActivation, storeActivation } from "../storage.ts";
import { loadValues } from "./eight.ts";

/** Weights sum to this, in each direction. */
const ONE = 1024;

/**
 *   out[c] = ((a · (1024 − right) + b · right) · (1024 − down) + (c · (1024 − right) + d · right) · down) / 2^20
 *
 * of `channels` values of four pixels: a, b above, c, d below; rounded to the nearest, halves away from zero. Integer
 * arithmetic that does not overflow may be taken in any order: 128 · 1536 fits in 18 bits, times 1536 in 29.
 */
export function blendPixels(
  out: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  channels: usize,
  right: i32,
  down: i32,
): void {
  let done: usize = 0;
  if (ASC_FEATURE_SIMD) done = blendVectors(out, a, b, c, d, channels, right, down);
  for (let i = done; i < channels; i++) {
    const upper = loadActivation(a + i) * (ONE - right) + loadActivation(b + i) * right;
    const lower = loadActivation(c + i) * (ONE - right) + loadActivation(d + i) * right;
    const sum = upper * (ONE - down) + lower * down;
    const magnitude = (abs(sum) + (1 << 19)) >> 20;
    storeActivation(out + i, sum < 0 ? -magnitude : magnitude);
  }
}

/** Eight channels at a time: a dot product of two covers a row. Returns how many are done. */
function blendVectors(
  out: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  channels: usize,
  right: i32,
  down: i32,
): usize {
  const end = channels & ~7;
  const columns = i32x4.splat(((ONE - right) & 0xffff) | (right << 16));
  const upperWeight = i32x4.splat(ONE - down);
  const lowerWeight = i32x4.splat(down);
  for (let i: usize = 0; i < end; i += 8) {
    const upperLeft = loadValues(a + i);
    const upperRight = loadValues(b + i);
    const lowerLeft = loadValues(c + i);
    const lowerRight = loadValues(d + i);
    const low = blendFour(
      v128.shuffle<i16>(upperLeft, upperRight, 0, 8, 1, 9, 2, 10, 3, 11),
      v128.shuffle<i16>(lowerLeft, lowerRight, 0, 8, 1, 9, 2, 10, 3, 11),
      columns,
      upperWeight,
      lowerWeight,
    );
    const high = blendFour(
      v128.shuffle<i16>(upperLeft, upperRight, 4, 12, 5, 13, 6, 14, 7, 15),
      v128.shuffle<i16>(lowerLeft, lowerRight, 4, 12, 5, 13, 6, 14, 7, 15),
      columns,
      upperWeight,
      lowerWeight,
    );
    const values = i16x8.narrow_i32x4_s(low, high);
    const bytes = UNSIGNED
      ? i8x16.narrow_i16x8_u(i16x8.add(values, i16x8.splat(128)), values)
      : i8x16.narrow_i16x8_s(values, values);
    v128.store_lane<i64>(out + i, bytes, 0);
  }
  return end;
}

function blendFour(upper: v128, lower: v128, columns: v128, upperWeight: v128, lowerWeight: v128): v128 {
  const sum = i32x4.add(
    i32x4.mul(i32x4.dot_i16x8_s(upper, columns), upperWeight),
    i32x4.mul(i32x4.dot_i16x8_s(lower, columns), lowerWeight),
  );
  const sign = i32x4.shr_s(sum, 31);
  const magnitude = i32x4.shr_u(i32x4.add(i32x4.abs(sum), i32x4.splat(1 << 19)), 20);
  return i32x4.sub(v128.xor(magnitude, sign), sign);
}
