import { loadWeights, multiplyAdd, stepBytes } from "./dot.ts";
import { scalarRow } from "./conv-strip-scalar.ts";
import { isReluFusedSingle, isWholeRange } from "./epilogue.ts";
import { onePixel } from "./one-pixel.ts";
import { storeSix, storeThreeTwice, storeTile } from "./store-tile.ts";
import { MAX_SHORT_STEPS, MIN_SHORT_STEPS, shortRow } from "./weight-stationary.ts";

/**
 * Convolution strips: dot products of staged input pixels with blocks of packed weights.
 *
 *   out[p, o] = clamp(zOut + requantize(bias[o] + Σ_s Σ_i in[p + s·segmentBytes + i] · w[o, s, i]))
 *
 * A pixel is `segments` runs of input, `segmentBytes` apart, of `steps` dot-product steps each. Operands per variant:
 *
 *   mcu      int8 storage, one channel per block                         step = 1 element
 *   simd     staged as int16; weights int8 [step][8 channels][2]         step = 2 elements
 *   relaxed  u8 storage;      weights int8 [step][8 channels][4]         step = 4 elements
 *
 * Weights of a pixel stand segment by segment; where there are fewer steps than segments, step by step (not in mcu). Three short segments may be brought together as
 * one (conv2d-gathered.ts).
 * Steps past the end of a segment read what lies behind it against zero weights. The bias has −z · Σw folded in, z the
 * zero point in storage form. No overflow while Σ|w|·255 + |bias| < 2^31; the packer picks the scalar method beyond.
 * Weights live in registers while four pixels pass: 8 accumulators, 2 weight vectors and 1 input leave V8's 15 vector
 * registers unspilled; in relaxed, whose dot product needs no temporary, six: 12, 2 and 1. mcu: conv-strip-scalar.ts.
 */

/** Pixels of a short strip: their outputs stay in the first level of a cache while one block of channels after another is written. */
const SHORT_PIXELS = 128;

/** Dot-product steps of a segment of `length` elements. */
export function segmentSteps(length: i32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) return (length + 3) >> 2;
  if (ASC_FEATURE_SIMD) return (length + 1) >> 1;
  return length;
}

/**
 * `width` pixels, `pixelStep` bytes apart from `pixel` on, × `channels` output channels, to `out` and every `outStep` bytes. mcu
 * packs pixels at `packed`, 8 bytes for each of a pixel's elements, or has four sums there, or by `singleVector` what vectorRow needs.
 */
export function convRow(
  pixel: usize,
  pixelStep: usize,
  width: i32,
  segments: i32,
  segmentBytes: usize,
  steps: i32,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  packed: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    // The longer loop is the inner one: short segments (kernel rows of a one-channel input) are walked across.
    const across = steps < segments;
    const runs = across ? steps : segments;
    const run = across ? segments : steps;
    const stride: usize = across ? segmentBytes : 4;
    const jump = (across ? 4 : segmentBytes) - <usize>run * stride;
    const isShort = runs === 1 && run >= MIN_SHORT_STEPS && run <= MAX_SHORT_STEPS;
    if (ASC_FEATURE_RELAXED_SIMD && isShort && isReluFusedSingle(block, constants)) {
      // Blocks come before pixels here: not where an output lies on what other blocks are still to read.
      while (width > 7) {
        const count = min(width & ~1, SHORT_PIXELS);
        const pixels = <usize>count;
        if (out < pixel + pixels * pixelStep && pixel < out + pixels * outStep) break;
        let at = block;
        for (let c = 0; c < channels; c += 8) {
          if (isReluFusedSingle(at, constants)) {
            if (isWholeRange(constants)) {
              shortRow<i8>(
                pixel,
                pixelStep,
                count,
                run,
                stride,
                at,
                head,
                channels - c,
                constants,
                out + c,
                outStep,
              );
            } else {
              shortRow<i16>(
                pixel,
                pixelStep,
                count,
                run,
                stride,
                at,
                head,
                channels - c,
                constants,
                out + c,
                outStep,
              );
            }
          } else {
            tiles(
              pixel,
              pixelStep,
              count,
              runs,
              run,
              stride,
              jump,
              at,
              blockBytes,
              head,
              min(channels - c, 8),
              constants,
              out + c,
              outStep,
            );
          }
          at += blockBytes;
        }
        pixel += pixels * pixelStep;
        out += pixels * outStep;
        width -= count;
      }
    }
    tiles(
      pixel,
      pixelStep,
      width,
      runs,
      run,
      stride,
      jump,
      block,
      blockBytes,
      head,
      channels,
      constants,
      out,
      outStep,
    );
  } else {
    scalarRow(
      pixel,
      pixelStep,
      width,
      segments,
      segmentBytes,
      steps,
      block,
      blockBytes,
      channels,
      constants,
      out,
      outStep,
      packed,
    );
  }
}

/** As convRow, tile by tile: `steps` of a run, `stride` bytes apart, and `jump` more from run to run. */
function tiles(
  pixel: usize,
  pixelStep: usize,
  width: i32,
  runs: i32,
  steps: i32,
  stride: usize,
  jump: usize,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const left = sixPixels(
      pixel,
      pixelStep,
      width,
      runs,
      steps,
      stride,
      jump,
      block,
      blockBytes,
      head,
      channels,
      constants,
      out,
      outStep,
    );
    const done = <usize>(width - left);
    pixel += done * pixelStep;
    out += done * outStep;
    width = left;
  }
  for (; width > 1; width -= 4) {
    if (ASC_FEATURE_RELAXED_SIMD && width === 3) {
      const done = threeBySixteen(
        pixel,
        pixelStep,
        runs,
        steps,
        stride,
        jump,
        block,
        blockBytes,
        head,
        channels,
        constants,
        out,
        outStep,
      );
      out += done;
      channels -= done;
      block += <usize>(done >> 3) * blockBytes;
      if (channels <= 0) return;
    }
    fourPixels(
      pixel,
      pixelStep,
      width,
      runs,
      steps,
      stride,
      jump,
      block,
      blockBytes,
      head,
      channels,
      constants,
      out,
      outStep,
    );
    pixel += pixelStep << 2;
    out += outStep << 2;
  }
  if (width > 0) {
    onePixel(pixel, runs, steps, stride, jump, block, blockBytes, head, channels, constants, out);
  }
}

/**
 * relaxed: all sixes of `width` pixels, the last of which may be the five that are left: 0 1 2 3 4 4. Returns how many are left, no more than eight. A
 * call for each six, its fourteen arguments through the stack, takes a dozen cycles.
 */
function sixPixels(
  pixel: usize,
  pixelStep: usize,
  width: i32,
  segments: i32,
  steps: i32,
  stride: usize,
  jump: usize,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
): i32 {
  const p2 = pixelStep << 1;
  const p3 = pixelStep + p2;
  const p4 = pixelStep << 2;
  const o2 = outStep << 1;
  const o3 = outStep + o2;
  const o4 = outStep << 2;
  // Seven and eight are four and what is left, at no waste.
  for (; width > 8 || width === 6 || width === 5; width -= 6) {
    const last: usize = width > 5 ? 5 : 4;
    const p5 = last * pixelStep;
    const o5 = last * outStep;
    let at = block;
    for (let c = 0; c < channels; c += 8) {
      let a0 = v128.load(at);
      let a1 = v128.load(at, 16);
      let b0 = a0;
      let b1 = a1;
      let c0 = a0;
      let c1 = a1;
      let d0 = a0;
      let d1 = a1;
      let e0 = a0;
      let e1 = a1;
      let f0 = a0;
      let f1 = a1;
      let w = at + head;
      let q = pixel;
      for (let s = segments; s > 0; s--) {
        for (let k = steps; k > 0; k--) {
          const w0 = loadWeights(w, 0);
          const w1 = loadWeights(w, 1);
          let x = v128.load_splat<i32>(q);
          a0 = multiplyAdd(w0, x, a0);
          a1 = multiplyAdd(w1, x, a1);
          x = v128.load_splat<i32>(q + pixelStep);
          b0 = multiplyAdd(w0, x, b0);
          b1 = multiplyAdd(w1, x, b1);
          x = v128.load_splat<i32>(q + p2);
          c0 = multiplyAdd(w0, x, c0);
          c1 = multiplyAdd(w1, x, c1);
          x = v128.load_splat<i32>(q + p3);
          d0 = multiplyAdd(w0, x, d0);
          d1 = multiplyAdd(w1, x, d1);
          x = v128.load_splat<i32>(q + p4);
          e0 = multiplyAdd(w0, x, e0);
          e1 = multiplyAdd(w1, x, e1);
          x = v128.load_splat<i32>(q + p5);
          f0 = multiplyAdd(w0, x, f0);
          f1 = multiplyAdd(w1, x, f1);
          q += stride;
          w += stepBytes();
        }
        q += jump;
      }
      const to = out + c;
      storeSix<i8>(
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
        at,
        constants,
        channels - c,
        to,
        to + outStep,
        to + o2,
        to + o3,
        to + o4,
        to + o5,
      );
      at += blockBytes;
    }
    pixel += 6 * pixelStep;
    out += 6 * outStep;
  }
  return max(width, 0);
}

/**
 * relaxed: three pixels × 16 channels, as long as more than 8 are left. Returns the channels that are done. Of each pixel four bytes are loaded for one block and
 * again for the other, from a pointer of its own and backwards, lest the build (or V8 14 and later) takes the two loads for one: three more vectors would find no registers.
 */
function threeBySixteen(
  pixel: usize,
  pixelStep: usize,
  segments: i32,
  steps: i32,
  stride: usize,
  jump: usize,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
): i32 {
  const p2 = pixelStep << 1;
  let c = 0;
  for (; channels - c > 8; c += 16) {
    const second = block + blockBytes;
    let a0 = v128.load(block);
    let a1 = v128.load(block, 16);
    let b0 = a0;
    let b1 = a1;
    let c0 = a0;
    let c1 = a1;
    let d0 = v128.load(second);
    let d1 = v128.load(second, 16);
    let e0 = d0;
    let e1 = d1;
    let f0 = d0;
    let f1 = d1;
    let w = block + head;
    let u = second + head;
    let q = pixel;
    let r = pixel;
    for (let s = segments; s > 0; s--) {
      for (let k = steps; k > 0; k--) {
        let w0 = loadWeights(w, 0);
        let w1 = loadWeights(w, 1);
        let x = v128.load_splat<i32>(q);
        a0 = multiplyAdd(w0, x, a0);
        a1 = multiplyAdd(w1, x, a1);
        x = v128.load_splat<i32>(q + pixelStep);
        b0 = multiplyAdd(w0, x, b0);
        b1 = multiplyAdd(w1, x, b1);
        x = v128.load_splat<i32>(q + p2);
        c0 = multiplyAdd(w0, x, c0);
        c1 = multiplyAdd(w1, x, c1);
        w0 = loadWeights(u, 0);
        w1 = loadWeights(u, 1);
        x = v128.load_splat<i32>(r);
        d0 = multiplyAdd(w0, x, d0);
        d1 = multiplyAdd(w1, x, d1);
        x = v128.load_splat<i32>(r + pixelStep);
        e0 = multiplyAdd(w0, x, e0);
        e1 = multiplyAdd(w1, x, e1);
        x = v128.load_splat<i32>(r + p2);
        f0 = multiplyAdd(w0, x, f0);
        f1 = multiplyAdd(w1, x, f1);
        q += stride;
        r += stride;
        w += stepBytes();
        u += stepBytes();
      }
      q += jump;
      r += jump;
    }
    storeThreeTwice(
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
      second,
      constants,
      channels - c,
      out + c,
      outStep,
    );
    block = second + blockBytes;
  }
  return min(c, channels);
}

/** Four pixels, or the two or three that are left: 0 1 2 3, 0 1 1 2 or 0 1 0 1. */
function fourPixels(
  p0: usize,
  pixelStep: usize,
  left: i32,
  segments: i32,
  steps: i32,
  stride: usize,
  jump: usize,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
): void {
  const far: usize = left > 3 ? 2 : left > 2 ? 1 : 0;
  const p1 = p0 + pixelStep;
  const p2 = p0 + far * pixelStep;
  const p3 = p1 + far * pixelStep;
  for (let c = 0; c < channels; c += 8) {
    let a0 = v128.load(block);
    let a1 = v128.load(block, 16);
    let b0 = a0;
    let b1 = a1;
    let c0 = a0;
    let c1 = a1;
    let d0 = a0;
    let d1 = a1;
    let w = block + head;
    let q0 = p0;
    let q1 = p1;
    let q2 = p2;
    let q3 = p3;
    for (let s = segments; s > 0; s--) {
      for (let k = steps; k > 0; k--) {
        const w0 = loadWeights(w, 0);
        const w1 = loadWeights(w, 1);
        let x = v128.load_splat<i32>(q0);
        a0 = multiplyAdd(w0, x, a0);
        a1 = multiplyAdd(w1, x, a1);
        x = v128.load_splat<i32>(q1);
        b0 = multiplyAdd(w0, x, b0);
        b1 = multiplyAdd(w1, x, b1);
        x = v128.load_splat<i32>(q2);
        c0 = multiplyAdd(w0, x, c0);
        c1 = multiplyAdd(w1, x, c1);
        x = v128.load_splat<i32>(q3);
        d0 = multiplyAdd(w0, x, d0);
        d1 = multiplyAdd(w1, x, d1);
        q0 += stride;
        q1 += stride;
        q2 += stride;
        q3 += stride;
        w += stepBytes();
      }
      q0 += jump;
      q1 += jump;
      q2 += jump;
      q3 += jump;
    }
    storeTile(
      a0,
      a1,
      b0,
      b1,
      c0,
      c1,
      d0,
      d1,
      block,
      constants,
      channels - c,
      out + c,
      outStep,
      far * outStep,
    );
    block += blockBytes;
  }
}
