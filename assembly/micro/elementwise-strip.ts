import { UNSIGNED } from "../storage.ts";
import { loadEight, splatStored, storeEight } from "./eight.ts";

/**
 * Runs of elementwise int8 arithmetic, eight values at a time where the variant has vectors. Requantisation is exact; of
 * products
 *
 *   h = floor(4a·m / 2^32) + 1,  y = h >> 1               SaturatingRoundingDoublingHighMul, |a| < 2^29
 *   (2y + [h < 0 ? −1 : 0] + 2^e) >> (e + 1)              RoundingDivideByPOT of y by 2^e; doubled so that e may be 0
 *
 * A step is 1, or 0 where one value serves the whole run. Eight values are read before their outputs are written, so the
 * output may be an operand of step 1, or begin below it.
 */

/** Right shifts up to this one keep e + 1 within a vector shift. */
const MAX_RIGHT_SHIFT = 30;

/** A multiplier of ½, in 2^-31. */
const HALF = 1 << 30;

/** Left shifts up to this one keep a product of two int8, less zero points, below 2^29. */
const MAX_LEFT_SHIFT = 13;

/**
 *   out[i] = clamp(zOut + requantize(scaled(lhs[i] − zLhs) + scaled(rhs[i] − zRhs))),   scaled(v) = requantize(v << 20)
 *
 * With `sign` −1 instead of 0 the scaled rhs is subtracted. Shifts are to the right. Returns how many of the first outputs are done; the rest is the caller's.
 *
 * Of the sides' multipliers one is ½. With that of the other, m = 2^16·high + low, MBQM's first rounding is
 *
 *   y = (v·2^20·m + 2^30) >> 31 = (v·high << 5) + ((v·low + 2^10) >> 11)
 *
 * of products of 9 and 16 bits; `high`, up to 2^15, in two halves. Where that side is subtracted m is negative, and 2^10 one less: −y.
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
  if (outputShift === 0 || max(max(lhsShift, rhsShift), outputShift) > MAX_RIGHT_SHIFT) return 0;
  // `a` is the side of the larger scale, which is halved, exactly: v << 19.
  const isLhs = lhsMultiplier === HALF && lhsShift === 0;
  if (!isLhs && (rhsMultiplier !== HALF || rhsShift !== 0)) return 0;
  const a = isLhs ? lhs : rhs;
  const aStep = isLhs ? lhsStep : rhsStep;
  const aZeroPoint = isLhs ? lhsZeroPoint : rhsZeroPoint;
  const aSign = isLhs ? 0 : sign;
  const b = isLhs ? rhs : lhs;
  const bStep = isLhs ? rhsStep : lhsStep;
  const bZeroPoint = isLhs ? rhsZeroPoint : lhsZeroPoint;
  const bMultiplier = isLhs ? rhsMultiplier : lhsMultiplier;
  const bShift = isLhs ? rhsShift : lhsShift;
  const bSign = isLhs ? sign : 0;
  // With sign −1, (x ^ −1) − (z ^ −1) is z − x.
  const aSigns = i16x8.splat(<i16>aSign);
  const aZero = v128.xor(splatStored(aZeroPoint), aSigns);
  const bZero = splatStored(bZeroPoint);
  const m = ((<i64>bMultiplier) ^ bSign) - bSign;
  const high = <i32>((m + (1 << 15)) >> 16);
  const highs = i32x4.splat(((high >> 1) << 16) | ((high - (high >> 1)) & 0xffff));
  const lows = i32x4.splat((<i32>m) & 0xffff);
  const bNudge = i32x4.splat((1 << 10) + bSign);
  const bHalf = i32x4.splat(1 << bShift);
  const outputScale = i32x4.splat(outputMultiplier);
  const outputHalf = i32x4.splat(1 << (outputShift - 1));
  // 2^31, of multipliers below it: what is known to be constant V8 makes anew each time, in four instructions.
  const outputNudge = i64x2.splat(((<i64>outputMultiplier) | 0x7fffffff) + 1);
  const outputZero = splatStored(outputZeroPoint);
  const lowerBound = splatStored(lower);
  const upperBound = splatStored(upper);
  let halved = i16x8.sub(v128.xor(loadOne(a), aSigns), aZero);
  let scaled = i16x8.sub(loadOne(b), bZero);
  const end = length & ~7;
  for (let i: usize = 0; i < end; i += 8) {
    if (aStep) halved = i16x8.sub(v128.xor(loadEight(a + i), aSigns), aZero);
    if (bStep) scaled = i16x8.sub(loadEight(b + i), bZero);
    const b0 = v128.shuffle<i16>(scaled, scaled, 0, 8, 1, 9, 2, 10, 3, 11);
    const b1 = v128.shuffle<i16>(scaled, scaled, 4, 12, 5, 13, 6, 14, 7, 15);
    const values = withZeroPoint(
      requantizeSum(
        i32x4.shl(i32x4.extend_low_i16x8_s(halved), 20),
        requantizeShifted(b0, highs, lows, bNudge, bHalf, bShift),
        outputScale,
        outputNudge,
        outputHalf,
        outputShift,
      ),
      requantizeSum(
        i32x4.shl(i32x4.extend_high_i16x8_s(halved), 20),
        requantizeShifted(b1, highs, lows, bNudge, bHalf, bShift),
        outputScale,
        outputNudge,
        outputHalf,
        outputShift,
      ),
      outputZero,
    );
    storeEight(out + i, values, lowerBound, upperBound);
  }
  return end;
}

/** requantize(v << 20) of four int16, each of them twice, as derived at addVectors; `half` is 2^shift. */
function requantizeShifted(v: v128, highs: v128, lows: v128, nudge: v128, half: v128, shift: i32): v128 {
  const low = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(v, lows), nudge), 11);
  const y = i32x4.add(i32x4.shl(i32x4.dot_i16x8_s(v, highs), 5), low);
  return i32x4.shr_s(i32x4.add(i32x4.add(i32x4.add(y, y), i32x4.shr_s(y, 31)), half), shift + 1);
}

/**
 * requantize(a / 2 + b), `nudge` is 2^31, `half` 2^(shift − 1):
 *
 *   y = ((a + 2b)·m + 2^31) >> 32,   (y − [y < 0] + half) >> shift
 */
function requantizeSum(a: v128, b: v128, multiplier: v128, nudge: v128, half: v128, shift: i32): v128 {
  const twice = i32x4.add(a, i32x4.add(b, b));
  const low = i64x2.add(i64x2.extmul_low_i32x4_s(twice, multiplier), nudge);
  const high = i64x2.add(i64x2.extmul_high_i32x4_s(twice, multiplier), nudge);
  const y = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
  return i32x4.shr_s(i32x4.add(i32x4.add(y, i32x4.shr_s(y, 31)), half), shift);
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
    const values = withZeroPoint(
      requantize(low, scale, half, right),
      requantize(high, scale, half, right),
      outputZero,
    );
    storeEight(out + i, values, lowerBound, upperBound);
  }
  return end;
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

/** Eight values in two vectors, with the zero point. */
function withZeroPoint(low: v128, high: v128, zeroPoint: v128): v128 {
  return i16x8.add_sat_s(i16x8.narrow_i32x4_s(low, high), zeroPoint);
}
