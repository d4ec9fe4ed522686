import { Requantization } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { UNSIGNED } from "../storage.ts";
import { clampSixteen, clampStored } from "./eight.ts";
import { prepareScalar, SCALAR_HEAD } from "./epilogue-scalar.ts";

/**
 * From accumulators to stored activations, 8 channels at a time. `constants` is scratch that `prepareEpilogue` fills once
 * per record, so that the loops load vectors instead of building them:
 *
 *   0 lower clamp ×16 · 16 upper clamp ×16 · 32 float bias − zero point (or middle: FLOAT_BIAS), int32 ×4 · 48 zero point, int16 ×8, or UNIFORM_FINE
 *   64 0x41380000 ×4 · 80 1.5·2^52 ×2 · 96 1.5·2^23 ×4 · 112 2^(shift − 1), int32 ×4 · 128 2^31, int64 ×2 · 144 gathered channels, 16 bytes
 *   160 accumulators of the scalar method, 16 bytes · 176 0x43300000 ×4; 112 and 128 are of method wide, or UNIFORM_*
 *   192 method, shift, WHOLE, SINGLE
 *
 * (In mcu four int32: epilogue-scalar.ts.) Clamps and zero points are in storage form. Which method is exact for which constants is proved when the weights are
 * packed (src/ops/requantization.ts); derivations in docs/numerics.md.
 */
export const LOWER = 0;
export const UPPER = 16;
/** Of 1.5 · 2^23: its bits less the zero point, in method `relu` less the middle of the output range. */
export const FLOAT_BIAS = 32;
export const ZERO_POINT = 48;
export const RELU_BASE = 64;
export const ROUND_F64 = 80;
export const ROUND_F32 = 96;
export const WIDE_HALF = 112;
export const HIGH_HALF = 128;
/** Of the methods of one multiplier: the scale and what all channels add, float64 ×2 or float32 ×4; the second scale, ×4. */
const UNIFORM_SCALE = 112;
const UNIFORM_OFFSET = 128;
const UNIFORM_FINE = 48;
const GATHER = 144;
const LANES = 160;
export const UNSIGNED_HIGH = 176;
export const METHOD = 192;
export const SHIFT = 196;
/** Whether outputs are clamped to no less than all that they can be. */
const WHOLE = 200;
/** Whether all blocks are in float32. */
const SINGLE = 204;

/** 1.5 · 2^23: adding it rounds a float32 to an integer; and its bits. */
export const ROUND: f32 = 12582912.0;
export const ROUND_BITS = 0x4b400000;

/** Added to int8 to make its storage form. */
function storageOffset(): i32 {
  return UNSIGNED ? 128 : 0;
}

/** 16 bytes of `constants` that are free between tiles. */
export function gatherBuffer(constants: usize): usize {
  return constants + GATHER;
}

/** Bytes at `constants`: epilogueBytes in src/plan/packing.ts. */
export function epilogueBytes(): usize {
  return ASC_FEATURE_SIMD ? 208 : 16;
}

/** Bias and requantisation bytes at the head of a block: blockHeadBytes in src/plan/packing.ts. */
export function blockHeadBytes(method: i32): usize {
  if (ASC_FEATURE_SIMD) {
    if (method === Requantization.relu || method === Requantization.reluFused) return 160;
    if (method === Requantization.generalFused) return 192;
    if (method === Requantization.general || method === Requantization.generalFusedSingle) return 128;
    return method >= Requantization.uniformRelu && method < Requantization.reluSingle ? 32 : 96;
  }
  return SCALAR_HEAD;
}

/** 2^-31: multipliers are fractions of 2^31. */
const UNIT: f64 = 1 / 2147483648.0;

/** 2^exponent, of an exponent that a double has. */
function powerOfTwo(exponent: i32): f64 {
  return reinterpret<f64>((<i64>(1023 + exponent)) << 52);
}

/** Fills `constants` for one record. */
export function prepareEpilogue(
  constants: usize,
  method: i32,
  shift: i32,
  zeroPoint: i32,
  lower: i32,
  upper: i32,
): void {
  if (ASC_FEATURE_SIMD) {
    const stored = zeroPoint + storageOffset();
    const areSingle = method >= Requantization.reluSingle;
    // But for the room for doubles they are the methods of which only some blocks are in float32.
    if (method === Requantization.reluSingle) method = Requantization.relu;
    if (method === Requantization.reluFusedSingle) method = Requantization.reluFused;
    if (method === Requantization.generalFusedSingle) method = Requantization.generalFused;
    v128.store(constants, i8x16.splat(<i8>(lower + storageOffset())), LOWER);
    v128.store(constants, i8x16.splat(<i8>(upper + storageOffset())), UPPER);
    // Blocks in float32 count outputs from the middle of their range: src/ops/single-precision.ts.
    const origin = method === Requantization.relu ? ((lower + upper + 1) >> 1) + storageOffset() : stored;
    v128.store(constants, i32x4.splat(ROUND_BITS - origin), FLOAT_BIAS);
    v128.store(constants, i16x8.splat(<i16>stored), ZERO_POINT);
    v128.store(constants, i32x4.splat(0x41380000), RELU_BASE);
    v128.store(constants, f64x2.splat(6755399441055744.0), ROUND_F64);
    v128.store(constants, f32x4.splat(ROUND), ROUND_F32);
    if (method === Requantization.wide) {
      v128.store(constants, i32x4.splat(1 << (shift - 1)), WIDE_HALF);
      v128.store(constants, i64x2.splat(1 << 31), HIGH_HALF);
    }
    v128.store(constants, i32x4.splat(0x43300000), UNSIGNED_HIGH);
    store<i32>(constants, method, METHOD);
    store<i32>(constants, shift, SHIFT);
    store<i32>(constants, i32(lower === -128 && upper === 127), WHOLE);
    store<i32>(constants, i32(areSingle), SINGLE);
  } else {
    prepareScalar(constants, method, shift, zeroPoint, lower, upper);
  }
}

/**
 * Adds what `constants` has of a method of one multiplier. `shift` is the multiplier's, to the right, below 32; of fused methods above it the
 * excess (src/ops/single-precision.ts). `multiplier` is int32 in simd, otherwise a float32 scale's bits.
 */
export function prepareUniform(constants: usize, shift: i32, multiplier: i32, zeroPoint: i32): void {
  const method = load<i32>(constants, METHOD);
  const right = powerOfTwo(-(shift & 31));
  const fine = f32x4.splat(<f32>(right * (1 + 1 / 8388608.0)));
  if (ASC_FEATURE_RELAXED_SIMD) {
    const scale = reinterpret<f32>(multiplier);
    const excess = Math.floor(<f64>ROUND * <f64>scale) + <f64>(shift >> 5);
    v128.store(constants, f32x4.splat(scale), UNIFORM_SCALE);
    v128.store(constants, f32x4.splat(<f32>(<f64>ROUND - excess)), UNIFORM_OFFSET);
    v128.store(constants, fine, UNIFORM_FINE);
  } else if (method === Requantization.uniformRelu) {
    const nudge = shift > 0 ? right / 2 : 0;
    const offset = 1572864.5 + nudge + <f64>(zeroPoint + storageOffset());
    v128.store(constants, f64x2.splat(<f64>multiplier * UNIT * right), UNIFORM_SCALE);
    v128.store(constants, f64x2.splat(offset), UNIFORM_OFFSET);
  } else {
    v128.store(constants, f64x2.splat(<f64>multiplier * UNIT), UNIFORM_SCALE);
    v128.store(constants, fine, UNIFORM_FINE);
  }
}

/** a · b + c, rounded once or twice, which is the same where a product is exact; the proofs hold for both where it is not. */
function exactMultiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f64x2.relaxed_madd(a, b, c) : f64x2.add(f64x2.mul(a, b), c);
}

export function highWords(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

function lowWords(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

function upperHalf(a: v128): v128 {
  return v128.shuffle<i64>(a, a, 1, 1);
}

/**
 *   floor(a·scale + offset),   offset = ½ + rounding nudge + zero point
 *
 * read from the high words of a·scale + offset + 1.5·2^20, whose unit in the last place is 2^-32. |a·scale| < 2^18.
 */
export function relu4(
  a: v128,
  scale01: v128,
  scale23: v128,
  offset01: v128,
  offset23: v128,
  base: v128,
): v128 {
  const low = exactMultiplyAdd(f64x2.convert_low_i32x4_s(a), scale01, offset01);
  const high = exactMultiplyAdd(f64x2.convert_low_i32x4_s(upperHalf(a)), scale23, offset23);
  return i32x4.sub(highWords(low, high), base);
}

/** Whether a block of method `relu` has its constants in float32: there are no offsets of doubles then, which are not 0. */
export function isReluSingle(block: usize, constants: usize): bool {
  return load<i32>(constants, METHOD) === Requantization.relu && isInFloat32(block + 96, constants);
}

/** Of a block whose offsets, if they are doubles, begin at `offsets`. */
function isInFloat32(offsets: usize, constants: usize): bool {
  return load<i32>(constants, SINGLE) !== 0 || load<i64>(offsets) === 0;
}

/**
 *   round(float32(float32(a)·scale) + offset) + middle of the output range
 *
 * which is exact for the channels that have it: src/ops/single-precision.ts.
 */
export function reluSingle4(a: v128, scale: v128, offset: v128, round32: v128, bias: v128): v128 {
  const scaled = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(a), scale), offset);
  return i32x4.sub(f32x4.add(scaled, round32), bias);
}

/**
 *   round(float32(round(a·scale)) · fine) + zero point
 *
 * both roundings by adding 1.5 times a power of two large enough to push the fraction out.
 */
export function general4(
  a: v128,
  scale01: v128,
  scale23: v128,
  fine: v128,
  round64: v128,
  round32: v128,
  bias: v128,
): v128 {
  const low = exactMultiplyAdd(f64x2.convert_low_i32x4_s(a), scale01, round64);
  const high = exactMultiplyAdd(f64x2.convert_low_i32x4_s(upperHalf(a)), scale23, round64);
  const rounded = f32x4.convert_i32x4_s(lowWords(low, high));
  return i32x4.sub(f32x4.add(f32x4.mul(rounded, fine), round32), bias);
}

/** 2^52 + u for two uint32 lanes of `a`, lower or upper; `above` is 0x43300000 in every lane. */
function lowUnsigned(a: v128, above: v128): v128 {
  return v128.shuffle<i32>(a, above, 0, 4, 1, 5);
}

function highUnsigned(a: v128, above: v128): v128 {
  return v128.shuffle<i32>(a, above, 2, 6, 3, 7);
}

/**
 * relu4 of an accumulator that carries 2^31: read as unsigned it becomes a double by laying 0x43300000 above it, and the
 * offset takes −(2^52 + 2^31)·scale along. Fused, so the sum is rounded once, as relu4 rounds it while a·scale is exact.
 */
export function reluFused4(
  a: v128,
  scale01: v128,
  scale23: v128,
  offset01: v128,
  offset23: v128,
  base: v128,
  above: v128,
): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const low = f64x2.relaxed_madd(lowUnsigned(a, above), scale01, offset01);
    const high = f64x2.relaxed_madd(highUnsigned(a, above), scale23, offset23);
    return i32x4.sub(highWords(low, high), base);
  }
  return a;
}

/** Whether reluFusedSingle4 is the block's. */
export function isReluFusedSingle(block: usize, constants: usize): bool {
  return load<i32>(constants, METHOD) === Requantization.reluFused && isInFloat32(block + 96, constants);
}

/**
 *   round(a·scale + offset) + zero point
 *
 * of float32, rounded once, to an integer: `offset` is 1.5·2^23 less an integer. A block's accumulators are the bits of `a`: its bias makes them so, and
 * has the fraction that a·scale needs (src/ops/single-precision.ts).
 */
export function reluFusedSingle4(a: v128, scale: v128, offset: v128, bias: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.sub(f32x4.relaxed_madd(a, scale, offset), bias);
  return a;
}

/** Whether generalFusedSingle4 is the block's. */
export function isGeneralFusedSingle(block: usize, constants: usize): bool {
  return load<i32>(constants, METHOD) === Requantization.generalFused && isInFloat32(block + 128, constants);
}

/**
 *   round(round(a·scale + offset − 1.5·2^23) · fine) + zero point
 *
 * as reluFusedSingle4, each rounded once, to integers, by adding 1.5·2^23: `offset` is that less an integer, the first time.
 */
export function generalFusedSingle4(
  a: v128,
  scale: v128,
  offset: v128,
  fine: v128,
  round32: v128,
  bias: v128,
): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const rounded = f32x4.sub(f32x4.relaxed_madd(a, scale, offset), round32);
    return i32x4.sub(f32x4.relaxed_madd(rounded, fine, round32), bias);
  }
  return a;
}

/** general4 of an accumulator that carries 2^31, its first rounding fused likewise. */
export function generalFused4(
  a: v128,
  scale01: v128,
  scale23: v128,
  offset01: v128,
  offset23: v128,
  fine: v128,
  round32: v128,
  bias: v128,
  above: v128,
): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const low = f64x2.relaxed_madd(lowUnsigned(a, above), scale01, offset01);
    const high = f64x2.relaxed_madd(highUnsigned(a, above), scale23, offset23);
    const rounded = f32x4.convert_i32x4_s(lowWords(low, high));
    return i32x4.sub(f32x4.add(f32x4.mul(rounded, fine), round32), bias);
  }
  return a;
}

/**
 *   t = floor((2a·m + 2^31) / 2^32) · factor,   (t − [t < 0] + 2^(shift − 1)) >> shift
 *
 * factor = 2^(shift − e) brings every channel's right shift e to the record's one shift ≥ 1. |a| < 2^30.
 */
export function wide4(a: v128, multiplier: v128, factor: v128, highHalf: v128, half: v128, shift: i32): v128 {
  const doubled = i32x4.add(a, a);
  const low = i64x2.add(i64x2.extmul_low_i32x4_s(doubled, multiplier), highHalf);
  const high = i64x2.add(i64x2.extmul_high_i32x4_s(doubled, multiplier), highHalf);
  const t = i32x4.mul(highWords(low, high), factor);
  return i32x4.shr_s(i32x4.add(i32x4.add(t, i32x4.shr_s(t, 31)), half), shift);
}

/** multiplyByQuantizedMultiplier per lane, int32 multipliers at `channel + 32` and shifts at `+ 64`; clamped to ±1024. */
export function scalar4(a: v128, channel: usize, constants: usize): v128 {
  v128.store(constants, a, LANES);
  for (let i: usize = 0; i < 16; i += 4) {
    const scaled = multiplyByQuantizedMultiplier(
      load<i32>(constants + i, LANES),
      load<i32>(channel + i, 32),
      load<i32>(channel + i, 64),
    );
    store<i32>(constants + i, clamp(scaled, -1024, 1024), LANES);
  }
  return v128.load(constants, LANES);
}

/** Whether saturateSixteen clamps as narrow does. */
export function isWholeRange(constants: usize): bool {
  return load<i32>(constants, WHOLE) !== 0;
}

/** Two rows of 8 int16 to 16 stored activations, clamped. */
export function narrow(a: v128, b: v128, constants: usize): v128 {
  return clampSixteen(a, b, v128.load(constants, LOWER), v128.load(constants, UPPER));
}

/** Stored activations, clamped. */
export function clampBytes(bytes: v128, constants: usize): v128 {
  return clampStored(bytes, v128.load(constants, LOWER), v128.load(constants, UPPER));
}

/** Stores the low `count` ≤ 8 bytes of `value`. */
function storeLow(at: usize, value: v128, count: i32): void {
  if (count >= 8) {
    v128.store_lane<i64>(at, value, 0);
    return;
  }
  storeFew(at, i64x2.extract_lane(value, 0), count);
}

/** Stores the lowest `count` < 8 of `bytes`, by fours, twos and ones. */
export function storeFew(at: usize, bytes: u64, count: i32): void {
  if (count & 4) {
    store<u32>(at, <u32>bytes);
    at += 4;
    bytes >>= 32;
  }
  if (count & 2) {
    store<u16>(at, <u16>bytes);
    at += 2;
    bytes >>= 16;
  }
  if (count & 1) store<u8>(at, <u8>bytes);
}

/** As storeFew, of the lower and the upper eight of `bytes`: one question serves both. */
export function storeFewTwice(out: usize, next: usize, bytes: v128, count: i32): void {
  if (count & 4) {
    v128.store_lane<i32>(out, bytes, 0);
    v128.store_lane<i32>(next, bytes, 2);
    bytes = i64x2.shr_u(bytes, 32);
    out += 4;
    next += 4;
  }
  if (count & 2) {
    v128.store_lane<i16>(out, bytes, 0);
    v128.store_lane<i16>(next, bytes, 4);
    bytes = i64x2.shr_u(bytes, 16);
    out += 2;
    next += 2;
  }
  if (count & 1) {
    v128.store_lane<i8>(out, bytes, 0);
    v128.store_lane<i8>(next, bytes, 8);
  }
}

/** As storeFewTwice, of four fours: `count` < 4 of each. */
export function storeFewFourTimes(a: usize, b: usize, c: usize, d: usize, bytes: v128, count: i32): void {
  if (count & 2) {
    v128.store_lane<i16>(a, bytes, 0);
    v128.store_lane<i16>(b, bytes, 2);
    v128.store_lane<i16>(c, bytes, 4);
    v128.store_lane<i16>(d, bytes, 6);
    bytes = i32x4.shr_u(bytes, 16);
    a += 2;
    b += 2;
    c += 2;
    d += 2;
  }
  if (count & 1) {
    v128.store_lane<i8>(a, bytes, 0);
    v128.store_lane<i8>(b, bytes, 4);
    v128.store_lane<i8>(c, bytes, 8);
    v128.store_lane<i8>(d, bytes, 12);
  }
}

/**
 * As requantizeRow, by the methods of one multiplier. A function of its own: with more branches that one took 3 % of a layer longer by all
 * methods.
 */
function uniformRow(a0: v128, a1: v128, constants: usize): v128 {
  const method = load<i32>(constants, METHOD);
  const scale = v128.load(constants, UNIFORM_SCALE);
  const fine = v128.load(constants, UNIFORM_FINE);
  const round32 = v128.load(constants, ROUND_F32);
  const bias = v128.load(constants, FLOAT_BIAS);
  if (ASC_FEATURE_RELAXED_SIMD) {
    const offset = v128.load(constants, UNIFORM_OFFSET);
    if (method === Requantization.uniformReluFused) {
      a0 = reluFusedSingle4(a0, scale, offset, bias);
      a1 = reluFusedSingle4(a1, scale, offset, bias);
    } else {
      a0 = generalFusedSingle4(a0, scale, offset, fine, round32, bias);
      a1 = generalFusedSingle4(a1, scale, offset, fine, round32, bias);
    }
  } else if (method === Requantization.uniformRelu) {
    const offset = v128.load(constants, UNIFORM_OFFSET);
    const base = v128.load(constants, RELU_BASE);
    a0 = relu4(a0, scale, scale, offset, offset, base);
    a1 = relu4(a1, scale, scale, offset, offset, base);
  } else {
    const round64 = v128.load(constants, ROUND_F64);
    a0 = general4(a0, scale, scale, fine, round64, round32, bias);
    a1 = general4(a1, scale, scale, fine, round64, round32, bias);
  }
  return i16x8.narrow_i32x4_s(a0, a1);
}

/** Whether the record's method is one of one multiplier. */
export function isUniform(constants: usize): bool {
  return load<i32>(constants, METHOD) >= Requantization.uniformRelu;
}

/** relaxed: as storeRow, for four blocks of 8 channels of a method of one multiplier; `count` is above 24. */
export function storeUniform(
  a0: v128,
  a1: v128,
  b0: v128,
  b1: v128,
  c0: v128,
  c1: v128,
  d0: v128,
  d1: v128,
  constants: usize,
  count: i32,
  out: usize,
): void {
  const scale = v128.load(constants, UNIFORM_SCALE);
  const offset = v128.load(constants, UNIFORM_OFFSET);
  const bias = v128.load(constants, FLOAT_BIAS);
  if (load<i32>(constants, METHOD) === Requantization.uniformReluFused) {
    a0 = reluFusedSingle4(a0, scale, offset, bias);
    a1 = reluFusedSingle4(a1, scale, offset, bias);
    b0 = reluFusedSingle4(b0, scale, offset, bias);
    b1 = reluFusedSingle4(b1, scale, offset, bias);
    c0 = reluFusedSingle4(c0, scale, offset, bias);
    c1 = reluFusedSingle4(c1, scale, offset, bias);
    d0 = reluFusedSingle4(d0, scale, offset, bias);
    d1 = reluFusedSingle4(d1, scale, offset, bias);
  } else {
    const fine = v128.load(constants, UNIFORM_FINE);
    const round32 = v128.load(constants, ROUND_F32);
    a0 = generalFusedSingle4(a0, scale, offset, fine, round32, bias);
    a1 = generalFusedSingle4(a1, scale, offset, fine, round32, bias);
    b0 = generalFusedSingle4(b0, scale, offset, fine, round32, bias);
    b1 = generalFusedSingle4(b1, scale, offset, fine, round32, bias);
    c0 = generalFusedSingle4(c0, scale, offset, fine, round32, bias);
    c1 = generalFusedSingle4(c1, scale, offset, fine, round32, bias);
    d0 = generalFusedSingle4(d0, scale, offset, fine, round32, bias);
    d1 = generalFusedSingle4(d1, scale, offset, fine, round32, bias);
  }
  const ab = narrow(i16x8.narrow_i32x4_s(a0, a1), i16x8.narrow_i32x4_s(b0, b1), constants);
  const cd = narrow(i16x8.narrow_i32x4_s(c0, c1), i16x8.narrow_i32x4_s(d0, d1), constants);
  v128.store(out, ab);
  if (count >= 32) {
    v128.store(out, cd, 16);
    return;
  }
  v128.store_lane<i64>(out, cd, 0, 16);
  storeFew(out + 24, i64x2.extract_lane(cd, 1), count - 24);
}

/** One position × 8 channels, requantised with the constants at the head of `block`: 8 int16, zero point added. */
export function requantizeRow(a0: v128, a1: v128, block: usize, constants: usize): v128 {
  const method = load<i32>(constants, METHOD);
  if (ASC_FEATURE_RELAXED_SIMD && method === Requantization.reluFused) {
    if (isReluFusedSingle(block, constants)) {
      const bias = v128.load(constants, FLOAT_BIAS);
      return i16x8.narrow_i32x4_s(
        reluFusedSingle4(a0, v128.load(block, 32), v128.load(block, 64), bias),
        reluFusedSingle4(a1, v128.load(block, 48), v128.load(block, 80), bias),
      );
    }
    const above = v128.load(constants, UNSIGNED_HIGH);
    const base = v128.load(constants, RELU_BASE);
    return i16x8.narrow_i32x4_s(
      reluFused4(
        a0,
        v128.load(block, 32),
        v128.load(block, 48),
        v128.load(block, 96),
        v128.load(block, 112),
        base,
        above,
      ),
      reluFused4(
        a1,
        v128.load(block, 64),
        v128.load(block, 80),
        v128.load(block, 128),
        v128.load(block, 144),
        base,
        above,
      ),
    );
  }
  if (ASC_FEATURE_RELAXED_SIMD && isGeneralFusedSingle(block, constants)) {
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    return i16x8.narrow_i32x4_s(
      generalFusedSingle4(
        a0,
        v128.load(block, 32),
        v128.load(block, 64),
        v128.load(block, 96),
        round32,
        bias,
      ),
      generalFusedSingle4(
        a1,
        v128.load(block, 48),
        v128.load(block, 80),
        v128.load(block, 112),
        round32,
        bias,
      ),
    );
  }
  if (ASC_FEATURE_RELAXED_SIMD && method === Requantization.generalFused) {
    const above = v128.load(constants, UNSIGNED_HIGH);
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    const scale01 = v128.load(block, 32);
    const offset01 = v128.load(block, 128);
    const scale45 = v128.load(block, 64);
    const offset45 = v128.load(block, 160);
    return i16x8.narrow_i32x4_s(
      generalFused4(
        a0,
        scale01,
        v128.load(block, 48),
        offset01,
        v128.load(block, 144),
        v128.load(block, 96),
        round32,
        bias,
        above,
      ),
      generalFused4(
        a1,
        scale45,
        v128.load(block, 80),
        offset45,
        v128.load(block, 176),
        v128.load(block, 112),
        round32,
        bias,
        above,
      ),
    );
  }
  if (!ASC_FEATURE_RELAXED_SIMD && isReluSingle(block, constants)) {
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    return i16x8.narrow_i32x4_s(
      reluSingle4(a0, v128.load(block, 32), v128.load(block, 64), round32, bias),
      reluSingle4(a1, v128.load(block, 48), v128.load(block, 80), round32, bias),
    );
  }
  if (method === Requantization.relu) {
    const base = v128.load(constants, RELU_BASE);
    return i16x8.narrow_i32x4_s(
      relu4(
        a0,
        v128.load(block, 32),
        v128.load(block, 48),
        v128.load(block, 96),
        v128.load(block, 112),
        base,
      ),
      relu4(
        a1,
        v128.load(block, 64),
        v128.load(block, 80),
        v128.load(block, 128),
        v128.load(block, 144),
        base,
      ),
    );
  }
  if (method === Requantization.general) {
    const round64 = v128.load(constants, ROUND_F64);
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    return i16x8.narrow_i32x4_s(
      general4(a0, v128.load(block, 32), v128.load(block, 48), v128.load(block, 96), round64, round32, bias),
      general4(a1, v128.load(block, 64), v128.load(block, 80), v128.load(block, 112), round64, round32, bias),
    );
  }
  if (method === Requantization.wide) {
    const shift = load<i32>(constants, SHIFT);
    const highHalf = v128.load(constants, HIGH_HALF);
    const half = v128.load(constants, WIDE_HALF);
    a0 = wide4(a0, v128.load(block, 32), v128.load(block, 64), highHalf, half, shift);
    a1 = wide4(a1, v128.load(block, 48), v128.load(block, 80), highHalf, half, shift);
  } else {
    a0 = scalar4(a0, block, constants);
    a1 = scalar4(a1, block + 16, constants);
  }
  return i16x8.add_sat_s(i16x8.narrow_i32x4_s(a0, a1), v128.load(constants, ZERO_POINT));
}

/** As storeTile, for one position; `count` ≤ 8 channels at `out`. */
export function storeRow(a0: v128, a1: v128, block: usize, constants: usize, count: i32, out: usize): void {
  const row = isUniform(constants) ? uniformRow(a0, a1, constants) : requantizeRow(a0, a1, block, constants);
  storeLow(out, narrow(row, row, constants), count);
}
