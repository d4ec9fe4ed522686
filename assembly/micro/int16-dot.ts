/** Steps whose sums stay within an int32: a pair of products is at most 2^23. */
const STEPS = 128;

/**
 *   Σ_k a[k] · b[k]   of `length` int16 a and int8 b
 *
 * Eight at a time where the variant has vectors, widened before a lane could overflow.
 */
export function dotInt16(a: usize, b: usize, length: i32): i64 {
  let sum: i64 = 0;
  let k = 0;
  if (ASC_FEATURE_SIMD) {
    while (k + 8 <= length) {
      const end = min(length - 8, k + 8 * (STEPS - 1));
      let sums = i32x4.splat(0);
      for (; k <= end; k += 8) {
        sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load(a), v128.load_ext<i8>(b)));
        a += 16;
        b += 8;
      }
      const pairs = i64x2.add(i64x2.extend_low_i32x4_s(sums), i64x2.extend_high_i32x4_s(sums));
      sum += i64x2.extract_lane(pairs, 0) + i64x2.extract_lane(pairs, 1);
    }
  }
  for (; k < length; k++) {
    sum += <i64>(<i32>load<i16>(a) * <i32>load<i8>(b));
    a += 2;
    b++;
  }
  return sum;
}
