import { storedActivation, UNSIGNED } from "../storage.ts";
import { generalFusedSingle4, reluFusedSingle4, ROUND, ROUND_BITS } from "./epilogue.ts";
import { clampSixteen, loadEight, splatStored, storeEight } from "./eight.ts";

/**
 * Runs of elementwise int8 arithmetic, eight values at a time where the variant has vectors. Requantisation is exact; of
 * products
 *
 *   h = floor(4a·m / 2^32) + 1,  y = h >> 1               SaturatingRoundingDoublingHighMul, |a| < 2^29
 *   (2y + [h < 0 ? −1 : 0] + 2^e) >> (e + 1)              RoundingDivideByPOT of y by 2^e; doubled so that e may be 0
 *
 * A step is 1, or 0 where one value serves the whole run. Eight values, or sixteen, are read before their outputs are written, so the
 * output may be an operand of step 1, or begin below it.
 */

/** Right shifts up to this one keep e + 1 within a vector shift. */
const MAX_RIGHT_SHIFT = 30;

/** Left shifts up to this one keep a product of two int8, less zero points, below 2^29. */
const MAX_LEFT_SHIFT = 13;

/**
 *   out[i] = clamp((lhs[i] · lhsFactor + rhs[i] · rhsFactor + offset) >> 28)
 *
 * by products of 16 bits: of f = 2^15·high + low and all numbers so cut, the sum of the lower parts is shifted by 15, added to that of the
 * higher ones, and the whole by 13, which drops the same bits. The offset's lower 28 bits are added to the lower parts, its whole outputs at the end. Returns how
 * many of the first outputs are done; the rest is the caller's.
 */
export function weightedVectors(
  lhs: usize,
  lhsStep: usize,
  rhs: usize,
  rhsStep: usize,
  out: usize,
  length: usize,
  lhsFactor: i64,
  rhsFactor: i64,
  offset: i64,
  lower: i32,
  upper: i32,
): usize {
  if (!ASC_FEATURE_SIMD) return 0;
  // Of operands and outputs in storage form.
  const whole = offset + <i64>storedActivation(0) * ((1 << 28) - lhsFactor - rhsFactor);
  const highs = i32x4.splat(((<i32>(rhsFactor >> 15)) << 16) | ((<i32>(lhsFactor >> 15)) & 0xffff));
  const lows = i32x4.splat(((<i32>(rhsFactor & 0x7fff)) << 16) | (<i32>(lhsFactor & 0x7fff)));
  const offsets = i32x4.splat(<i32>(whole & 0xfffffff));
  const outputs = i16x8.splat(<i16>(whole >> 28));
  const lowerBound = splatStored(lower);
  const upperBound = splatStored(upper);
  const end = length & ~7;
  let a = loadOne(lhs);
  let b = loadOne(rhs);
  let i: usize = 0;
  // Sixteen at a time are narrowed, clamped and stored together.
  if (lhsStep & rhsStep) {
    const least = i8x16.splat(<i8>storedActivation(lower));
    const most = i8x16.splat(<i8>storedActivation(upper));
    for (; i + 16 <= end; i += 16) {
      const p = lhs + i;
      const q = rhs + i;
      const first = weighEight(loadEight(p), loadEight(q), highs, lows, offsets, outputs);
      const second = weighEight(loadEight(p + 8), loadEight(q + 8), highs, lows, offsets, outputs);
      v128.store(out + i, clampSixteen(first, second, least, most));
    }
  }
  for (; i < end; i += 8) {
    if (lhsStep) a = loadEight(lhs + i);
    if (rhsStep) b = loadEight(rhs + i);
    const values = weighEight(a, b, highs, lows, offsets, outputs);
    storeEight(out + i, values, lowerBound, upperBound);
  }
  return end;
}

/** Eight pairs of int16 and their factors, as derived at weightedVectors. */
function weighEight(a: v128, b: v128, highs: v128, lows: v128, offsets: v128, outputs: v128): v128 {
  const values = i16x8.narrow_i32x4_s(
    weigh(v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11), highs, lows, offsets),
    weigh(v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), highs, lows, offsets),
  );
  return i16x8.add(values, outputs);
}

/** As weighEight, four pairs, side by side. */
function weigh(pairs: v128, highs: v128, lows: v128, offsets: v128): v128 {
  const low = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(pairs, lows), offsets), 15);
  return i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(pairs, highs), low), 13);
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

/**
 * relaxed: as mulVectors, sixteen values at a time, in float32 with the constants of a record at `constants`: scale, offset, fine and bias, as
 * MulField has them.
 */
export function singleProducts(
  lhs: usize,
  lhsStep: usize,
  rhs: usize,
  rhsStep: usize,
  out: usize,
  length: usize,
  lhsZeroPoint: i32,
  rhsZeroPoint: i32,
  outputZeroPoint: i32,
  constants: usize,
  lower: i32,
  upper: i32,
): usize {
  if (!ASC_FEATURE_RELAXED_SIMD || load<i32>(constants) === 0) return 0;
  const scale = v128.load_splat<i32>(constants);
  const offset = v128.load_splat<i32>(constants, 4);
  const fine = v128.load_splat<i32>(constants, 8);
  const bias = v128.load_splat<i32>(constants, 12);
  const roundsTwice = load<i32>(constants, 8) !== 0;
  const toStored = i32x4.splat(ROUND_BITS - storedActivation(outputZeroPoint));
  const lhsZero = splatStored(lhsZeroPoint);
  const rhsZero = splatStored(rhsZeroPoint);
  const least = i8x16.splat(<i8>storedActivation(lower));
  const most = i8x16.splat(<i8>storedActivation(upper));
  const end = length & ~15;
  let a0 = i16x8.sub(loadOne(lhs), lhsZero);
  let a1 = a0;
  let b0 = i16x8.sub(loadOne(rhs), rhsZero);
  let b1 = b0;
  for (let i: usize = 0; i < end; i += 16) {
    if (lhsStep) {
      a0 = i16x8.sub(loadEight(lhs + i), lhsZero);
      a1 = i16x8.sub(loadEight(lhs + i + 8), lhsZero);
    }
    if (rhsStep) {
      b0 = i16x8.sub(loadEight(rhs + i), rhsZero);
      b1 = i16x8.sub(loadEight(rhs + i + 8), rhsZero);
    }
    let p0 = i32x4.add(i32x4.extmul_low_i16x8_s(a0, b0), bias);
    let p1 = i32x4.add(i32x4.extmul_high_i16x8_s(a0, b0), bias);
    let p2 = i32x4.add(i32x4.extmul_low_i16x8_s(a1, b1), bias);
    let p3 = i32x4.add(i32x4.extmul_high_i16x8_s(a1, b1), bias);
    if (roundsTwice) {
      const round = f32x4.splat(ROUND);
      p0 = generalFusedSingle4(p0, scale, offset, fine, round, toStored);
      p1 = generalFusedSingle4(p1, scale, offset, fine, round, toStored);
      p2 = generalFusedSingle4(p2, scale, offset, fine, round, toStored);
      p3 = generalFusedSingle4(p3, scale, offset, fine, round, toStored);
    } else {
      p0 = reluFusedSingle4(p0, scale, offset, toStored);
      p1 = reluFusedSingle4(p1, scale, offset, toStored);
      p2 = reluFusedSingle4(p2, scale, offset, toStored);
      p3 = reluFusedSingle4(p3, scale, offset, toStored);
    }
    const first = i16x8.narrow_i32x4_s(p0, p1);
    v128.store(out + i, clampSixteen(first, i16x8.narrow_i32x4_s(p2, p3), least, most));
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
