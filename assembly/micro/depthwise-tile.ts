import { multiplyAdd } from "./dot.ts";
import { storeEightHalf, storeSixHalf } from "./store-tile.ts";

/**
 * The loops over one or two rows of a depthwise strip (depthwise-strip.ts), 4 channels at a time: half 0 or 1 of a block's 8.
 *
 * V8 loads whatever a turn of the inner loop needs before it computes anything, and keeps accumulators that find no register
 * in memory, where each product then waits for the last: 7 operands leave room for 6 of its 15 vector registers, 6 operands for
 * 8. With 8 channels at a time 2 of 8 had none (V8 11.3). Inlined, because a call costs as much as a short row: npm run
 * bench:kernels gives 10.8 instead of 10.4 GMAC/s at 3×3 → 24×24×32, 6.1 instead of 5.1 at 3×3×256.
 */

/** One output row: tiles of six columns, the last column again where fewer are left. */
@inline
export function oneRow(
  strip: usize,
  pixelBytes: usize,
  tapJump: usize,
  steps: i32,
  runs: i32,
  block: usize,
  half: usize,
  head: usize,
  weightStep: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const bias = v128.load(block + (half << 4));
  const weights = block + head + (half << 4);
  for (let left = width; left > 0; left -= 6) {
    const last = <usize>(left - 1);
    const i1 = min<usize>(1, last);
    const i2 = min<usize>(2, last);
    const i3 = min<usize>(3, last);
    const i4 = min<usize>(4, last);
    const i5 = min<usize>(5, last);
    const p1 = i1 * pixelBytes;
    const p2 = i2 * pixelBytes;
    const p3 = i3 * pixelBytes;
    const p4 = i4 * pixelBytes;
    const p5 = i5 * pixelBytes;
    let a = bias;
    let b = bias;
    let c = bias;
    let d = bias;
    let e = bias;
    let f = bias;
    let q = strip;
    let w = weights;
    for (let run = runs; run > 0; run--) {
      for (let k = steps; k > 0; k--) {
        const v = v128.load(w);
        a = multiplyAdd(v, v128.load(q), a);
        b = multiplyAdd(v, v128.load(q + p1), b);
        c = multiplyAdd(v, v128.load(q + p2), c);
        d = multiplyAdd(v, v128.load(q + p3), d);
        e = multiplyAdd(v, v128.load(q + p4), e);
        f = multiplyAdd(v, v128.load(q + p5), f);
        q += 32;
        w += weightStep;
      }
      q += tapJump;
    }
    storeSixHalf(
      a,
      b,
      c,
      d,
      e,
      f,
      block,
      half,
      constants,
      channels,
      out,
      i1 * outStep,
      i2 * outStep,
      i3 * outStep,
      i4 * outStep,
      i5 * outStep,
    );
    strip += 6 * pixelBytes;
    out += 6 * outStep;
  }
}

/** Two output rows: tiles of four columns or three, the last column again where fewer are left. */
@inline
export function twoRows(
  strip: usize,
  pixelBytes: usize,
  tapJump: usize,
  steps: i32,
  runs: i32,
  block: usize,
  half: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  outRowStep: usize,
  width: i32,
): void {
  const bias = v128.load(block + (half << 4));
  const weights = block + head + (half << 4);
  let left = width;
  // 5 = 3 + 2 and 6 = 3 + 3 leave less over than with fours.
  for (; left > 6 || left === 4; left -= 4) {
    const p2 = pixelBytes << 1;
    const p3 = pixelBytes + p2;
    let a = bias;
    let b = bias;
    let c = bias;
    let d = bias;
    let e = bias;
    let f = bias;
    let g = bias;
    let h = bias;
    let q = strip;
    let w = weights;
    for (let run = runs; run > 0; run--) {
      for (let k = steps; k > 0; k--) {
        const v = v128.load(w);
        const u = v128.load(w, 32);
        let x = v128.load(q);
        a = multiplyAdd(v, x, a);
        e = multiplyAdd(u, x, e);
        x = v128.load(q + pixelBytes);
        b = multiplyAdd(v, x, b);
        f = multiplyAdd(u, x, f);
        x = v128.load(q + p2);
        c = multiplyAdd(v, x, c);
        g = multiplyAdd(u, x, g);
        x = v128.load(q + p3);
        d = multiplyAdd(v, x, d);
        h = multiplyAdd(u, x, h);
        q += 32;
        w += 64;
      }
      q += tapJump;
    }
    const at2 = outStep << 1;
    const at3 = outStep + at2;
    storeEightHalf(
      a,
      b,
      c,
      d,
      e,
      f,
      g,
      h,
      block,
      half,
      constants,
      channels,
      out,
      outStep,
      at2,
      at3,
      outRowStep,
      outRowStep + outStep,
      outRowStep + at2,
      outRowStep + at3,
    );
    strip += pixelBytes << 2;
    out += outStep << 2;
  }
  for (; left > 0; left -= 3) {
    const i1: usize = left > 1 ? 1 : 0;
    const i2: usize = left > 2 ? 2 : i1;
    const p1 = i1 * pixelBytes;
    const p2 = i2 * pixelBytes;
    let a = bias;
    let b = bias;
    let c = bias;
    let d = bias;
    let e = bias;
    let f = bias;
    let q = strip;
    let w = weights;
    for (let run = runs; run > 0; run--) {
      for (let k = steps; k > 0; k--) {
        const v = v128.load(w);
        const u = v128.load(w, 32);
        let x = v128.load(q);
        a = multiplyAdd(v, x, a);
        d = multiplyAdd(u, x, d);
        x = v128.load(q + p1);
        b = multiplyAdd(v, x, b);
        e = multiplyAdd(u, x, e);
        x = v128.load(q + p2);
        c = multiplyAdd(v, x, c);
        f = multiplyAdd(u, x, f);
        q += 32;
        w += 64;
      }
      q += tapJump;
    }
    const at1 = i1 * outStep;
    const at2 = i2 * outStep;
    storeSixHalf(
      a,
      b,
      c,
      d,
      e,
      f,
      block,
      half,
      constants,
      channels,
      out,
      at1,
      at2,
      outRowStep,
      outRowStep + at1,
      outRowStep + at2,
    );
    strip += 3 * pixelBytes;
    out += 3 * outStep;
  }
}
