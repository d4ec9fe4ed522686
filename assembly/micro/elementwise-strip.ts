import { UNSIGNED } from "../storage.ts";
import { storedActivation } from "../record.ts";

/**
 * Runs of elementwise int8 arithmetic, eight values at a time where the variant has vectors. Requantisation is exact:
 *
 *   h = floor(4a·m / 2^32) + 1,  y = h >> 1               SaturatingRoundingDoublingHighMul, |a| < 2^29
 *   (2y + [h < 0 ? −1 : 0] + 2^e) >> (e + 1)              RoundingDivideByPOT of y by 2^e; doubled so that e may be 0
 *
 * A step is 1, or 0 where one value serves the whole run. Eight values are read before their outputs are written, so the
 * output may be an operand of step 1, or begin below it.
 */

/** Right shifts up to this one keep e + 1 within a vector shift. */
const MAX_RIGHT_SHIFT = 30;

/** Left shifts up to this one keep a product of two int8, less zero points, below 2^29. */
const MAX_LEFT_SHIFT = 13;

/**
 *   out[i] = clamp(zOut + requantize(scaled(lhs[i] − zLhs) + scaled(rhs[i] − zRhs))),   scaled(v) = requantize(v << 20)
 *
 * With `sign` −1 instead of 0 the scaled rhs is subtracted. Shifts are to the right. Returns how many of the first outputs are done; the rest is the caller's.
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
  sign: i32,
): usize {
  if (!ASC_FEATURE_SIMD) return 0;
  if (max(max(lhsShift, rhsShift), outputShift) > MAX_RIGHT_SHIFT) return 0;
  const lhsZero = splatStored(lhsZeroPoint);
  const rhsZero = splatStored(rhsZeroPoint);
  const lhsScale = i32x4.splat(lhsMultiplier);
  const rhsScale = i32x4.splat(rhsMultiplier);
  const outputScale = i32x4.splat(outputMultiplier);
  const lhsHalf = i32x4.splat(1 << lhsShift);
  const rhsHalf = i32x4.splat(1 << rhsShift);
  const outputHalf = i32x4.splat(1 << outputShift);
  const outputZero = splatStored(outputZeroPoint);
  const lowerBound = splatStored(lower);
  const upperBound = splatStored(upper);
  const signs = i32x4.splat(sign);
  const end = length & ~7;
  let a = i16x8.sub(loadOne(lhs), lhsZero);
  let b = i16x8.sub(loadOne(rhs), rhsZero);
  for (let i: usize = 0; i < end; i += 8) {
    if (lhsStep) a = i16x8.sub(loadEight(lhs + i), lhsZero);
    if (rhsStep) b = i16x8.sub(loadEight(rhs + i), rhsZero);
    // The shift by 20 and the factor 4 in one.
    const a0 = i32x4.shl(i32x4.extend_low_i16x8_s(a), 22);
    const a1 = i32x4.shl(i32x4.extend_high_i16x8_s(a), 22);
    const b0 = i32x4.shl(i32x4.extend_low_i16x8_s(b), 22);
    const b1 = i32x4.shl(i32x4.extend_high_i16x8_s(b), 22);
    const sum0 = i32x4.add(
      requantize(a0, lhsScale, lhsHalf, lhsShift),
      withSign(requantize(b0, rhsScale, rhsHalf, rhsShift), signs),
    );
    const sum1 = i32x4.add(
      requantize(a1, lhsScale, lhsHalf, lhsShift),
      withSign(requantize(b1, rhsScale, rhsHalf, rhsShift), signs),
    );
    storeEight(
      out + i,
      requantize(i32x4.shl(sum0, 2), outputScale, outputHalf, outputShift),
      requantize(i32x4.shl(sum1, 2), outputScale, outputHalf, outputShift),
      outputZero,
      lowerBound,
      upperBound,
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
  const lhsZero = splatStored(lhsZeroPoint);
  const rhsZero = splatStored(rhsZeroPoint);
  const scale = i32x4.splat(multiplier);
  const right = max(-shift, 0);
  const leftBy4 = max(shift, 0) + 2;
  const half = i32x4.splat(1 << right);
  const outputZero = splatStored(outputZeroPoint);
  const lowerBound = splatStored(lower);
  const upperBound = splatStored(upper);
  const end = length & ~7;
  let a = i16x8.sub(loadOne(lhs), lhsZero);
  let b = i16x8.sub(loadOne(rhs), rhsZero);
  for (let i: usize = 0; i < end; i += 8) {
    if (lhsStep) a = i16x8.sub(loadEight(lhs + i), lhsZero);
    if (rhsStep) b = i16x8.sub(loadEight(rhs + i), rhsZero);
    const low = i32x4.shl(i32x4.extmul_low_i16x8_s(a, b), leftBy4);
    const high = i32x4.shl(i32x4.extmul_high_i16x8_s(a, b), leftBy4);
    storeEight(
      out + i,
      requantize(low, scale, half, right),
      requantize(high, scale, half, right),
      outputZero,
      lowerBound,
      upperBound,
    );
  }
  return end;
}

/** Eight stored values as int16. */
function loadEight(at: usize): v128 {
  if (UNSIGNED) return v128.load_ext<u8>(at);
  return v128.load_ext<i8>(at);
}

/** One stored value as int16 in every lane. */
function loadOne(at: usize): v128 {
  if (UNSIGNED) return i16x8.splat(<i16>load<u8>(at));
  return i16x8.splat(<i16>load<i8>(at));
}

/** Requantises a from 4a; `half` is 2^shift, `shift` to the right. */
function requantize(quadruple: v128, multiplier: v128, half: v128, shift: i32): v128 {
  const low = i64x2.extmul_low_i32x4_s(quadruple, multiplier);
  const high = i64x2.extmul_high_i32x4_s(quadruple, multiplier);
  const h = i32x4.sub(v128.shuffle<i32>(low, high, 1, 3, 5, 7), i32x4.splat(-1));
  const twice = i32x4.shl(i32x4.shr_s(h, 1), 1);
  return i32x4.shr_s(i32x4.add(i32x4.add(twice, i32x4.shr_s(h, 31)), half), shift + 1);
}

/** Negated where `sign` is −1. */
function withSign(value: v128, sign: v128): v128 {
  return i32x4.sub(v128.xor(value, sign), sign);
}

/** Adds the zero point, clamps and stores eight values. */
function storeEight(out: usize, low: v128, high: v128, zeroPoint: v128, lower: v128, upper: v128): void {
  const value = i16x8.add_sat_s(i16x8.narrow_i32x4_s(low, high), zeroPoint);
  const clamped = i16x8.min_s(i16x8.max_s(value, lower), upper);
  const bytes = UNSIGNED ? i8x16.narrow_i16x8_u(clamped, clamped) : i8x16.narrow_i16x8_s(clamped, clamped);
  v128.store_lane<i64>(out, bytes, 0);
}

/** An int8 in storage form, as int16 in every lane. */
function splatStored(value: i32): v128 {
  return i16x8.splat(<i16>storedActivation(value));
}
