import { multiplyAdd } from "./dot.ts";
import { clampSixteen, clampStored, saturateSixteen } from "./eight.ts";
import { storedActivation } from "../storage.ts";
import { FLOAT_BIAS, LOWER, narrow, reluFusedSingle4, storeFew, storeFewTwice, UPPER } from "./epilogue.ts";

/**
 * relaxed: loops in which the weights and constants of a block of 8 channels stay in registers while all pixels pass. For sums so short that what
 * surrounds a tile (conv-strip.ts, depthwise-octet.ts) is more work than the products. All are of blocks of isReluFusedSingle: two operations and
 * three vectors of constants requantise four sums.
 */

/** Of a strip of one row group. */
export const COLUMN_BYTES: usize = 32;
/** Steps that shortRow takes: the first two's weights find registers. */
export const MIN_SHORT_STEPS = 2;
export const MAX_SHORT_STEPS = 4;

/**
 * An even number `width` of pixels, `pixelStep` bytes apart, × `count` channels, of which 8 at most are the block's, to `out` and every `outStep`
 * bytes, which are nowhere that a pixel is. A pixel is `steps` fours of input, `stride` bytes apart. S is i8 where isWholeRange is true, else i16: two functions,
 * one of which does not clamp.
 */
export function shortRow<S>(
  pixel: usize,
  pixelStep: usize,
  width: i32,
  steps: i32,
  stride: usize,
  block: usize,
  head: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
): void {
  const isWhole = sizeof<S>() === 1;
  const weights = block + head;
  const w0 = v128.load(weights);
  const w1 = v128.load(weights, 16);
  const w2 = v128.load(weights, 32);
  const w3 = v128.load(weights, 48);
  const scale0 = v128.load(block, 32);
  const scale1 = v128.load(block, 48);
  const offset0 = v128.load(block, 64);
  const offset1 = v128.load(block, 80);
  const bias = v128.load(constants, FLOAT_BIAS);
  const lower = v128.load(constants, LOWER);
  const upper = v128.load(constants, UPPER);
  for (const end = pixel + <usize>width * pixelStep; pixel < end;) {
    const next = pixel + pixelStep;
    let x = v128.load_splat<i32>(pixel);
    let a0 = multiplyAdd(w0, x, v128.load(block));
    let a1 = multiplyAdd(w1, x, v128.load(block, 16));
    x = v128.load_splat<i32>(next);
    let b0 = multiplyAdd(w0, x, v128.load(block));
    let b1 = multiplyAdd(w1, x, v128.load(block, 16));
    x = v128.load_splat<i32>(pixel + stride);
    a0 = multiplyAdd(w2, x, a0);
    a1 = multiplyAdd(w3, x, a1);
    x = v128.load_splat<i32>(next + stride);
    b0 = multiplyAdd(w2, x, b0);
    b1 = multiplyAdd(w3, x, b1);
    if (steps > 2) {
      const p = pixel + (stride << 1);
      const q = next + (stride << 1);
      let w = v128.load(weights, 64);
      let u = v128.load(weights, 80);
      x = v128.load_splat<i32>(p);
      a0 = multiplyAdd(w, x, a0);
      a1 = multiplyAdd(u, x, a1);
      x = v128.load_splat<i32>(q);
      b0 = multiplyAdd(w, x, b0);
      b1 = multiplyAdd(u, x, b1);
      if (steps > 3) {
        w = v128.load(weights, 96);
        u = v128.load(weights, 112);
        x = v128.load_splat<i32>(p + stride);
        a0 = multiplyAdd(w, x, a0);
        a1 = multiplyAdd(u, x, a1);
        x = v128.load_splat<i32>(q + stride);
        b0 = multiplyAdd(w, x, b0);
        b1 = multiplyAdd(u, x, b1);
      }
    }
    a0 = reluFusedSingle4(a0, scale0, offset0, bias);
    a1 = reluFusedSingle4(a1, scale1, offset1, bias);
    b0 = reluFusedSingle4(b0, scale0, offset0, bias);
    b1 = reluFusedSingle4(b1, scale1, offset1, bias);
    const a = i16x8.narrow_i32x4_s(a0, a1);
    const b = i16x8.narrow_i32x4_s(b0, b1);
    const bytes = isWhole ? saturateSixteen(a, b) : clampSixteen(a, b, lower, upper);
    if (count >= 8) {
      v128.store_lane<i64>(out, bytes, 0);
      v128.store_lane<i64>(out + outStep, bytes, 1);
    } else {
      storeFewTwice(out, out + outStep, bytes, count);
    }
    pixel = next + pixelStep;
    out += outStep << 1;
  }
}

/**
 * One output row, of two pixels and more, of three dot products that lie side by side in a strip (depthwise-strip.ts): three taps of one row group, or
 * one of three. `count` channels, of which 8 at most are the block's. An odd width's last pixel is computed with the one before it, which is stored again.
 */
export function threeTaps(
  strip: usize,
  pixelBytes: usize,
  block: usize,
  head: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const weights = block + head;
  const u0 = v128.load(weights);
  const u1 = v128.load(weights, 16);
  const v0 = v128.load(weights, 32);
  const v1 = v128.load(weights, 48);
  const w0 = v128.load(weights, 64);
  const w1 = v128.load(weights, 80);
  const scale0 = v128.load(block, 32);
  const scale1 = v128.load(block, 48);
  const offset0 = v128.load(block, 64);
  const offset1 = v128.load(block, 80);
  for (; width > 0; width -= 2) {
    if (width === 1) {
      strip -= pixelBytes;
      out -= outStep;
    }
    // Read anew, as the clamps are: weights, scales and offsets leave five registers.
    const bias = v128.load(constants, FLOAT_BIAS);
    const next = strip + pixelBytes;
    let start = v128.load(block);
    let a0 = multiplyAdd(u0, v128.load(strip), start);
    a0 = multiplyAdd(v0, v128.load(strip, 32), a0);
    a0 = multiplyAdd(w0, v128.load(strip, 64), a0);
    a0 = reluFusedSingle4(a0, scale0, offset0, bias);
    let b0 = multiplyAdd(u0, v128.load(next), start);
    b0 = multiplyAdd(v0, v128.load(next, 32), b0);
    b0 = multiplyAdd(w0, v128.load(next, 64), b0);
    b0 = reluFusedSingle4(b0, scale0, offset0, bias);
    start = v128.load(block, 16);
    let a1 = multiplyAdd(u1, v128.load(strip, 16), start);
    a1 = multiplyAdd(v1, v128.load(strip, 48), a1);
    a1 = multiplyAdd(w1, v128.load(strip, 80), a1);
    a1 = reluFusedSingle4(a1, scale1, offset1, bias);
    const a = i16x8.narrow_i32x4_s(a0, a1);
    let b1 = multiplyAdd(u1, v128.load(next, 16), start);
    b1 = multiplyAdd(v1, v128.load(next, 48), b1);
    b1 = multiplyAdd(w1, v128.load(next, 80), b1);
    b1 = reluFusedSingle4(b1, scale1, offset1, bias);
    const bytes = narrow(a, i16x8.narrow_i32x4_s(b0, b1), constants);
    if (count >= 8) {
      v128.store_lane<i64>(out, bytes, 0);
      v128.store_lane<i64>(out + outStep, bytes, 1);
    } else {
      storeFewTwice(out, out + outStep, bytes, count);
    }
    strip = next + pixelBytes;
    out += outStep << 1;
  }
}

/**
 * As threeTaps, at stride 2, of three rows of input as they lie, at p, q and r, pixels `step` bytes apart: `padLeft` columns of padding, no more than one,
 * `inside` of input, then padding, which is put together at `edge`, 48 bytes. A strip's columns would be stored and loaded for two outputs at most.
 * S as in shortRow.
 */
export function threeColumns<S>(
  p: usize,
  q: usize,
  r: usize,
  step: usize,
  padLeft: i32,
  inside: i32,
  zeroPoint: i32,
  edge: usize,
  block: usize,
  head: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const weights = block + head;
  const u0 = v128.load(weights);
  const u1 = v128.load(weights, 16);
  const v0 = v128.load(weights, 32);
  const v1 = v128.load(weights, 48);
  const w0 = v128.load(weights, 64);
  const w1 = v128.load(weights, 80);
  const bias = v128.load(constants, FLOAT_BIAS);
  const padding = i8x16.splat(<i8>storedActivation(zeroPoint));
  let x0 = padding;
  let x1 = padding;
  if (padLeft === 0) {
    const a = sideBySide(p, q);
    const b = v128.load_ext<u8>(r);
    x0 = lowHalf(a, b);
    x1 = highHalf(a, b);
    p += step;
    q += step;
    r += step;
    inside--;
  }
  for (; width > 0; width--) {
    if (inside < 2) {
      // Two columns of three rows at the edge, one of input at most.
      v128.store(edge, padding);
      v128.store(edge, padding, 16);
      v128.store(edge, padding, 32);
      if (inside > 0) {
        store<u64>(edge, load<u64>(p));
        store<u64>(edge, load<u64>(q), 16);
        store<u64>(edge, load<u64>(r), 32);
      }
      p = edge;
      q = edge + 16;
      r = edge + 32;
      step = 8;
    }
    let a0 = multiplyAdd(u0, x0, v128.load(block));
    let a1 = multiplyAdd(u1, x1, v128.load(block, 16));
    let a = sideBySide(p, q);
    let b = v128.load_ext<u8>(r);
    a0 = multiplyAdd(v0, lowHalf(a, b), a0);
    a1 = multiplyAdd(v1, highHalf(a, b), a1);
    p += step;
    q += step;
    r += step;
    a = sideBySide(p, q);
    b = v128.load_ext<u8>(r);
    x0 = lowHalf(a, b);
    x1 = highHalf(a, b);
    p += step;
    q += step;
    r += step;
    a0 = multiplyAdd(w0, x0, a0);
    a1 = multiplyAdd(w1, x1, a1);
    a0 = reluFusedSingle4(a0, v128.load(block, 32), v128.load(block, 64), bias);
    a1 = reluFusedSingle4(a1, v128.load(block, 48), v128.load(block, 80), bias);
    const values = i16x8.narrow_i32x4_s(a0, a1);
    const bytes = sizeof<S>() === 1 ? saturateSixteen(values, values) : narrow(values, values, constants);
    if (count >= 8) v128.store_lane<i64>(out, bytes, 0);
    else storeFew(out, i64x2.extract_lane(bytes, 0), count);
    inside -= 2;
    out += outStep;
  }
}

/** Eight channels of two rows, side by side. */
function sideBySide(p: usize, q: usize): v128 {
  return v128.shuffle<i8>(
    v128.load_zero<i64>(p),
    v128.load_zero<i64>(q),
    0,
    16,
    1,
    17,
    2,
    18,
    3,
    19,
    4,
    20,
    5,
    21,
    6,
    22,
    7,
    23,
  );
}

/** Four rows of the first four of eight channels, from two and two. */
function lowHalf(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** And of the other four. */
function highHalf(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/**
 * As threeTaps, of `rows` output rows, each two of which are packed together, in strips `pairBytes` apart: three taps at stride 1, so that columns are 32
 * bytes apart. Four channels at a time, whose weights for two rows find registers: the first four's outputs go to `halves`, 16 bytes for each two pixels of two
 * rows, and from there out with the others, since eight bytes are stored in less time than twice four. S is i8 for the first half, for the second i16 where
 * isWholeRange is true, else i32. An odd last row is stored over what a row below it would have been.
 */
export function threeTapsTwice<S>(
  strip: usize,
  pairBytes: usize,
  block: usize,
  head: usize,
  count: i32,
  constants: usize,
  halves: usize,
  out: usize,
  outStep: usize,
  outRowStep: usize,
  width: i32,
  rows: i32,
): void {
  const isFirst = sizeof<S>() === 1;
  const isWhole = sizeof<S>() === 2;
  const half: usize = isFirst ? 0 : 16;
  const channel = block + half;
  const weights = channel + head;
  const u0 = v128.load(weights);
  const v0 = v128.load(weights, 32);
  const u1 = v128.load(weights, 64);
  const v1 = v128.load(weights, 96);
  const u2 = v128.load(weights, 128);
  const v2 = v128.load(weights, 160);
  const scale = v128.load(channel, 32);
  const offset = v128.load(channel, 64);
  const bias = v128.load(constants, FLOAT_BIAS);
  strip += half;
  for (; rows > 0; rows -= 2) {
    const toBelow = rows > 1 ? outRowStep : 0;
    let p = strip;
    let to = out;
    let left = width;
    for (; left > 1; left -= 2) {
      const start = v128.load(channel);
      const x0 = v128.load(p);
      const x1 = v128.load(p, 32);
      const x2 = v128.load(p, 64);
      let a = multiplyAdd(u2, x2, multiplyAdd(u1, x1, multiplyAdd(u0, x0, start)));
      let b = multiplyAdd(v2, x2, multiplyAdd(v1, x1, multiplyAdd(v0, x0, start)));
      a = reluFusedSingle4(a, scale, offset, bias);
      b = reluFusedSingle4(b, scale, offset, bias);
      const first = i16x8.narrow_i32x4_s(a, b);
      const x3 = v128.load(p, 96);
      a = multiplyAdd(u2, x3, multiplyAdd(u1, x2, multiplyAdd(u0, x1, start)));
      b = multiplyAdd(v2, x3, multiplyAdd(v1, x2, multiplyAdd(v0, x1, start)));
      a = reluFusedSingle4(a, scale, offset, bias);
      b = reluFusedSingle4(b, scale, offset, bias);
      const bytes = saturateSixteen(first, i16x8.narrow_i32x4_s(a, b));
      if (isFirst) {
        v128.store(halves, bytes);
      } else {
        const others = v128.load(halves);
        let here = v128.shuffle<i32>(others, bytes, 0, 4, 1, 5);
        let next = v128.shuffle<i32>(others, bytes, 2, 6, 3, 7);
        if (!isWhole) {
          here = clampStored(here, v128.load(constants, LOWER), v128.load(constants, UPPER));
          next = clampStored(next, v128.load(constants, LOWER), v128.load(constants, UPPER));
        }
        const below = to + toBelow;
        if (count >= 8) {
          v128.store_lane<i64>(below, here, 1);
          v128.store_lane<i64>(to, here, 0);
          v128.store_lane<i64>(below + outStep, next, 1);
          v128.store_lane<i64>(to + outStep, next, 0);
        } else {
          storeFew(below, i64x2.extract_lane(here, 1), count);
          storeFew(to, i64x2.extract_lane(here, 0), count);
          storeFew(below + outStep, i64x2.extract_lane(next, 1), count);
          storeFew(to + outStep, i64x2.extract_lane(next, 0), count);
        }
      }
      halves += 16;
      p += 2 * COLUMN_BYTES;
      to += outStep << 1;
    }
    if (left > 0) {
      const start = v128.load(channel);
      const x0 = v128.load(p);
      const x1 = v128.load(p, 32);
      const x2 = v128.load(p, 64);
      let a = multiplyAdd(u2, x2, multiplyAdd(u1, x1, multiplyAdd(u0, x0, start)));
      let b = multiplyAdd(v2, x2, multiplyAdd(v1, x1, multiplyAdd(v0, x0, start)));
      a = reluFusedSingle4(a, scale, offset, bias);
      b = reluFusedSingle4(b, scale, offset, bias);
      const values = i16x8.narrow_i32x4_s(a, b);
      const bytes = saturateSixteen(values, values);
      if (isFirst) {
        v128.store(halves, bytes);
      } else {
        let here = v128.shuffle<i32>(v128.load(halves), bytes, 0, 4, 1, 5);
        if (!isWhole) here = clampStored(here, v128.load(constants, LOWER), v128.load(constants, UPPER));
        const below = to + toBelow;
        if (count >= 8) {
          v128.store_lane<i64>(below, here, 1);
          v128.store_lane<i64>(to, here, 0);
        } else {
          storeFew(below, i64x2.extract_lane(here, 1), count);
          storeFew(to, i64x2.extract_lane(here, 0), count);
        }
      }
      halves += 16;
    }
    strip += pairBytes;
    out += outRowStep << 1;
  }
}
