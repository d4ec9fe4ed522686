/**
 * Runs of elementwise int8 arithmetic, eight values at a time where the variant has vectors. Requantisation is exact:
 *
 *   y = floor((2a·m + 2^31) / 2^32)                       SaturatingRoundingDoublingHighMul, |a| < 2^30
 *   (2y + [2y < 0 ? −1 : 0] + 2^e) >> (e + 1)             RoundingDivideByPOT of y by 2^e; doubled so that e may be 0
 *
 * A step is 1, or 0 where one value serves the whole run. Eight values are read before their outputs are written, so the
 * output may be an operand of step 1, or begin below it.
 */

/** Right shifts up to this one keep e + 1 within a vector shift. */
const MAX_RIGHT_SHIFT = 30;

/** Left shifts up to this one keep a product of two int8, less zero points, below 2^30. */
const MAX_LEFT_SHIFT = 14;

/** Int16 zero points and clamps are of stored values. */
function storageOffset(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? 128 : 0;
}

/**
 *   out[i] = clamp(zOut + requantize(scaled(lhs[i] − zLhs) + scaled(rhs[i] − zRhs))),   scaled(v) = requantize(v << 20)
 *
 * Shifts are to the right. Returns how many of the first outputs are done; the rest is the caller's.
 */
export function addVectors(
  lhs: usize,
  lhsStep: usize,
  rhs: usize,
  rhsStep: usize,
  out: usize,
  length: usize,
  lhsZeroPoint: i32,
  rhsZeroPoint: i32,
  outputZeroPoint: i32,
  lhsMultiplier: i32,
  lhsShift: i32,
  rhsMultiplier: i32,
  rhsShift: i32,
  outputMultiplier: i32,
  outputShift: i32,
  lower: i32,
  upper: i32,
): usize {
  if (!ASC_FEATURE_SIMD) return 0;
  if (max(max(lhsShift, rhsShift), outputShift) > MAX_RIGHT_SHIFT) return 0;
  const lhsZero = i16x8.splat(<i16>(lhsZeroPoint + storageOffset()));
  const rhsZero = i16x8.splat(<i16>(rhsZeroPoint + storageOffset()));
  const lhsScale = i32x4.splat(lhsMultiplier);
  const rhsScale = i32x4.splat(rhsMultiplier);
  const outputScale = i32x4.splat(outputMultiplier);
  const lhsHalf = i32x4.splat(1 << lhsShift);
  const rhsHalf = i32x4.splat(1 << rhsShift);
  const outputHalf = i32x4.splat(1 << outputShift);
  const end = length & ~7;
  let a = i16x8.sub(loadOne(lhs), lhsZero);
  let b = i16x8.sub(loadOne(rhs), rhsZero);
  for (let i: usize = 0; i < end; i += 8) {
    if (lhsStep) a = i16x8.sub(loadEight(lhs + i), lhsZero);
    if (rhsStep) b = i16x8.sub(loadEight(rhs + i), rhsZero);
    // The shift by 20 and the doubling in one.
    const a0 = i32x4.shl(i32x4.extend_low_i16x8_s(a), 21);
    const a1 = i32x4.shl(i32x4.extend_high_i16x8_s(a), 21);
    const b0 = i32x4.shl(i32x4.extend_low_i16x8_s(b), 21);
    const b1 = i32x4.shl(i32x4.extend_high_i16x8_s(b), 21);
    const sum0 = i32x4.add(
      requantizeDoubled(a0, lhsScale, lhsHalf, lhsShift),
      requantizeDoubled(b0, rhsScale, rhsHalf, rhsShift),
    );
    const sum1 = i32x4.add(
      requantizeDoubled(a1, lhsScale, lhsHalf, lhsShift),
      requantizeDoubled(b1, rhsScale, rhsHalf, rhsShift),
    );
    storeEight(
      out + i,
      requantizeDoubled(i32x4.add(sum0, sum0), outputScale, outputHalf, outputShift),
      requantizeDoubled(i32x4.add(sum1, sum1), outputScale, outputHalf, outputShift),
      outputZeroPoint,
      lower,
      upper,
    );
  }
  return end;
}

/**
 *   out[i] = clamp(zOut + requantize((lhs[i] − zLhs) · (rhs[i] − zRhs)))
 *
 * A positive shift is to the left. Returns how many of the first outputs are done; the rest is the caller's.
 */
export function mulVectors(
  lhs: usize,
  lhsStep: usize,
  rhs: usize,
  rhsStep: usize,
  out: usize,
  length: usize,
  lhsZeroPoint: i32,
  rhsZeroPoint: i32,
  outputZeroPoint: i32,
  multiplier: i32,
  shift: i32,
  lower: i32,
  upper: i32,
): usize {
  if (!ASC_FEATURE_SIMD) return 0;
  if (shift > MAX_LEFT_SHIFT || shift < -MAX_RIGHT_SHIFT) return 0;
  const lhsZero = i16x8.splat(<i16>(lhsZeroPoint + storageOffset()));
  const rhsZero = i16x8.splat(<i16>(rhsZeroPoint + storageOffset()));
  const scale = i32x4.splat(multiplier);
  const right = max(-shift, 0);
  const doubledLeft = max(shift, 0) + 1;
  const half = i32x4.splat(1 << right);
  const end = length & ~7;
  let a = i16x8.sub(loadOne(lhs), lhsZero);
  let b = i16x8.sub(loadOne(rhs), rhsZero);
  for (let i: usize = 0; i < end; i += 8) {
    if (lhsStep) a = i16x8.sub(loadEight(lhs + i), lhsZero);
    if (rhsStep) b = i16x8.sub(loadEight(rhs + i), rhsZero);
    const low = i32x4.shl(i32x4.extmul_low_i16x8_s(a, b), doubledLeft);
    const high = i32x4.shl(i32x4.extmul_high_i16x8_s(a, b), doubledLeft);
    storeEight(
      out + i,
      requantizeDoubled(low, scale, half, right),
      requantizeDoubled(high, scale, half, right),
      outputZeroPoint,
      lower,
      upper,
    );
  }
  return end;
}

/** Eight stored values as int16. */
function loadEight(at: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.load_ext<u8>(at);
  return v128.load_ext<i8>(at);
}

/** One stored value as int16 in every lane. */
function loadOne(at: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.splat(<i16>load<u8>(at));
  return i16x8.splat(<i16>load<i8>(at));
}

/** Requantises a from 2a; `half` is 2^shift, `shift` to the right. */
function requantizeDoubled(doubled: v128, multiplier: v128, half: v128, shift: i32): v128 {
  const nudge = i64x2.splat(1 << 31);
  const low = i64x2.add(i64x2.extmul_low_i32x4_s(doubled, multiplier), nudge);
  const high = i64x2.add(i64x2.extmul_high_i32x4_s(doubled, multiplier), nudge);
  const y = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
  const twice = i32x4.add(y, y);
  return i32x4.shr_s(i32x4.add(i32x4.add(twice, i32x4.shr_s(twice, 31)), half), shift + 1);
}

/** Adds the zero point, clamps and stores eight values. */
function storeEight(out: usize, low: v128, high: v128, zeroPoint: i32, lower: i32, upper: i32): void {
  const offset = storageOffset();
  const value = i16x8.add_sat_s(i16x8.narrow_i32x4_s(low, high), i16x8.splat(<i16>(zeroPoint + offset)));
  const clamped = i16x8.min_s(
    i16x8.max_s(value, i16x8.splat(<i16>(lower + offset))),
    i16x8.splat(<i16>(upper + offset)),
  );
  const bytes = ASC_FEATURE_RELAXED_SIMD
    ? i8x16.narrow_i16x8_u(clamped, clamped)
    : i8x16.narrow_i16x8_s(clamped, clamped);
  v128.store_lane<i64>(out, bytes, 0);
}
