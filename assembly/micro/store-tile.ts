import { Requantization } from "../../src/plan/format.ts";
import {
  FLOAT_BIAS,
  general4,
  generalFused4,
  generalFusedSingle4,
  HIGH_HALF,
  isGeneralFusedSingle,
  isReluFusedSingle,
  isReluSingle,
  isWholeRange,
  clampBytes,
  METHOD,
  narrow,
  relu4,
  RELU_BASE,
  reluFused4,
  reluFusedSingle4,
  reluSingle4,
  requantizeRow,
  ROUND_F32,
  ROUND_F64,
  scalar4,
  SHIFT,
  storeFew,
  storeFewFourTimes,
  storeFewTwice,
  UNSIGNED_HIGH,
  wide4,
  WIDE_HALF,
  ZERO_POINT,
} from "./epilogue.ts";
import { saturateSixteen } from "./eight.ts";

/**
 * Requantises a tile of 4 positions × 8 channels (two vectors each) with the constants at the head of `block`, and stores
 * `count` channels (8 if more) of them: at `out`, `+ step1`, `+ step2`, `+ step1 + step2`. Where fewer positions are left, some
 * are computed twice and their steps are 0 or meet: storing them again is cheaper than asking which to store.
 *
 * Inlined, because a call moves 8 vectors and 7 words through the stack: npm run bench:kernels gives 5.9 instead of 4.9 MAC/c
 * at 2304×8×16, 11.1 instead of 10.3 at conv 10×4×1, 3.3 instead of 3.0 at depthwise 3×3 s2. Formatter and linter do not parse
 * the decorator, so they skip this file.
 */
@inline
export function storeTile(
  a0: v128,
  a1: v128,
  b0: v128,
  b1: v128,
  c0: v128,
  c1: v128,
  d0: v128,
  d1: v128,
  block: usize,
  constants: usize,
  count: i32,
  out: usize,
  step1: usize,
  step2: usize,
): void {
  const method = load<i32>(constants, METHOD);
  if (ASC_FEATURE_RELAXED_SIMD && isReluFusedSingle(block, constants)) {
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    a0 = reluFusedSingle4(a0, scale, offset, bias);
    b0 = reluFusedSingle4(b0, scale, offset, bias);
    c0 = reluFusedSingle4(c0, scale, offset, bias);
    d0 = reluFusedSingle4(d0, scale, offset, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    a1 = reluFusedSingle4(a1, scale, offset, bias);
    b1 = reluFusedSingle4(b1, scale, offset, bias);
    c1 = reluFusedSingle4(c1, scale, offset, bias);
    d1 = reluFusedSingle4(d1, scale, offset, bias);
  } else if (ASC_FEATURE_RELAXED_SIMD && method === Requantization.reluFused) {
    const above = v128.load(constants, UNSIGNED_HIGH);
    const base = v128.load(constants, RELU_BASE);
    let scaleA = v128.load(block, 32);
    let scaleB = v128.load(block, 48);
    let offsetA = v128.load(block, 96);
    let offsetB = v128.load(block, 112);
    a0 = reluFused4(a0, scaleA, scaleB, offsetA, offsetB, base, above);
    b0 = reluFused4(b0, scaleA, scaleB, offsetA, offsetB, base, above);
    c0 = reluFused4(c0, scaleA, scaleB, offsetA, offsetB, base, above);
    d0 = reluFused4(d0, scaleA, scaleB, offsetA, offsetB, base, above);
    scaleA = v128.load(block, 64);
    scaleB = v128.load(block, 80);
    offsetA = v128.load(block, 128);
    offsetB = v128.load(block, 144);
    a1 = reluFused4(a1, scaleA, scaleB, offsetA, offsetB, base, above);
    b1 = reluFused4(b1, scaleA, scaleB, offsetA, offsetB, base, above);
    c1 = reluFused4(c1, scaleA, scaleB, offsetA, offsetB, base, above);
    d1 = reluFused4(d1, scaleA, scaleB, offsetA, offsetB, base, above);
  } else if (ASC_FEATURE_RELAXED_SIMD && isGeneralFusedSingle(block, constants)) {
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    let fine = v128.load(block, 96);
    a0 = generalFusedSingle4(a0, scale, offset, fine, round32, bias);
    b0 = generalFusedSingle4(b0, scale, offset, fine, round32, bias);
    c0 = generalFusedSingle4(c0, scale, offset, fine, round32, bias);
    d0 = generalFusedSingle4(d0, scale, offset, fine, round32, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    fine = v128.load(block, 112);
    a1 = generalFusedSingle4(a1, scale, offset, fine, round32, bias);
    b1 = generalFusedSingle4(b1, scale, offset, fine, round32, bias);
    c1 = generalFusedSingle4(c1, scale, offset, fine, round32, bias);
    d1 = generalFusedSingle4(d1, scale, offset, fine, round32, bias);
  } else if (ASC_FEATURE_RELAXED_SIMD && method === Requantization.generalFused) {
    const above = v128.load(constants, UNSIGNED_HIGH);
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    let scaleA = v128.load(block, 32);
    let scaleB = v128.load(block, 48);
    let offsetA = v128.load(block, 128);
    let offsetB = v128.load(block, 144);
    let fine = v128.load(block, 96);
    a0 = generalFused4(a0, scaleA, scaleB, offsetA, offsetB, fine, round32, bias, above);
    b0 = generalFused4(b0, scaleA, scaleB, offsetA, offsetB, fine, round32, bias, above);
    c0 = generalFused4(c0, scaleA, scaleB, offsetA, offsetB, fine, round32, bias, above);
    d0 = generalFused4(d0, scaleA, scaleB, offsetA, offsetB, fine, round32, bias, above);
    scaleA = v128.load(block, 64);
    scaleB = v128.load(block, 80);
    offsetA = v128.load(block, 160);
    offsetB = v128.load(block, 176);
    fine = v128.load(block, 112);
    a1 = generalFused4(a1, scaleA, scaleB, offsetA, offsetB, fine, round32, bias, above);
    b1 = generalFused4(b1, scaleA, scaleB, offsetA, offsetB, fine, round32, bias, above);
    c1 = generalFused4(c1, scaleA, scaleB, offsetA, offsetB, fine, round32, bias, above);
    d1 = generalFused4(d1, scaleA, scaleB, offsetA, offsetB, fine, round32, bias, above);
  } else if (!ASC_FEATURE_RELAXED_SIMD && isReluSingle(block, constants)) {
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    a0 = reluSingle4(a0, scale, offset, round32, bias);
    b0 = reluSingle4(b0, scale, offset, round32, bias);
    c0 = reluSingle4(c0, scale, offset, round32, bias);
    d0 = reluSingle4(d0, scale, offset, round32, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    a1 = reluSingle4(a1, scale, offset, round32, bias);
    b1 = reluSingle4(b1, scale, offset, round32, bias);
    c1 = reluSingle4(c1, scale, offset, round32, bias);
    d1 = reluSingle4(d1, scale, offset, round32, bias);
  } else if (method === Requantization.relu) {
    const base = v128.load(constants, RELU_BASE);
    let scaleA = v128.load(block, 32);
    let scaleB = v128.load(block, 48);
    let offsetA = v128.load(block, 96);
    let offsetB = v128.load(block, 112);
    a0 = relu4(a0, scaleA, scaleB, offsetA, offsetB, base);
    b0 = relu4(b0, scaleA, scaleB, offsetA, offsetB, base);
    c0 = relu4(c0, scaleA, scaleB, offsetA, offsetB, base);
    d0 = relu4(d0, scaleA, scaleB, offsetA, offsetB, base);
    scaleA = v128.load(block, 64);
    scaleB = v128.load(block, 80);
    offsetA = v128.load(block, 128);
    offsetB = v128.load(block, 144);
    a1 = relu4(a1, scaleA, scaleB, offsetA, offsetB, base);
    b1 = relu4(b1, scaleA, scaleB, offsetA, offsetB, base);
    c1 = relu4(c1, scaleA, scaleB, offsetA, offsetB, base);
    d1 = relu4(d1, scaleA, scaleB, offsetA, offsetB, base);
  } else if (method === Requantization.general) {
    const round64 = v128.load(constants, ROUND_F64);
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    let scaleA = v128.load(block, 32);
    let scaleB = v128.load(block, 48);
    let fine = v128.load(block, 96);
    a0 = general4(a0, scaleA, scaleB, fine, round64, round32, bias);
    b0 = general4(b0, scaleA, scaleB, fine, round64, round32, bias);
    c0 = general4(c0, scaleA, scaleB, fine, round64, round32, bias);
    d0 = general4(d0, scaleA, scaleB, fine, round64, round32, bias);
    scaleA = v128.load(block, 64);
    scaleB = v128.load(block, 80);
    fine = v128.load(block, 112);
    a1 = general4(a1, scaleA, scaleB, fine, round64, round32, bias);
    b1 = general4(b1, scaleA, scaleB, fine, round64, round32, bias);
    c1 = general4(c1, scaleA, scaleB, fine, round64, round32, bias);
    d1 = general4(d1, scaleA, scaleB, fine, round64, round32, bias);
  } else if (method === Requantization.wide) {
    const shift = load<i32>(constants, SHIFT);
    const highHalf = v128.load(constants, HIGH_HALF);
    const half = v128.load(constants, WIDE_HALF);
    let multiplier = v128.load(block, 32);
    let factor = v128.load(block, 64);
    a0 = wide4(a0, multiplier, factor, highHalf, half, shift);
    b0 = wide4(b0, multiplier, factor, highHalf, half, shift);
    c0 = wide4(c0, multiplier, factor, highHalf, half, shift);
    d0 = wide4(d0, multiplier, factor, highHalf, half, shift);
    multiplier = v128.load(block, 48);
    factor = v128.load(block, 80);
    a1 = wide4(a1, multiplier, factor, highHalf, half, shift);
    b1 = wide4(b1, multiplier, factor, highHalf, half, shift);
    c1 = wide4(c1, multiplier, factor, highHalf, half, shift);
    d1 = wide4(d1, multiplier, factor, highHalf, half, shift);
  } else {
    a0 = scalar4(a0, block, constants);
    b0 = scalar4(b0, block, constants);
    c0 = scalar4(c0, block, constants);
    d0 = scalar4(d0, block, constants);
    a1 = scalar4(a1, block + 16, constants);
    b1 = scalar4(b1, block + 16, constants);
    c1 = scalar4(c1, block + 16, constants);
    d1 = scalar4(d1, block + 16, constants);
  }

  let a = i16x8.narrow_i32x4_s(a0, a1);
  let b = i16x8.narrow_i32x4_s(b0, b1);
  let c = i16x8.narrow_i32x4_s(c0, c1);
  let d = i16x8.narrow_i32x4_s(d0, d1);
  if (method <= Requantization.wide) {
    const zeroPoint = v128.load(constants, ZERO_POINT);
    a = i16x8.add_sat_s(a, zeroPoint);
    b = i16x8.add_sat_s(b, zeroPoint);
    c = i16x8.add_sat_s(c, zeroPoint);
    d = i16x8.add_sat_s(d, zeroPoint);
  }
  const ab = narrow(a, b, constants);
  const cd = narrow(c, d, constants);
  if (count >= 8) {
    v128.store_lane<i64>(out, ab, 0);
    v128.store_lane<i64>(out + step1, ab, 1);
    out += step2;
    v128.store_lane<i64>(out, cd, 0);
    v128.store_lane<i64>(out + step1, cd, 1);
    return;
  }
  storeFewTwice(out, out + step1, ab, count);
  out += step2;
  storeFewTwice(out, out + step1, cd, count);
}

/**
 * simd: as storeTile, for 6 positions × 4 channels: half 0 or 1 of the block's 8. To `out`, and `at1` … `at5` bytes from there.
 */
@inline
export function storeSixHalf(
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  e: v128,
  f: v128,
  block: usize,
  half: usize,
  constants: usize,
  count: i32,
  out: usize,
  at1: usize,
  at2: usize,
  at3: usize,
  at4: usize,
  at5: usize,
): void {
  const method = load<i32>(constants, METHOD);
  // Constants of 4 bytes per channel, and of 8.
  const narrowly = block + (half << 4);
  const widely = block + (half << 5);
  if (isReluSingle(block, constants)) {
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    const scale = v128.load(narrowly, 32);
    const offset = v128.load(narrowly, 64);
    a = reluSingle4(a, scale, offset, round32, bias);
    b = reluSingle4(b, scale, offset, round32, bias);
    c = reluSingle4(c, scale, offset, round32, bias);
    d = reluSingle4(d, scale, offset, round32, bias);
    e = reluSingle4(e, scale, offset, round32, bias);
    f = reluSingle4(f, scale, offset, round32, bias);
  } else if (method === Requantization.relu) {
    const base = v128.load(constants, RELU_BASE);
    const scaleA = v128.load(widely, 32);
    const scaleB = v128.load(widely, 48);
    const offsetA = v128.load(widely, 96);
    const offsetB = v128.load(widely, 112);
    a = relu4(a, scaleA, scaleB, offsetA, offsetB, base);
    b = relu4(b, scaleA, scaleB, offsetA, offsetB, base);
    c = relu4(c, scaleA, scaleB, offsetA, offsetB, base);
    d = relu4(d, scaleA, scaleB, offsetA, offsetB, base);
    e = relu4(e, scaleA, scaleB, offsetA, offsetB, base);
    f = relu4(f, scaleA, scaleB, offsetA, offsetB, base);
  } else if (method === Requantization.general) {
    const round64 = v128.load(constants, ROUND_F64);
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    const scaleA = v128.load(widely, 32);
    const scaleB = v128.load(widely, 48);
    const fine = v128.load(narrowly, 96);
    a = general4(a, scaleA, scaleB, fine, round64, round32, bias);
    b = general4(b, scaleA, scaleB, fine, round64, round32, bias);
    c = general4(c, scaleA, scaleB, fine, round64, round32, bias);
    d = general4(d, scaleA, scaleB, fine, round64, round32, bias);
    e = general4(e, scaleA, scaleB, fine, round64, round32, bias);
    f = general4(f, scaleA, scaleB, fine, round64, round32, bias);
  } else if (method === Requantization.wide) {
    const shift = load<i32>(constants, SHIFT);
    const highHalf = v128.load(constants, HIGH_HALF);
    const roundHalf = v128.load(constants, WIDE_HALF);
    const multiplier = v128.load(narrowly, 32);
    const factor = v128.load(narrowly, 64);
    a = wide4(a, multiplier, factor, highHalf, roundHalf, shift);
    b = wide4(b, multiplier, factor, highHalf, roundHalf, shift);
    c = wide4(c, multiplier, factor, highHalf, roundHalf, shift);
    d = wide4(d, multiplier, factor, highHalf, roundHalf, shift);
    e = wide4(e, multiplier, factor, highHalf, roundHalf, shift);
    f = wide4(f, multiplier, factor, highHalf, roundHalf, shift);
  } else {
    a = scalar4(a, narrowly, constants);
    b = scalar4(b, narrowly, constants);
    c = scalar4(c, narrowly, constants);
    d = scalar4(d, narrowly, constants);
    e = scalar4(e, narrowly, constants);
    f = scalar4(f, narrowly, constants);
  }

  let ab = i16x8.narrow_i32x4_s(a, b);
  let cd = i16x8.narrow_i32x4_s(c, d);
  let ef = i16x8.narrow_i32x4_s(e, f);
  if (method <= Requantization.wide) {
    const zeroPoint = v128.load(constants, ZERO_POINT);
    ab = i16x8.add_sat_s(ab, zeroPoint);
    cd = i16x8.add_sat_s(cd, zeroPoint);
    ef = i16x8.add_sat_s(ef, zeroPoint);
  }
  const abcd = narrow(ab, cd, constants);
  const efef = narrow(ef, ef, constants);
  if (count >= 4) {
    v128.store_lane<i32>(out, abcd, 0);
    v128.store_lane<i32>(out + at1, abcd, 1);
    v128.store_lane<i32>(out + at2, abcd, 2);
    v128.store_lane<i32>(out + at3, abcd, 3);
    v128.store_lane<i32>(out + at4, efef, 0);
    v128.store_lane<i32>(out + at5, efef, 1);
    return;
  }
  storeFewFourTimes(out, out + at1, out + at2, out + at3, abcd, count);
  storeFewFourTimes(out + at4, out + at5, out + at4, out + at5, efef, count);
}

/**
 * simd: as storeSixHalf, for 8 positions.
 */
@inline
export function storeEightHalf(
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  e: v128,
  f: v128,
  g: v128,
  h: v128,
  block: usize,
  half: usize,
  constants: usize,
  count: i32,
  out: usize,
  at1: usize,
  at2: usize,
  at3: usize,
  at4: usize,
  at5: usize,
  at6: usize,
  at7: usize,
): void {
  const method = load<i32>(constants, METHOD);
  // Constants of 4 bytes per channel, and of 8.
  const narrowly = block + (half << 4);
  const widely = block + (half << 5);
  if (isReluSingle(block, constants)) {
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    const scale = v128.load(narrowly, 32);
    const offset = v128.load(narrowly, 64);
    a = reluSingle4(a, scale, offset, round32, bias);
    b = reluSingle4(b, scale, offset, round32, bias);
    c = reluSingle4(c, scale, offset, round32, bias);
    d = reluSingle4(d, scale, offset, round32, bias);
    e = reluSingle4(e, scale, offset, round32, bias);
    f = reluSingle4(f, scale, offset, round32, bias);
    g = reluSingle4(g, scale, offset, round32, bias);
    h = reluSingle4(h, scale, offset, round32, bias);
  } else if (method === Requantization.relu) {
    const base = v128.load(constants, RELU_BASE);
    const scaleA = v128.load(widely, 32);
    const scaleB = v128.load(widely, 48);
    const offsetA = v128.load(widely, 96);
    const offsetB = v128.load(widely, 112);
    a = relu4(a, scaleA, scaleB, offsetA, offsetB, base);
    b = relu4(b, scaleA, scaleB, offsetA, offsetB, base);
    c = relu4(c, scaleA, scaleB, offsetA, offsetB, base);
    d = relu4(d, scaleA, scaleB, offsetA, offsetB, base);
    e = relu4(e, scaleA, scaleB, offsetA, offsetB, base);
    f = relu4(f, scaleA, scaleB, offsetA, offsetB, base);
    g = relu4(g, scaleA, scaleB, offsetA, offsetB, base);
    h = relu4(h, scaleA, scaleB, offsetA, offsetB, base);
  } else if (method === Requantization.general) {
    const round64 = v128.load(constants, ROUND_F64);
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    const scaleA = v128.load(widely, 32);
    const scaleB = v128.load(widely, 48);
    const fine = v128.load(narrowly, 96);
    a = general4(a, scaleA, scaleB, fine, round64, round32, bias);
    b = general4(b, scaleA, scaleB, fine, round64, round32, bias);
    c = general4(c, scaleA, scaleB, fine, round64, round32, bias);
    d = general4(d, scaleA, scaleB, fine, round64, round32, bias);
    e = general4(e, scaleA, scaleB, fine, round64, round32, bias);
    f = general4(f, scaleA, scaleB, fine, round64, round32, bias);
    g = general4(g, scaleA, scaleB, fine, round64, round32, bias);
    h = general4(h, scaleA, scaleB, fine, round64, round32, bias);
  } else if (method === Requantization.wide) {
    const shift = load<i32>(constants, SHIFT);
    const highHalf = v128.load(constants, HIGH_HALF);
    const roundHalf = v128.load(constants, WIDE_HALF);
    const multiplier = v128.load(narrowly, 32);
    const factor = v128.load(narrowly, 64);
    a = wide4(a, multiplier, factor, highHalf, roundHalf, shift);
    b = wide4(b, multiplier, factor, highHalf, roundHalf, shift);
    c = wide4(c, multiplier, factor, highHalf, roundHalf, shift);
    d = wide4(d, multiplier, factor, highHalf, roundHalf, shift);
    e = wide4(e, multiplier, factor, highHalf, roundHalf, shift);
    f = wide4(f, multiplier, factor, highHalf, roundHalf, shift);
    g = wide4(g, multiplier, factor, highHalf, roundHalf, shift);
    h = wide4(h, multiplier, factor, highHalf, roundHalf, shift);
  } else {
    a = scalar4(a, narrowly, constants);
    b = scalar4(b, narrowly, constants);
    c = scalar4(c, narrowly, constants);
    d = scalar4(d, narrowly, constants);
    e = scalar4(e, narrowly, constants);
    f = scalar4(f, narrowly, constants);
    g = scalar4(g, narrowly, constants);
    h = scalar4(h, narrowly, constants);
  }

  let ab = i16x8.narrow_i32x4_s(a, b);
  let cd = i16x8.narrow_i32x4_s(c, d);
  let ef = i16x8.narrow_i32x4_s(e, f);
  let gh = i16x8.narrow_i32x4_s(g, h);
  if (method <= Requantization.wide) {
    const zeroPoint = v128.load(constants, ZERO_POINT);
    ab = i16x8.add_sat_s(ab, zeroPoint);
    cd = i16x8.add_sat_s(cd, zeroPoint);
    ef = i16x8.add_sat_s(ef, zeroPoint);
    gh = i16x8.add_sat_s(gh, zeroPoint);
  }
  const abcd = narrow(ab, cd, constants);
  const efgh = narrow(ef, gh, constants);
  if (count >= 4) {
    v128.store_lane<i32>(out, abcd, 0);
    v128.store_lane<i32>(out + at1, abcd, 1);
    v128.store_lane<i32>(out + at2, abcd, 2);
    v128.store_lane<i32>(out + at3, abcd, 3);
    v128.store_lane<i32>(out + at4, efgh, 0);
    v128.store_lane<i32>(out + at5, efgh, 1);
    v128.store_lane<i32>(out + at6, efgh, 2);
    v128.store_lane<i32>(out + at7, efgh, 3);
    return;
  }
  storeFewFourTimes(out, out + at1, out + at2, out + at3, abcd, count);
  storeFewFourTimes(out + at4, out + at5, out + at6, out + at7, efgh, count);
}

/**
 * relaxed: as storeTile, for 6 positions, each to an address of its own. Methods that few blocks have go by calls; S is i8 where `generalFused` in doubles is
 * not among these: convolutions without an activation, one filter of some of which has no constants in float32, and a block of two takes 1.4 times as long then.
 * (One call for all methods but float32 leaves more in memory beside the loop: micro_speech takes 1.035 times as long.)
 */
@inline
export function storeSix<S>(
  a0: v128,
  a1: v128,
  b0: v128,
  b1: v128,
  c0: v128,
  c1: v128,
  d0: v128,
  d1: v128,
  e0: v128,
  e1: v128,
  f0: v128,
  f1: v128,
  block: usize,
  constants: usize,
  count: i32,
  toA: usize,
  toB: usize,
  toC: usize,
  toD: usize,
  toE: usize,
  toF: usize,
): void {
  let a: v128;
  let b: v128;
  let c: v128;
  let d: v128;
  let e: v128;
  let f: v128;
  if (isReluFusedSingle(block, constants)) {
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    a0 = reluFusedSingle4(a0, scale, offset, bias);
    b0 = reluFusedSingle4(b0, scale, offset, bias);
    c0 = reluFusedSingle4(c0, scale, offset, bias);
    d0 = reluFusedSingle4(d0, scale, offset, bias);
    e0 = reluFusedSingle4(e0, scale, offset, bias);
    f0 = reluFusedSingle4(f0, scale, offset, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    a = i16x8.narrow_i32x4_s(a0, reluFusedSingle4(a1, scale, offset, bias));
    b = i16x8.narrow_i32x4_s(b0, reluFusedSingle4(b1, scale, offset, bias));
    c = i16x8.narrow_i32x4_s(c0, reluFusedSingle4(c1, scale, offset, bias));
    d = i16x8.narrow_i32x4_s(d0, reluFusedSingle4(d1, scale, offset, bias));
    e = i16x8.narrow_i32x4_s(e0, reluFusedSingle4(e1, scale, offset, bias));
    f = i16x8.narrow_i32x4_s(f0, reluFusedSingle4(f1, scale, offset, bias));
  } else if (isGeneralFusedSingle(block, constants)) {
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    let fine = v128.load(block, 96);
    a0 = generalFusedSingle4(a0, scale, offset, fine, round32, bias);
    b0 = generalFusedSingle4(b0, scale, offset, fine, round32, bias);
    c0 = generalFusedSingle4(c0, scale, offset, fine, round32, bias);
    d0 = generalFusedSingle4(d0, scale, offset, fine, round32, bias);
    e0 = generalFusedSingle4(e0, scale, offset, fine, round32, bias);
    f0 = generalFusedSingle4(f0, scale, offset, fine, round32, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    fine = v128.load(block, 112);
    a = i16x8.narrow_i32x4_s(a0, generalFusedSingle4(a1, scale, offset, fine, round32, bias));
    b = i16x8.narrow_i32x4_s(b0, generalFusedSingle4(b1, scale, offset, fine, round32, bias));
    c = i16x8.narrow_i32x4_s(c0, generalFusedSingle4(c1, scale, offset, fine, round32, bias));
    d = i16x8.narrow_i32x4_s(d0, generalFusedSingle4(d1, scale, offset, fine, round32, bias));
    e = i16x8.narrow_i32x4_s(e0, generalFusedSingle4(e1, scale, offset, fine, round32, bias));
    f = i16x8.narrow_i32x4_s(f0, generalFusedSingle4(f1, scale, offset, fine, round32, bias));
  } else if (load<i32>(constants, METHOD) === Requantization.reluFused) {
    const base = v128.load(constants, RELU_BASE);
    const above = v128.load(constants, UNSIGNED_HIGH);
    let scale01 = v128.load(block, 32);
    let scale23 = v128.load(block, 48);
    let offset01 = v128.load(block, 96);
    let offset23 = v128.load(block, 112);
    a0 = reluFused4(a0, scale01, scale23, offset01, offset23, base, above);
    b0 = reluFused4(b0, scale01, scale23, offset01, offset23, base, above);
    c0 = reluFused4(c0, scale01, scale23, offset01, offset23, base, above);
    d0 = reluFused4(d0, scale01, scale23, offset01, offset23, base, above);
    e0 = reluFused4(e0, scale01, scale23, offset01, offset23, base, above);
    f0 = reluFused4(f0, scale01, scale23, offset01, offset23, base, above);
    scale01 = v128.load(block, 64);
    scale23 = v128.load(block, 80);
    offset01 = v128.load(block, 128);
    offset23 = v128.load(block, 144);
    a = i16x8.narrow_i32x4_s(a0, reluFused4(a1, scale01, scale23, offset01, offset23, base, above));
    b = i16x8.narrow_i32x4_s(b0, reluFused4(b1, scale01, scale23, offset01, offset23, base, above));
    c = i16x8.narrow_i32x4_s(c0, reluFused4(c1, scale01, scale23, offset01, offset23, base, above));
    d = i16x8.narrow_i32x4_s(d0, reluFused4(d1, scale01, scale23, offset01, offset23, base, above));
    e = i16x8.narrow_i32x4_s(e0, reluFused4(e1, scale01, scale23, offset01, offset23, base, above));
    f = i16x8.narrow_i32x4_s(f0, reluFused4(f1, scale01, scale23, offset01, offset23, base, above));
  } else if (sizeof<S>() === 1 && load<i32>(constants, METHOD) === Requantization.generalFused) {
    const above = v128.load(constants, UNSIGNED_HIGH);
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale01 = v128.load(block, 32);
    let scale23 = v128.load(block, 48);
    let offset01 = v128.load(block, 128);
    let offset23 = v128.load(block, 144);
    let fine = v128.load(block, 96);
    a0 = generalFused4(a0, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    b0 = generalFused4(b0, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    c0 = generalFused4(c0, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    d0 = generalFused4(d0, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    e0 = generalFused4(e0, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    f0 = generalFused4(f0, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    scale01 = v128.load(block, 64);
    scale23 = v128.load(block, 80);
    offset01 = v128.load(block, 160);
    offset23 = v128.load(block, 176);
    fine = v128.load(block, 112);
    a1 = generalFused4(a1, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    b1 = generalFused4(b1, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    c1 = generalFused4(c1, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    d1 = generalFused4(d1, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    e1 = generalFused4(e1, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    f1 = generalFused4(f1, scale01, scale23, offset01, offset23, fine, round32, bias, above);
    a = i16x8.narrow_i32x4_s(a0, a1);
    b = i16x8.narrow_i32x4_s(b0, b1);
    c = i16x8.narrow_i32x4_s(c0, c1);
    d = i16x8.narrow_i32x4_s(d0, d1);
    e = i16x8.narrow_i32x4_s(e0, e1);
    f = i16x8.narrow_i32x4_s(f0, f1);
  } else {
    a = requantizeRow(a0, a1, block, constants);
    b = requantizeRow(b0, b1, block, constants);
    c = requantizeRow(c0, c1, block, constants);
    d = requantizeRow(d0, d1, block, constants);
    e = requantizeRow(e0, e1, block, constants);
    f = requantizeRow(f0, f1, block, constants);
  }
  let ab = saturateSixteen(a, b);
  let cd = saturateSixteen(c, d);
  let ef = saturateSixteen(e, f);
  if (!isWholeRange(constants)) {
    ab = clampBytes(ab, constants);
    cd = clampBytes(cd, constants);
    ef = clampBytes(ef, constants);
  }
  if (count >= 8) {
    v128.store_lane<i64>(toA, ab, 0);
    v128.store_lane<i64>(toB, ab, 1);
    v128.store_lane<i64>(toC, cd, 0);
    v128.store_lane<i64>(toD, cd, 1);
    v128.store_lane<i64>(toE, ef, 0);
    v128.store_lane<i64>(toF, ef, 1);
    return;
  }
  storeFewTwice(toA, toB, ab, count);
  storeFewTwice(toC, toD, cd, count);
  storeFewTwice(toE, toF, ef, count);
}

/**
 * relaxed: as storeSix, for 3 positions × 16 channels of two blocks: a to c are the first one's, d to f the second's. Positions are `step` bytes apart.
 */
@inline
export function storeThreeTwice(
  a0: v128,
  a1: v128,
  b0: v128,
  b1: v128,
  c0: v128,
  c1: v128,
  d0: v128,
  d1: v128,
  e0: v128,
  e1: v128,
  f0: v128,
  f1: v128,
  block: usize,
  second: usize,
  constants: usize,
  count: i32,
  out: usize,
  step: usize,
): void {
  let a: v128;
  let b: v128;
  let c: v128;
  let d: v128;
  let e: v128;
  let f: v128;
  if (isReluFusedSingle(block, constants) && isReluFusedSingle(second, constants)) {
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    a0 = reluFusedSingle4(a0, scale, offset, bias);
    b0 = reluFusedSingle4(b0, scale, offset, bias);
    c0 = reluFusedSingle4(c0, scale, offset, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    a = i16x8.narrow_i32x4_s(a0, reluFusedSingle4(a1, scale, offset, bias));
    b = i16x8.narrow_i32x4_s(b0, reluFusedSingle4(b1, scale, offset, bias));
    c = i16x8.narrow_i32x4_s(c0, reluFusedSingle4(c1, scale, offset, bias));
    scale = v128.load(second, 32);
    offset = v128.load(second, 64);
    d0 = reluFusedSingle4(d0, scale, offset, bias);
    e0 = reluFusedSingle4(e0, scale, offset, bias);
    f0 = reluFusedSingle4(f0, scale, offset, bias);
    scale = v128.load(second, 48);
    offset = v128.load(second, 80);
    d = i16x8.narrow_i32x4_s(d0, reluFusedSingle4(d1, scale, offset, bias));
    e = i16x8.narrow_i32x4_s(e0, reluFusedSingle4(e1, scale, offset, bias));
    f = i16x8.narrow_i32x4_s(f0, reluFusedSingle4(f1, scale, offset, bias));
  } else if (isGeneralFusedSingle(block, constants) && isGeneralFusedSingle(second, constants)) {
    const round32 = v128.load(constants, ROUND_F32);
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    let fine = v128.load(block, 96);
    a0 = generalFusedSingle4(a0, scale, offset, fine, round32, bias);
    b0 = generalFusedSingle4(b0, scale, offset, fine, round32, bias);
    c0 = generalFusedSingle4(c0, scale, offset, fine, round32, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    fine = v128.load(block, 112);
    a = i16x8.narrow_i32x4_s(a0, generalFusedSingle4(a1, scale, offset, fine, round32, bias));
    b = i16x8.narrow_i32x4_s(b0, generalFusedSingle4(b1, scale, offset, fine, round32, bias));
    c = i16x8.narrow_i32x4_s(c0, generalFusedSingle4(c1, scale, offset, fine, round32, bias));
    scale = v128.load(second, 32);
    offset = v128.load(second, 64);
    fine = v128.load(second, 96);
    d0 = generalFusedSingle4(d0, scale, offset, fine, round32, bias);
    e0 = generalFusedSingle4(e0, scale, offset, fine, round32, bias);
    f0 = generalFusedSingle4(f0, scale, offset, fine, round32, bias);
    scale = v128.load(second, 48);
    offset = v128.load(second, 80);
    fine = v128.load(second, 112);
    d = i16x8.narrow_i32x4_s(d0, generalFusedSingle4(d1, scale, offset, fine, round32, bias));
    e = i16x8.narrow_i32x4_s(e0, generalFusedSingle4(e1, scale, offset, fine, round32, bias));
    f = i16x8.narrow_i32x4_s(f0, generalFusedSingle4(f1, scale, offset, fine, round32, bias));
  } else {
    a = requantizeRow(a0, a1, block, constants);
    b = requantizeRow(b0, b1, block, constants);
    c = requantizeRow(c0, c1, block, constants);
    d = requantizeRow(d0, d1, second, constants);
    e = requantizeRow(e0, e1, second, constants);
    f = requantizeRow(f0, f1, second, constants);
  }
  const ad = narrow(a, d, constants);
  const be = narrow(b, e, constants);
  const cf = narrow(c, f, constants);
  const next = out + step;
  const last = next + step;
  if (count >= 16) {
    v128.store(out, ad);
    v128.store(next, be);
    v128.store(last, cf);
    return;
  }
  v128.store_lane<i64>(out, ad, 0);
  v128.store_lane<i64>(next, be, 0);
  v128.store_lane<i64>(last, cf, 0);
  storeFew(out + 8, i64x2.extract_lane(ad, 1), count - 8);
  storeFew(next + 8, i64x2.extract_lane(be, 1), count - 8);
  storeFew(last + 8, i64x2.extract_lane(cf, 1), count - 8);
}
