import { highWords } from "./epilogue.ts";

/** multiplyByQuantizedMultiplier in every lane. |a · multiplier| ≤ 2^62, so that twice the product and its nudge fit. */
export function scale4(a: v128, multiplier: i32, left: i32, right: i32): v128 {
  const m = i32x4.splat(multiplier);
  const half = i64x2.splat(1 << 30);
  const shifted = i32x4.shl(a, left);
  const low = i64x2.shl(i64x2.add(i64x2.extmul_low_i32x4_s(shifted, m), half), 1);
  const high = i64x2.shl(i64x2.add(i64x2.extmul_high_i32x4_s(shifted, m), half), 1);
  const t = highWords(low, high);
  const mask = i32x4.splat(<i32>(((<i64>1) << right) - 1));
  const threshold = i32x4.sub(i32x4.shr_u(mask, 1), i32x4.shr_s(t, 31));
  return i32x4.sub(i32x4.shr_s(t, right), i32x4.gt_s(v128.and(t, mask), threshold));
}
