import { splatStored } from "./eight.ts";

/** Cells of a window whose averages are exact: sums and halves stay below 2^24, which float32 has. */
export const MAX_CELLS: i32 = 1 << 16;

/**
 * Averages of eight channels from their sums over `count` ≤ MAX_CELLS cells, as int16 in storage form:
 *
 *   (s ± count / 2) / count       the sign is that of s, divisions truncate
 *
 * A quotient of integers a / b, b < 2^17 and |a / b| < 129, is at least 1 / b from the next integer, which is further than float32 rounds.
 */
export function averages(low: v128, high: v128, count: i32): v128 {
  const cells = f32x4.splat(<f32>count);
  const half = i32x4.splat(count >> 1);
  const values = i16x8.narrow_i32x4_s(quotients(low, half, cells), quotients(high, half, cells));
  return i16x8.add(values, splatStored(0));
}

function quotients(sums: v128, half: v128, cells: v128): v128 {
  const sign = i32x4.shr_s(sums, 31);
  const shifted = i32x4.add(sums, i32x4.sub(v128.xor(half, sign), sign));
  return i32x4.trunc_sat_f32x4_s(f32x4.div(f32x4.convert_i32x4_s(shifted), cells));
}
