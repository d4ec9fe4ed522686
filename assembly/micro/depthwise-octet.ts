import { multiplyAdd } from "./dot.ts";
import { clampStored, saturateSixteen } from "./eight.ts";
import { FLOAT_BIAS, LOWER, narrow, reluFusedSingle4, storeFew, storeFewTwice, UPPER } from "./epilogue.ts";
import { storeSix } from "./store-tile.ts";

/**
 * relaxed: the loops over one or two rows of a depthwise strip (depthwise-strip.ts), tiles of six pixels or five, 8 channels at a time: with a fused
 * dot product 12 accumulators, an operand of each kind and what the epilogue needs find registers in the engines that have one (V8 13.6).
 * Where fewer pixels are left a tile begins before the last one has ended, or meets its last pixel again. The loops are over taps even where
 * these are three: written out, the optimiser of the build computes pixel by pixel, and what they share waits in memory (1.13 times the time of
 * kws_dscnn).
 */

/** One output row: six columns. */
export function oneRow(
  strip: usize,
  pixelBytes: usize,
  tapJump: usize,
  steps: i32,
  runs: i32,
  block: usize,
  head: usize,
  weightStep: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  // Two pointers, of which two columns each are told, not one and five: an engine's sixteen registers hold these (V8 13.6 had four of the others in memory).
  const last = width - 1;
  const i1 = min(1, last);
  const i2 = min(2, last);
  const i3 = min(3, last - i2);
  const p1 = <usize>i1 * pixelBytes;
  const p2 = <usize>i2 * pixelBytes;
  const p3 = <usize>i3 * pixelBytes;
  const o1 = <usize>i1 * outStep;
  const o2 = <usize>i2 * outStep;
  const o3 = <usize>i3 * outStep;
  const full = min(width, 6);
  for (let left = width; left > 0; left -= 6) {
    if (left < full) {
      const back = <usize>(full - left);
      strip -= back * pixelBytes;
      out -= back * outStep;
    }
    let a0 = v128.load(block);
    let b0 = a0;
    let c0 = a0;
    let d0 = a0;
    let e0 = a0;
    let f0 = a0;
    let a1 = v128.load(block, 16);
    let b1 = a1;
    let c1 = a1;
    let d1 = a1;
    let e1 = a1;
    let f1 = a1;
    let q = strip;
    let r = strip + p3;
    let w = block + head;
    for (let run = runs; run > 0; run--) {
      for (let k = steps; k > 0; k--) {
        let v = v128.load(w);
        a0 = multiplyAdd(v, v128.load(q), a0);
        b0 = multiplyAdd(v, v128.load(q + p1), b0);
        c0 = multiplyAdd(v, v128.load(q + p2), c0);
        d0 = multiplyAdd(v, v128.load(r), d0);
        e0 = multiplyAdd(v, v128.load(r + p1), e0);
        f0 = multiplyAdd(v, v128.load(r + p2), f0);
        v = v128.load(w, 16);
        a1 = multiplyAdd(v, v128.load(q, 16), a1);
        b1 = multiplyAdd(v, v128.load(q + p1, 16), b1);
        c1 = multiplyAdd(v, v128.load(q + p2, 16), c1);
        d1 = multiplyAdd(v, v128.load(r, 16), d1);
        e1 = multiplyAdd(v, v128.load(r + p1, 16), e1);
        f1 = multiplyAdd(v, v128.load(r + p2, 16), f1);
        q += 32;
        r += 32;
        w += weightStep;
      }
      q += tapJump;
      r += tapJump;
    }
    const far = out + o3;
    storeSix<i16>(
      a0,
      a1,
      b0,
      b1,
      c0,
      c1,
      d0,
      d1,
      e0,
      e1,
      f0,
      f1,
      block,
      constants,
      count,
      out,
      out + o1,
      out + o2,
      far,
      far + o1,
      far + o2,
    );
    strip += 6 * pixelBytes;
    out += 6 * outStep;
  }
}

/** Whether fives of `width` pixels leave fewer over than sixes. */
export function fitsFives(width: i32): bool {
  return ((width + 4) / 5) * 5 < ((width + 5) / 6) * 6;
}

/** As oneRow, by fives: of a block of isReluFusedSingle, and of taps that follow each other. */
export function oneRowByFives(
  strip: usize,
  pixelBytes: usize,
  steps: i32,
  block: usize,
  head: usize,
  weightStep: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const last = width - 1;
  const i1 = min(1, last);
  const i2 = min(2, last);
  const i3 = min(3, last - i1);
  const p1 = <usize>i1 * pixelBytes;
  const p2 = <usize>i2 * pixelBytes;
  const p3 = <usize>i3 * pixelBytes;
  const o1 = <usize>i1 * outStep;
  const o2 = <usize>i2 * outStep;
  const o3 = <usize>i3 * outStep;
  const full = min(width, 5);
  for (let left = width; left > 0; left -= 5) {
    if (left < full) {
      const back = <usize>(full - left);
      strip -= back * pixelBytes;
      out -= back * outStep;
    }
    let a0 = v128.load(block);
    let b0 = a0;
    let c0 = a0;
    let d0 = a0;
    let e0 = a0;
    let a1 = v128.load(block, 16);
    let b1 = a1;
    let c1 = a1;
    let d1 = a1;
    let e1 = a1;
    let q = strip;
    let r = strip + p3;
    let w = block + head;
    for (let k = steps; k > 0; k--) {
      const v = v128.load(w);
      const u = v128.load(w, 16);
      a0 = multiplyAdd(v, v128.load(q), a0);
      a1 = multiplyAdd(u, v128.load(q, 16), a1);
      b0 = multiplyAdd(v, v128.load(q + p1), b0);
      b1 = multiplyAdd(u, v128.load(q + p1, 16), b1);
      c0 = multiplyAdd(v, v128.load(q + p2), c0);
      c1 = multiplyAdd(u, v128.load(q + p2, 16), c1);
      d0 = multiplyAdd(v, v128.load(r), d0);
      d1 = multiplyAdd(u, v128.load(r, 16), d1);
      e0 = multiplyAdd(v, v128.load(r + p1), e0);
      e1 = multiplyAdd(u, v128.load(r + p1, 16), e1);
      q += 32;
      r += 32;
      w += weightStep;
    }
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    a0 = reluFusedSingle4(a0, scale, offset, bias);
    b0 = reluFusedSingle4(b0, scale, offset, bias);
    c0 = reluFusedSingle4(c0, scale, offset, bias);
    d0 = reluFusedSingle4(d0, scale, offset, bias);
    e0 = reluFusedSingle4(e0, scale, offset, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    const a = i16x8.narrow_i32x4_s(a0, reluFusedSingle4(a1, scale, offset, bias));
    const b = i16x8.narrow_i32x4_s(b0, reluFusedSingle4(b1, scale, offset, bias));
    const c = i16x8.narrow_i32x4_s(c0, reluFusedSingle4(c1, scale, offset, bias));
    const d = i16x8.narrow_i32x4_s(d0, reluFusedSingle4(d1, scale, offset, bias));
    const e = i16x8.narrow_i32x4_s(e0, reluFusedSingle4(e1, scale, offset, bias));
    const ab = narrow(a, b, constants);
    const cd = narrow(c, d, constants);
    const ee = narrow(e, e, constants);
    const far = out + o3;
    if (count >= 8) {
      v128.store_lane<i64>(out, ab, 0);
      v128.store_lane<i64>(out + o1, ab, 1);
      v128.store_lane<i64>(out + o2, cd, 0);
      v128.store_lane<i64>(far, cd, 1);
      v128.store_lane<i64>(far + o1, ee, 0);
    } else {
      storeFewTwice(out, out + o1, ab, count);
      storeFewTwice(out + o2, far, cd, count);
      storeFew(far + o1, i64x2.extract_lane(ee, 0), count);
    }
    strip += 5 * pixelBytes;
    out += 5 * outStep;
  }
}

/** As fitsFives, of tiles of three. */
export function fitsTwoRowsByFives(width: i32): bool {
  return ((width + 4) / 5) * 5 < ((width + 2) / 3) * 3;
}

/**
 * As twoRows, by fives, of five columns and more: of a block of isReluFusedSingle, four channels of it and then the others, so that the sums of ten outputs find
 * registers. S is i8 where isWholeRange is true, else i16.
 */
export function twoRowsByFives<S>(
  strip: usize,
  pixelBytes: usize,
  steps: i32,
  block: usize,
  head: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  outRowStep: usize,
  width: i32,
): void {
  const p2 = pixelBytes << 1;
  const p4 = pixelBytes << 2;
  const o2 = outStep << 1;
  for (let left = width; left > 0; left -= 5) {
    if (left < 5) {
      const back = <usize>(5 - left);
      strip -= back * pixelBytes;
      out -= back * outStep;
    }
    // Of the first four channels, bytes of both rows of column 0, both of 1, then of 2 and 3, and of 4.
    let first01 = i32x4.splat(0);
    let first23 = first01;
    let first4 = first01;
    for (let half: usize = 0; half < 32; half += 16) {
      const channel = block + half;
      let a = v128.load(channel);
      let b = a;
      let c = a;
      let d = a;
      let e = a;
      let f = a;
      let g = a;
      let h = a;
      let i = a;
      let j = a;
      let q = strip + half;
      let r = q + p2 + pixelBytes;
      let w = channel + head;
      for (let k = steps; k > 0; k--) {
        const v = v128.load(w);
        const u = v128.load(w, 32);
        let x = v128.load(q);
        a = multiplyAdd(v, x, a);
        f = multiplyAdd(u, x, f);
        x = v128.load(q + pixelBytes);
        b = multiplyAdd(v, x, b);
        g = multiplyAdd(u, x, g);
        x = v128.load(q + p2);
        c = multiplyAdd(v, x, c);
        h = multiplyAdd(u, x, h);
        x = v128.load(r);
        d = multiplyAdd(v, x, d);
        i = multiplyAdd(u, x, i);
        x = v128.load(r + pixelBytes);
        e = multiplyAdd(v, x, e);
        j = multiplyAdd(u, x, j);
        q += 32;
        r += 32;
        w += 64;
      }
      const bias = v128.load(constants, FLOAT_BIAS);
      const scale = v128.load(channel, 32);
      const offset = v128.load(channel, 64);
      a = reluFusedSingle4(a, scale, offset, bias);
      b = reluFusedSingle4(b, scale, offset, bias);
      c = reluFusedSingle4(c, scale, offset, bias);
      d = reluFusedSingle4(d, scale, offset, bias);
      e = reluFusedSingle4(e, scale, offset, bias);
      f = reluFusedSingle4(f, scale, offset, bias);
      g = reluFusedSingle4(g, scale, offset, bias);
      h = reluFusedSingle4(h, scale, offset, bias);
      i = reluFusedSingle4(i, scale, offset, bias);
      j = reluFusedSingle4(j, scale, offset, bias);
      const ee = i16x8.narrow_i32x4_s(e, j);
      const bytes01 = saturateSixteen(i16x8.narrow_i32x4_s(a, f), i16x8.narrow_i32x4_s(b, g));
      const bytes23 = saturateSixteen(i16x8.narrow_i32x4_s(c, h), i16x8.narrow_i32x4_s(d, i));
      const bytes4 = saturateSixteen(ee, ee);
      if (half === 0) {
        first01 = bytes01;
        first23 = bytes23;
        first4 = bytes4;
      } else {
        let t0 = v128.shuffle<i32>(first01, bytes01, 0, 4, 1, 5);
        let t1 = v128.shuffle<i32>(first01, bytes01, 2, 6, 3, 7);
        let t2 = v128.shuffle<i32>(first23, bytes23, 0, 4, 1, 5);
        let t3 = v128.shuffle<i32>(first23, bytes23, 2, 6, 3, 7);
        let t4 = v128.shuffle<i32>(first4, bytes4, 0, 4, 1, 5);
        if (sizeof<S>() !== 1) {
          const lower = v128.load(constants, LOWER);
          const upper = v128.load(constants, UPPER);
          t0 = clampStored(t0, lower, upper);
          t1 = clampStored(t1, lower, upper);
          t2 = clampStored(t2, lower, upper);
          t3 = clampStored(t3, lower, upper);
          t4 = clampStored(t4, lower, upper);
        }
        const to1 = out + outStep;
        const to3 = to1 + o2;
        const below = out + outRowStep;
        const below1 = to1 + outRowStep;
        const below3 = to3 + outRowStep;
        if (count >= 8) {
          v128.store_lane<i64>(out, t0, 0);
          v128.store_lane<i64>(to1, t1, 0);
          v128.store_lane<i64>(out + o2, t2, 0);
          v128.store_lane<i64>(to3, t3, 0);
          v128.store_lane<i64>(to3 + outStep, t4, 0);
          v128.store_lane<i64>(below, t0, 1);
          v128.store_lane<i64>(below1, t1, 1);
          v128.store_lane<i64>(below + o2, t2, 1);
          v128.store_lane<i64>(below3, t3, 1);
          v128.store_lane<i64>(below3 + outStep, t4, 1);
        } else {
          storeFewTwice(out, below, t0, count);
          storeFewTwice(to1, below1, t1, count);
          storeFewTwice(out + o2, below + o2, t2, count);
          storeFewTwice(to3, below3, t3, count);
          storeFewTwice(to3 + outStep, below3 + outStep, t4, count);
        }
      }
    }
    strip += p4 + pixelBytes;
    out += (o2 << 1) + outStep;
  }
}

/** Two output rows of three columns and more: three columns of each. Row groups of neighbouring taps follow each other. */
export function twoRows(
  strip: usize,
  pixelBytes: usize,
  steps: i32,
  block: usize,
  head: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  outRowStep: usize,
  width: i32,
): void {
  const p2 = pixelBytes << 1;
  const o2 = outStep << 1;
  for (let left = width; left > 0; left -= 3) {
    if (left < 3) {
      const back = <usize>(3 - left);
      strip -= back * pixelBytes;
      out -= back * outStep;
    }
    let a0 = v128.load(block);
    let b0 = a0;
    let c0 = a0;
    let d0 = a0;
    let e0 = a0;
    let f0 = a0;
    let a1 = v128.load(block, 16);
    let b1 = a1;
    let c1 = a1;
    let d1 = a1;
    let e1 = a1;
    let f1 = a1;
    let q = strip;
    let w = block + head;
    for (let k = steps; k > 0; k--) {
      let v = v128.load(w);
      let u = v128.load(w, 32);
      let x = v128.load(q);
      a0 = multiplyAdd(v, x, a0);
      d0 = multiplyAdd(u, x, d0);
      x = v128.load(q + pixelBytes);
      b0 = multiplyAdd(v, x, b0);
      e0 = multiplyAdd(u, x, e0);
      x = v128.load(q + p2);
      c0 = multiplyAdd(v, x, c0);
      f0 = multiplyAdd(u, x, f0);
      v = v128.load(w, 16);
      u = v128.load(w, 48);
      x = v128.load(q, 16);
      a1 = multiplyAdd(v, x, a1);
      d1 = multiplyAdd(u, x, d1);
      x = v128.load(q + pixelBytes, 16);
      b1 = multiplyAdd(v, x, b1);
      e1 = multiplyAdd(u, x, e1);
      x = v128.load(q + p2, 16);
      c1 = multiplyAdd(v, x, c1);
      f1 = multiplyAdd(u, x, f1);
      q += 32;
      w += 64;
    }
    const lower = out + outRowStep;
    storeSix<i16>(
      a0,
      a1,
      b0,
      b1,
      c0,
      c1,
      d0,
      d1,
      e0,
      e1,
      f0,
      f1,
      block,
      constants,
      count,
      out,
      out + outStep,
      out + o2,
      lower,
      lower + outStep,
      lower + o2,
    );
    strip += p2 + pixelBytes;
    out += o2 + outStep;
  }
}
