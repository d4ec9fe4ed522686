import { loadWeights, multiplyAdd, stepBytes } from "./dot.ts";
import { isSingle, LOWER, singleOffset, singleShift, singleSign, storeRow, storeScalar } from "./epilogue.ts";
import { LANE_BITS, LANE_MASK, LANE_TERMS, LANE_ZERO, zeroLanes } from "./lanes.ts";
import { storeTile } from "./store-tile.ts";

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
 * Steps past the end of a segment read what lies behind it against zero weights. The bias has −z · Σw folded in, z the
 * zero point in storage form. No overflow while Σ|w|·255 + |bias| < 2^31; the packer picks the scalar method beyond.
 * Weights live in registers while four pixels pass: 8 accumulators, 2 weight vectors and 1 input leave V8's 15 vector
 * registers unspilled. In mcu three pixels lie in one int64 (lanes.ts), so that one multiplication makes three products.
 */

/** Bytes of one staged element. */
export function stagedElementBytes(): usize {
  return ASC_FEATURE_SIMD && !ASC_FEATURE_RELAXED_SIMD ? 2 : 1;
}

/** Dot-product steps of a segment of `length` elements. */
export function segmentSteps(length: i32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) return (length + 3) >> 2;
  if (ASC_FEATURE_SIMD) return (length + 1) >> 1;
  return length;
}

/** Copies `count` stored activations to staged form. May write up to 15 elements more than asked for. */
export function stage(destination: usize, source: usize, count: i32): void {
  if (ASC_FEATURE_SIMD && !ASC_FEATURE_RELAXED_SIMD) {
    for (let i = 0; i < count; i += 8) {
      v128.store(destination + ((<usize>i) << 1), v128.load_ext<i8>(source + i));
    }
  } else if (ASC_FEATURE_SIMD) {
    for (let i = 0; i < count; i += 16) v128.store(destination + i, v128.load(source + i));
  } else {
    memory.copy(destination, source, count);
  }
}

/**
 * Writes `count` staged elements of the int8 value `zeroPoint`. May write up to 15 elements more than asked for. Not
 * memory.fill, which is a call out of the engine's compiled code: borders are a few bytes.
 */
export function stageZeroPoint(destination: usize, zeroPoint: i32, count: i32): void {
  if (ASC_FEATURE_SIMD) {
    const relaxed = ASC_FEATURE_RELAXED_SIMD;
    const value = relaxed ? i8x16.splat(<i8>(zeroPoint + 128)) : i16x8.splat(<i16>zeroPoint);
    const end = destination + <usize>count * stagedElementBytes();
    for (; destination < end; destination += 16) v128.store(destination, value);
  } else {
    memory.fill(destination, <u8>zeroPoint, count);
  }
}

/**
 * `width` pixels, `pixelStep` bytes apart from `pixel` on, × `channels` output channels, to `out` and every `outStep` bytes. mcu
 * packs pixels at `packed`, 8 bytes for each of a pixel's elements, if there are several.
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
    // Segments of one step (a kernel row of a one-channel input) are one run with a longer stride.
    const single = steps === 1;
    const runs = single ? 1 : segments;
    const run = single ? segments : steps;
    const stride: usize = single ? segmentBytes : 4;
    const jump: usize = single ? 0 : segmentBytes - ((<usize>steps) << 2);
    for (; width > 1; width -= 4) {
      fourPixels(
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
      pixel += pixelStep << 2;
      out += outStep << 2;
    }
    if (width > 0) {
      onePixel(pixel, segments, segmentBytes, steps, block, blockBytes, head, channels, constants, out);
    }
  } else {
    for (; width > 1 && isSingle(constants); width -= 3) {
      const count = min(width, 3);
      // Of two pixels the second is packed twice.
      pack(pixel, pixelStep, <usize>(count - 1) * pixelStep, segments, segmentBytes, steps, packed);
      threePixels(
        packed,
        segments * steps,
        block,
        blockBytes,
        head,
        channels,
        constants,
        out,
        outStep,
        count,
      );
      pixel += 3 * pixelStep;
      out += 3 * outStep;
    }
    for (; width > 0; width--) {
      onePixelScalar(pixel, segments, segmentBytes, steps, block, blockBytes, head, channels, constants, out);
      pixel += pixelStep;
      out += outStep;
    }
  }
}

/**
 *   packed[i] = a[i] + b[i] · 2^21 + c[i] · 2^42
 *
 * for the elements of three pixels, `toSecond` and `toThird` bytes from the first.
 */
function pack(
  first: usize,
  toSecond: usize,
  toThird: usize,
  segments: i32,
  segmentBytes: usize,
  steps: i32,
  packed: usize,
): void {
  for (let s = 0; s < segments; s++) {
    const end = first + <usize>steps;
    for (let q = first; q < end; q++) {
      const a = <i64>load<i8>(q);
      const b = <i64>load<i8>(q + toSecond);
      const c = <i64>load<i8>(q + toThird);
      store<i64>(packed, a + (b << 21) + (c << 42));
      packed += 8;
    }
    first += segmentBytes;
  }
}

/**
 * Four channels at a time, which share the loads of the pixels; where there are fewer, the last is computed again in place of the
 * others.
 */
function threePixels(
  packed: usize,
  elements: i32,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  count: i32,
): void {
  // The third of two pixels is the second once more.
  const third = <usize>(count - 1) * outStep;
  const laneZeros = LANE_ZERO * ((elements + LANE_TERMS - 1) / LANE_TERMS);
  for (let c = 0; c < channels; c += 4) {
    const blockB = c + 1 < channels ? block + blockBytes : block;
    const blockC = c + 2 < channels ? blockB + blockBytes : blockB;
    const blockD = c + 3 < channels ? blockC + blockBytes : blockC;
    let a0 = <i64>load<i32>(block) - laneZeros;
    let a1 = a0;
    let a2 = a0;
    let wa = block + head;
    let b0 = <i64>load<i32>(blockB) - laneZeros;
    let b1 = b0;
    let b2 = b0;
    let wb = blockB + head;
    let e0 = <i64>load<i32>(blockC) - laneZeros;
    let e1 = e0;
    let e2 = e0;
    let wc = blockC + head;
    let d0 = <i64>load<i32>(blockD) - laneZeros;
    let d1 = d0;
    let d2 = d0;
    let wd = blockD + head;
    let p = packed;
    for (let left = elements; left > 0; left -= LANE_TERMS) {
      let sumA = zeroLanes();
      let sumB = zeroLanes();
      let sumC = zeroLanes();
      let sumD = zeroLanes();
      const end = p + ((<usize>min(left, LANE_TERMS)) << 3);
      for (; p + 64 <= end; p += 64) {
        const p0 = load<i64>(p);
        const p1 = load<i64>(p, 8);
        const p2 = load<i64>(p, 16);
        const p3 = load<i64>(p, 24);
        const p4 = load<i64>(p, 32);
        const p5 = load<i64>(p, 40);
        const p6 = load<i64>(p, 48);
        const p7 = load<i64>(p, 56);
        sumA +=
          p0 * <i64>load<i8>(wa) +
          p1 * <i64>load<i8>(wa, 1) +
          p2 * <i64>load<i8>(wa, 2) +
          p3 * <i64>load<i8>(wa, 3) +
          p4 * <i64>load<i8>(wa, 4) +
          p5 * <i64>load<i8>(wa, 5) +
          p6 * <i64>load<i8>(wa, 6) +
          p7 * <i64>load<i8>(wa, 7);
        sumB +=
          p0 * <i64>load<i8>(wb) +
          p1 * <i64>load<i8>(wb, 1) +
          p2 * <i64>load<i8>(wb, 2) +
          p3 * <i64>load<i8>(wb, 3) +
          p4 * <i64>load<i8>(wb, 4) +
          p5 * <i64>load<i8>(wb, 5) +
          p6 * <i64>load<i8>(wb, 6) +
          p7 * <i64>load<i8>(wb, 7);
        sumC +=
          p0 * <i64>load<i8>(wc) +
          p1 * <i64>load<i8>(wc, 1) +
          p2 * <i64>load<i8>(wc, 2) +
          p3 * <i64>load<i8>(wc, 3) +
          p4 * <i64>load<i8>(wc, 4) +
          p5 * <i64>load<i8>(wc, 5) +
          p6 * <i64>load<i8>(wc, 6) +
          p7 * <i64>load<i8>(wc, 7);
        sumD +=
          p0 * <i64>load<i8>(wd) +
          p1 * <i64>load<i8>(wd, 1) +
          p2 * <i64>load<i8>(wd, 2) +
          p3 * <i64>load<i8>(wd, 3) +
          p4 * <i64>load<i8>(wd, 4) +
          p5 * <i64>load<i8>(wd, 5) +
          p6 * <i64>load<i8>(wd, 6) +
          p7 * <i64>load<i8>(wd, 7);
        wa += 8;
        wb += 8;
        wc += 8;
        wd += 8;
      }
      for (; p < end; p += 8) {
        const p0 = load<i64>(p);
        sumA += p0 * <i64>load<i8>(wa++);
        sumB += p0 * <i64>load<i8>(wb++);
        sumC += p0 * <i64>load<i8>(wc++);
        sumD += p0 * <i64>load<i8>(wd++);
      }
      a0 += sumA & LANE_MASK;
      a1 += (sumA >> LANE_BITS) & LANE_MASK;
      a2 += sumA >> (2 * LANE_BITS);
      b0 += sumB & LANE_MASK;
      b1 += (sumB >> LANE_BITS) & LANE_MASK;
      b2 += sumB >> (2 * LANE_BITS);
      e0 += sumC & LANE_MASK;
      e1 += (sumC >> LANE_BITS) & LANE_MASK;
      e2 += sumC >> (2 * LANE_BITS);
      d0 += sumD & LANE_MASK;
      d1 += (sumD >> LANE_BITS) & LANE_MASK;
      d2 += sumD >> (2 * LANE_BITS);
    }
    const first = out + c;
    storeThree(a0, a1, a2, block, constants, first, outStep, third);
    const second = first + <usize>(blockB !== block);
    storeThree(b0, b1, b2, blockB, constants, second, outStep, third);
    const next = second + <usize>(blockC !== blockB);
    storeThree(e0, e1, e2, blockC, constants, next, outStep, third);
    const last = next + <usize>(blockD !== blockC);
    storeThree(d0, d1, d2, blockD, constants, last, outStep, third);
    block = blockD + blockBytes;
  }
}

/** Three pixels of a channel, by method `single`: storeSingle, spelled out. */
function storeThree(
  a: i64,
  b: i64,
  c: i64,
  block: usize,
  constants: usize,
  out: usize,
  outStep: usize,
  third: usize,
): void {
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  const multiplier = <i64>load<i32>(block, 4);
  const right = singleShift(block);
  const offset = singleOffset(right, constants);
  const sign = singleSign(right, constants);
  const first = a * multiplier;
  const firstValue = <i32>((first + ((first >> 63) & sign) + offset) >> right);
  store<i8>(out, min(max(firstValue, lower), upper));
  const second = b * multiplier;
  const secondValue = <i32>((second + ((second >> 63) & sign) + offset) >> right);
  store<i8>(out + outStep, min(max(secondValue, lower), upper));
  const last = c * multiplier;
  const lastValue = <i32>((last + ((last >> 63) & sign) + offset) >> right);
  store<i8>(out + third, min(max(lastValue, lower), upper));
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

/** Three blocks of 8 channels at a time: a splat of input serves 6 products, and a fourth would leave accumulators in memory. */
function onePixel(
  p: usize,
  segments: i32,
  segmentBytes: usize,
  steps: i32,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
): void {
  const jump = segmentBytes - ((<usize>steps) << 2);
  let c = 0;
  for (; c + 16 < channels; c += 24) {
    const blockB = block + blockBytes;
    const blockC = blockB + blockBytes;
    let a0 = v128.load(block);
    let a1 = v128.load(block, 16);
    let b0 = v128.load(blockB);
    let b1 = v128.load(blockB, 16);
    let c0 = v128.load(blockC);
    let c1 = v128.load(blockC, 16);
    let wa = block + head;
    let wb = blockB + head;
    let wc = blockC + head;
    let q = p;
    for (let s = 0; s < segments; s++) {
      for (let k = steps; k > 0; k--) {
        const x = v128.load_splat<i32>(q);
        a0 = multiplyAdd(loadWeights(wa, 0), x, a0);
        a1 = multiplyAdd(loadWeights(wa, 1), x, a1);
        b0 = multiplyAdd(loadWeights(wb, 0), x, b0);
        b1 = multiplyAdd(loadWeights(wb, 1), x, b1);
        c0 = multiplyAdd(loadWeights(wc, 0), x, c0);
        c1 = multiplyAdd(loadWeights(wc, 1), x, c1);
        q += 4;
        wa += stepBytes();
        wb += stepBytes();
        wc += stepBytes();
      }
      q += jump;
    }
    storeRow(a0, a1, block, constants, 8, out + c);
    storeRow(b0, b1, blockB, constants, 8, out + c + 8);
    storeRow(c0, c1, blockC, constants, channels - c - 16, out + c + 16);
    block = blockC + blockBytes;
  }
  for (; c < channels; c += 8) {
    let a0 = v128.load(block);
    let a1 = v128.load(block, 16);
    let w = block + head;
    let q = p;
    for (let s = 0; s < segments; s++) {
      for (let k = steps; k > 0; k--) {
        const x = v128.load_splat<i32>(q);
        a0 = multiplyAdd(loadWeights(w, 0), x, a0);
        a1 = multiplyAdd(loadWeights(w, 1), x, a1);
        q += 4;
        w += stepBytes();
      }
      q += jump;
    }
    storeRow(a0, a1, block, constants, channels - c, out + c);
    block += blockBytes;
  }
}

/** Plain: one channel per block, its head bias, multiplier and shift. */
function onePixelScalar(
  p: usize,
  segments: i32,
  segmentBytes: usize,
  steps: i32,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
): void {
  for (let c = 0; c < channels; c++) {
    let sum = load<i32>(block);
    let w = block + head;
    let q = p;
    for (let s = 0; s < segments; s++) {
      const end = w + <usize>steps;
      for (; w + 8 <= end; w += 8) {
        sum +=
          <i32>load<i8>(q) * <i32>load<i8>(w) +
          <i32>load<i8>(q, 1) * <i32>load<i8>(w, 1) +
          <i32>load<i8>(q, 2) * <i32>load<i8>(w, 2) +
          <i32>load<i8>(q, 3) * <i32>load<i8>(w, 3) +
          <i32>load<i8>(q, 4) * <i32>load<i8>(w, 4) +
          <i32>load<i8>(q, 5) * <i32>load<i8>(w, 5) +
          <i32>load<i8>(q, 6) * <i32>load<i8>(w, 6) +
          <i32>load<i8>(q, 7) * <i32>load<i8>(w, 7);
        q += 8;
      }
      for (; w < end; w++) sum += <i32>load<i8>(q++) * <i32>load<i8>(w);
      q += segmentBytes - <usize>steps;
    }
    storeScalar(sum, block, constants, out + c);
    block += blockBytes;
  }
}
