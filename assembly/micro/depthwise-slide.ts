import { isRelu, LOWER, singleOffset, singleShift, singleSign, storeSingle } from "./epilogue.ts";
import { LANE_BITS, LANE_MASK, LANE_TERMS, LANE_ZERO, TOP_ZERO, zeroLanes } from "./lanes.ts";

/**
 * mcu: one output row of depthwise convolutions, by sums that slide along it. Method `single` only.
 *
 *   sums = lanes (lanes.ts) of the outputs that the window meets in a column, leftmost lowest
 *
 * A pixel belongs to as many outputs as the window meets, each with another weight: these lie in one int64 too, so that one
 * multiplication makes all its products. The column that completes the lowest lane shifts it out, and a new one in above.
 * Columns outside hold the zero point. The bias has −zIn · Σw folded in.
 *
 * Rows as in depthwise-strip.ts: an address, the bytes from pixel to pixel, a mask for the channel.
 */

/** Whether slideThree takes it, and slideRows does not: slideBytes in src/plan/packing.ts. */
export function isThree(kernelHeight: i32, kernelWidth: i32, strideX: i32, constants: usize): bool {
  return kernelHeight === 3 && kernelWidth === 3 && strideX < 3 && isRelu(constants);
}

/**
 * 3×3 at strides 1 and 2, not dilated, clamped at the zero point or above; padded on the left by no more than the columns before the
 * first output's last. `width` outputs of channels [c0, c1), to `out` (of channel 0) and
 * every `outStep` bytes.
 */
export function slideThree(
  rows: usize,
  padLeft: i32,
  inside: i32,
  c0: i32,
  c1: i32,
  depthMultiplier: i32,
  strideX: i32,
  block: usize,
  blockBytes: usize,
  head: usize,
  zeroPoint: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const isHalved = strideX === 2;
  const rowA = <usize>load<u32>(rows);
  const rowB = <usize>load<u32>(rows, 12);
  const rowC = <usize>load<u32>(rows, 24);
  const maskA = load<i32>(rows, 8);
  const maskB = load<i32>(rows, 20);
  const maskC = load<i32>(rows, 32);
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  // Lanes of the kernel's first column, and whether the second shares its int64: at stride 2 there are two lanes, and the second
  // column lies between those that complete an output.
  const first: i64 = isHalved ? LANE_BITS : 2 * LANE_BITS;
  const second: i64 = isHalved ? 0 : -1;
  const before = 3 - strideX;
  const columns = inside + padLeft - before;
  const whole = min(isHalved ? columns >> 1 : columns, width);
  const wholeBytes = <usize>whole * outStep;
  const rowBytes = <usize>width * outStep;
  const zeroRow = rows - 16;

  for (let channel = c0; channel < c1; channel++) {
    const inChannel = channel / depthMultiplier;
    let a = rowA + (inChannel & maskA);
    let b = rowB + (inChannel & maskB);
    let c = rowC + (inChannel & maskC);
    let stepA = <usize>load<u32>(rows, 4);
    let stepB = <usize>load<u32>(rows, 16);
    let stepC = <usize>load<u32>(rows, 28);
    const weights = block + head;
    const va = <i64>load<i8>(weights, 1);
    const vb = <i64>load<i8>(weights, 4);
    const vc = <i64>load<i8>(weights, 7);
    const wa = ((<i64>load<i8>(weights)) << first) + ((va & second) << LANE_BITS) + <i64>load<i8>(weights, 2);
    const wb =
      ((<i64>load<i8>(weights, 3)) << first) + ((vb & second) << LANE_BITS) + <i64>load<i8>(weights, 5);
    const wc =
      ((<i64>load<i8>(weights, 6)) << first) + ((vc & second) << LANE_BITS) + <i64>load<i8>(weights, 8);
    const multiplier = <i64>load<i32>(block, 4);
    const right = singleShift(block);
    const offset = singleOffset(right, constants) + (<i64>load<i32>(block) - LANE_ZERO) * multiplier;
    let to = out + channel;

    let sums = zeroLanes();
    for (let column = 0; column < before; column++) {
      if (column < padLeft) {
        sums += <i64>zeroPoint * (wa + wb + wc);
      } else {
        sums += <i64>load<i8>(a) * wa + <i64>load<i8>(b) * wb + <i64>load<i8>(c) * wc;
        a += stepA;
        b += stepB;
        c += stepC;
      }
      sums = (sums >> LANE_BITS) + TOP_ZERO;
    }
    const rowEnd = to + rowBytes;
    let end = to + wholeBytes;
    let isBetween = isHalved && (columns & 1) === 1;
    for (;;) {
      do {
        if (isHalved) {
          sums += <i64>load<i8>(a) * va + <i64>load<i8>(b) * vb + <i64>load<i8>(c) * vc;
          a += stepA;
          b += stepB;
          c += stepC;
        }
        sums += <i64>load<i8>(a) * wa + <i64>load<i8>(b) * wb + <i64>load<i8>(c) * wc;
        a += stepA;
        b += stepB;
        c += stepC;
        const value = <i32>(((sums & LANE_MASK) * multiplier + offset) >> right);
        store<i8>(to, min(max(value, lower), upper));
        sums = (sums >> LANE_BITS) + TOP_ZERO;
        to += outStep;
      } while (to < end);
      if (to === rowEnd) break;
      // What is left ends outside: zero points, but for a column between that is still inside.
      if (isBetween) {
        isBetween = false;
        end = to + outStep;
        stepA = zeroRow - a;
        stepB = zeroRow - b;
        stepC = zeroRow - c;
      } else {
        end = rowEnd;
        a = zeroRow;
        b = zeroRow;
        c = zeroRow;
        stepA = 0;
        stepB = 0;
        stepC = 0;
      }
    }
    block += blockBytes;
  }
}

/** Lanes of a kernel: the outputs that its window meets. */
function lanesOf(kernelWidth: i32, strideX: i32): i32 {
  return (kernelWidth + strideX - 1) / strideX;
}

/** Whether slideRows takes it: up to nine lanes, in three int64. */
export function fitsRows(kernelHeight: i32, kernelWidth: i32, strideX: i32): bool {
  return kernelHeight * kernelWidth <= LANE_TERMS && lanesOf(kernelWidth, strideX) <= 9;
}

/**
 * Any kernel: `width` outputs of one channel. For each phase of the stride there are entries at `entries`, an address and from byte 8
 * on weights for each int64 of sums: one of the zero point with the sums of the weights, for columns outside, then one for each row
 * inside.
 */
export function slideRows(
  rows: usize,
  kernelHeight: i32,
  kernelWidth: i32,
  strideX: i32,
  padLeft: i32,
  inside: i32,
  channel: i32,
  pixelBytes: usize,
  entries: usize,
  block: usize,
  head: usize,
  zeroPoint: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const lanes = lanesOf(kernelWidth, strideX);
  const entryBytes = <usize>(8 + (((lanes + 2) / 3) << 3));
  // Columns of no weight before the kernel make its width a multiple of the stride: its last column completes an output.
  const front = lanes * strideX - kernelWidth;
  let bias = <i64>load<i32>(block) - LANE_ZERO;
  let entry = entries;
  let phaseBytes: usize = 0;
  for (let phase = 0; phase < strideX; phase++) {
    const outside = entry;
    memory.fill(outside, 0, entryBytes);
    store<u32>(outside, <u32>(rows - 16));
    entry += entryBytes;
    for (let ky = 0; ky < kernelHeight; ky++) {
      const row = rows + <usize>(ky * 12);
      let w = block + head + <usize>(ky * kernelWidth);
      if (load<i32>(row, 8) === 0) {
        for (let kx = phase; kx < kernelWidth; kx += strideX)
          bias += <i64>(zeroPoint * <i32>load<i8>(w + kx));
        continue;
      }
      store<u32>(entry, load<u32>(row) + channel);
      // Lanes from the highest, which is the kernel's first column.
      let lane = lanes;
      let at = entryBytes - 8;
      w += phase - front;
      let sum: i64 = 0;
      let isFront = phase < front;
      while (lane > 0) {
        lane--;
        sum = (sum << LANE_BITS) + (isFront ? 0 : <i64>load<i8>(w));
        isFront = false;
        w += strideX;
        if (lane % 3 === 0) {
          store<i64>(entry + at, sum);
          store<i64>(outside + at, load<i64>(outside + at) + sum);
          at -= 8;
          sum = 0;
        }
      }
      entry += entryBytes;
    }
    phaseBytes = entry - outside;
  }

  const multiplier = <i64>load<i32>(block, 4);
  const right = singleShift(block);
  const offset = singleOffset(right, constants);
  const sign = singleSign(right, constants);
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  const isWide = lanes > 3;
  const isWidest = lanes > 6;
  let sums0 = zeroLanes();
  let sums1 = zeroLanes();
  let sums2 = zeroLanes();
  let column = -front - padLeft;
  let at = <usize>column * pixelBytes;
  for (let x = 1 - lanes; x < width; x++) {
    let e = entries;
    for (let phase = 0; phase < strideX; phase++) {
      const isInside = <u32>column < <u32>inside;
      const next = e + phaseBytes;
      const from = isInside ? at : 0;
      const end = isInside ? next : e + entryBytes;
      if (isInside) e += entryBytes;
      while (e < end) {
        const value = <i64>load<i8>(load<u32>(e) + from);
        sums0 += value * load<i64>(e, 8);
        if (isWide) {
          sums1 += value * load<i64>(e, 16);
          if (isWidest) sums2 += value * load<i64>(e, 24);
        }
        e += entryBytes;
      }
      e = next;
      column++;
      at += pixelBytes;
    }
    if (x >= 0) {
      storeSingle((bias + (sums0 & LANE_MASK)) * multiplier, offset, sign, right, lower, upper, out);
      out += outStep;
    }
    sums0 = (sums0 >> LANE_BITS) + ((sums1 & LANE_MASK) << (2 * LANE_BITS));
    sums1 = (sums1 >> LANE_BITS) + ((sums2 & LANE_MASK) << (2 * LANE_BITS));
    sums2 = (sums2 >> LANE_BITS) + TOP_ZERO;
  }
}
