import { TWICE } from "../fixed-point.ts";
import {
  isSingle,
  isVector,
  laneTerms,
  LOWER,
  SCALAR_HEAD,
  storeScaled,
  twiceMask,
  zeroPointAndHalf,
} from "./epilogue-scalar.ts";
import { fourDots } from "./four-dots.ts";
import { LANE_BITS, LANE_MASK, LANE_ZERO, pack, zeroLanes } from "./lanes.ts";
import { LANE_ROWS, laneBytes, laneDots, laneZeros, stageLanes, SUM_BYTES } from "./lane-rows.ts";

/** Pixels that are multiplied together. */
export const PACKED_PIXELS = 3;

/**
 * mcu: convRow of conv-strip.ts. By method `single` three pixels lie in one int64 (lanes.ts), so that one multiplication makes three
 * products; packed they lie at `packed`, 8 bytes for each of a pixel's elements. By method `scalar`, and for a pixel that is left, four channels at a time
 * (four-dots.ts), whose sums lie at `packed`; by `singleVector` the one pixel as lane-rows.ts has it.
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
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  packed: usize,
): void {
  if (isVector(constants)) {
    vectorRow(pixel, steps, block, channels, constants, out, packed);
    return;
  }
  for (; width > 1 && isSingle(constants); width -= PACKED_PIXELS) {
    const count = min(width, PACKED_PIXELS);
    // Of two pixels the second is packed twice.
    pack(pixel, pixelStep, <usize>(count - 1) * pixelStep, segments, segmentBytes, steps, packed);
    // The third of two pixels is the second once more.
    const third = <usize>(count - 1) * outStep;
    threePixels(packed, segments * steps, block, blockBytes, channels, constants, out, outStep, third);
    pixel += PACKED_PIXELS * pixelStep;
    out += PACKED_PIXELS * outStep;
  }
  for (; width > 0; width--) {
    onePixel(pixel, segments, segmentBytes, steps, block, blockBytes, channels, constants, out, packed);
    pixel += pixelStep;
    out += outStep;
  }
}

/** Three pixels: four channels at a time share the loads; where there are fewer, the last is computed again for the others. */
export function threePixels(
  packed: usize,
  elements: i32,
  block: usize,
  blockBytes: usize,
  channels: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  third: usize,
): void {
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  const mask = twiceMask(constants);
  const zeroAndHalf = zeroPointAndHalf(constants);
  const terms = laneTerms(constants);
  const zeros = LANE_ZERO * ((elements + terms - 1) / terms);
  const isLong = elements > terms;
  let a0: i64 = 0;
  let a1: i64 = 0;
  let a2: i64 = 0;
  let b0: i64 = 0;
  let b1: i64 = 0;
  let b2: i64 = 0;
  let c0: i64 = 0;
  let c1: i64 = 0;
  let c2: i64 = 0;
  let d0: i64 = 0;
  let d1: i64 = 0;
  let d2: i64 = 0;
  let toB = blockBytes;
  let toC = 2 * blockBytes;
  let toD = 3 * blockBytes;
  do {
    if (channels < 4) {
      toD = channels > 2 ? toC : channels > 1 ? toB : 0;
      toC = min(toC, toD);
      toB = min(toB, toD);
    }
    let w = block + SCALAR_HEAD;
    let q = packed;
    let left = elements;
    do {
      let sumA = zeroLanes();
      let sumB = zeroLanes();
      let sumC = zeroLanes();
      let sumD = zeroLanes();
      const count = <usize>min(left, terms);
      const end = w + count;
      const eights = w + (count & ~7);
      if (w < eights) {
        do {
          const p0 = load<i64>(q);
          const p1 = load<i64>(q, 8);
          const p2 = load<i64>(q, 16);
          const p3 = load<i64>(q, 24);
          const p4 = load<i64>(q, 32);
          const p5 = load<i64>(q, 40);
          const p6 = load<i64>(q, 48);
          const p7 = load<i64>(q, 56);
          q += 64;
          const wb = w + toB;
          const wc = w + toC;
          const wd = w + toD;
          sumA +=
            p0 * <i64>load<i8>(w) +
            p1 * <i64>load<i8>(w, 1) +
            p2 * <i64>load<i8>(w, 2) +
            p3 * <i64>load<i8>(w, 3) +
            p4 * <i64>load<i8>(w, 4) +
            p5 * <i64>load<i8>(w, 5) +
            p6 * <i64>load<i8>(w, 6) +
            p7 * <i64>load<i8>(w, 7);
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
          w += 8;
        } while (w < eights);
      }
      while (w < end) {
        const p0 = load<i64>(q);
        q += 8;
        sumA += p0 * <i64>load<i8>(w);
        sumB += p0 * <i64>load<i8>(w + toB);
        sumC += p0 * <i64>load<i8>(w + toC);
        sumD += p0 * <i64>load<i8>(w + toD);
        w++;
      }
      left -= terms;
      const isLast = left <= 0;
      const kept: i64 = isLast ? 0 : -1;
      // Sums change places, so that the same code serves each channel; after four they are back.
      let remaining = isLast ? min(channels, 4) : 4;
      do {
        let first = sumA & LANE_MASK;
        let second = (sumA >> LANE_BITS) & LANE_MASK;
        let last = sumA >> (2 * LANE_BITS);
        sumA = sumB;
        sumB = sumC;
        sumC = sumD;
        if (isLong) {
          first += a0;
          second += a1;
          last += a2;
          a0 = b0;
          a1 = b1;
          a2 = b2;
          b0 = c0;
          b1 = c1;
          b2 = c2;
          c0 = d0;
          c1 = d1;
          c2 = d2;
          d0 = first & kept;
          d1 = second & kept;
          d2 = last & kept;
          if (!isLast) continue;
        }
        const right = load<i64>(block);
        let multiplier = <i64>load<i32>(block, 8);
        let offset = right - zeros * multiplier;
        if ((<i32>right) & mask) {
          first = (first * multiplier + offset) >> 31;
          second = (second * multiplier + offset) >> 31;
          last = (last * multiplier + offset) >> 31;
          multiplier = TWICE;
          offset = zeroAndHalf << (right - 1);
        }
        const firstValue = <i32>((first * multiplier + offset) >> right);
        store<i8>(out, min(max(firstValue, lower), upper));
        const secondValue = <i32>((second * multiplier + offset) >> right);
        store<i8>(out + outStep, min(max(secondValue, lower), upper));
        const lastValue = <i32>((last * multiplier + offset) >> right);
        store<i8>(out + third, min(max(lastValue, lower), upper));
        block += blockBytes;
        out++;
      } while (--remaining > 0);
    } while (left > 0);
    channels -= 4;
  } while (channels > 0);
}

/** One pixel: four channels at a time. */
export function onePixel(
  pixel: usize,
  segments: i32,
  segmentBytes: usize,
  steps: i32,
  block: usize,
  blockBytes: usize,
  channels: i32,
  constants: usize,
  out: usize,
  sums: usize,
): void {
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  const mask = twiceMask(constants);
  const zeroAndHalf = zeroPointAndHalf(constants);
  const single = isSingle(constants);
  for (; channels > 0; channels -= 4) {
    fourDots(pixel, segments, segmentBytes, steps, block + SCALAR_HEAD, blockBytes, channels, sums);
    const end = sums + <usize>(min(channels, 4) << 2);
    for (let sum = sums; sum < end; sum += 4) {
      if (single) {
        // storeScalar without a call.
        const right = load<i64>(block);
        let product = <i64>load<i32>(sum) * <i64>load<i32>(block, 8) + right;
        if ((<i32>right) & mask) product = (product >> 31) * TWICE + (zeroAndHalf << (right - 1));
        store<i8>(out, min(max(<i32>(product >> right), lower), upper));
      } else {
        storeScaled(load<i32>(sum), block, constants, out);
      }
      block += blockBytes;
      out++;
    }
  }
}

/** One pixel by method `singleVector`, twelve channels at a time: `scratch` has their sums, then the pixel. */
export function vectorRow(
  pixel: usize,
  depth: i32,
  block: usize,
  channels: i32,
  constants: usize,
  out: usize,
  scratch: usize,
): void {
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  const mask = twiceMask(constants);
  const zeroAndHalf = zeroPointAndHalf(constants);
  const staging = scratch + SUM_BYTES;
  const zeros = -laneZeros(depth);
  stageLanes(staging, pixel, depth);
  for (; channels > 0; channels -= LANE_ROWS) {
    for (let sum = scratch; sum < staging; sum += 4) store<i32>(sum, zeros);
    const weights = block + LANE_ROWS * SCALAR_HEAD;
    laneDots(staging, depth, scratch, weights, scratch);
    const end = scratch + <usize>(min(channels, LANE_ROWS) << 2);
    for (let sum = scratch; sum < end; sum += 4) {
      // storeScalar without a call.
      const right = load<i64>(block);
      let product = <i64>load<i32>(sum) * <i64>load<i32>(block, 8) + right;
      if ((<i32>right) & mask) product = (product >> 31) * TWICE + (zeroAndHalf << (right - 1));
      store<i8>(out, min(max(<i32>(product >> right), lower), upper));
      block += SCALAR_HEAD;
      out++;
    }
    block = weights + laneBytes(depth);
  }
}
