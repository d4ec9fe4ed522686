import { isSingle, LOWER, singleOffset, singleShift, singleSign, storeScalar } from "./epilogue.ts";
import { LANE_BITS, LANE_MASK, LANE_TERMS, LANE_ZERO, zeroLanes } from "./lanes.ts";

/**
 * mcu: convRow of conv-strip.ts. Three pixels lie in one int64 (lanes.ts), so that one multiplication makes three products; packed
 * they lie at `packed`, 8 bytes for each of a pixel's elements. By method `single` only; otherwise, and for the last pixel,
 * one product at a time.
 */
export function scalarRow(
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
  for (; width > 1 && isSingle(constants); width -= 3) {
    const count = min(width, 3);
    // Of two pixels the second is packed twice.
    pack(pixel, pixelStep, <usize>(count - 1) * pixelStep, segments, segmentBytes, steps, packed);
    threePixels(packed, segments * steps, block, blockBytes, head, channels, constants, out, outStep, count);
    pixel += 3 * pixelStep;
    out += 3 * outStep;
  }
  for (; width > 0; width--) {
    onePixelScalar(pixel, segments, segmentBytes, steps, block, blockBytes, head, channels, constants, out);
    pixel += pixelStep;
    out += outStep;
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
