import { LOWER, SCALAR_HEAD, secondOffset, TWICE, twiceMask } from "./epilogue.ts";
import { clamp } from "../fixed-point.ts";
import { LANE_BITS, LANE_MASK, LANE_TERMS, LANE_ZERO, TOP_ZERO, zeroLanes } from "./lanes.ts";

/**
 * mcu: one output row of depthwise convolutions, by sums that slide along it. Method `single` only.
 *
 *   sums = lanes (lanes.ts) of the outputs that the window meets in a column, leftmost lowest
 *
 * A pixel belongs to as many outputs as the window meets, each with another weight: these lie in one int64 too, so that one
 * multiplication makes all its products. The column that completes the lowest lane shifts it out, and a new one in above.
 * Columns outside hold the zero point. The offset has the bias, with −zIn · Σw, folded in.
 *
 * Rows as in depthwise-strip.ts: an address, the bytes from pixel to pixel, a mask for the channel.
 */

/** Whether slideThree takes it, and slideRows does not: slideBytes in src/plan/packing.ts. */
export function isThree(kernelHeight: i32, kernelWidth: i32, strideX: i32, constants: usize): bool {
  return kernelHeight === 3 && kernelWidth === 3 && strideX < 3 && twiceMask(constants) === 0;
}

/**
 * 3×3 at strides 1 and 2, not dilated, clamped at the zero point or above; padded on the left by one column at most. `width` outputs of
 * channels [c0, c1), to `out` (of channel 0) and every `outStep` bytes.
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
  zeroPoint: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const isHalved = strideX === 2;
  const maskA = load<i32>(rows, 8);
  const maskB = load<i32>(rows, 20);
  const maskC = load<i32>(rows, 32);
  // One address serves all rows: of the first that is inside, from which the others lie as far as here.
  const inner = maskA ? rows : maskB ? rows + 12 : rows + 24;
  const address = <usize>load<u32>(inner);
  const pixelBytes = <usize>load<u32>(inner, 4);
  const mask = load<i32>(inner, 8);
  const fromB = (<usize>load<u32>(rows, 12) - address) & maskB;
  const fromC = (<usize>load<u32>(rows, 24) - address) & maskC;
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  // At stride 2 there are two lanes: the kernel's second column lies between those that complete an output.
  const first: i64 = isHalved ? 1 << LANE_BITS : 1 << (2 * LANE_BITS);
  const second: i64 = isHalved ? 0 : 1 << LANE_BITS;
  const before = 3 - strideX;
  const columns = inside + padLeft - before;
  const whole = min(columns >> (strideX - 1), width);
  const wholeBytes = <usize>whole * outStep;
  const rowBytes = <usize>width * outStep;

  for (let channel = c0; channel < c1; channel++) {
    const weights = block + SCALAR_HEAD;
    let va = <i64>load<i8>(weights, 1);
    let vb = <i64>load<i8>(weights, 4);
    let vc = <i64>load<i8>(weights, 7);
    let wa = <i64>load<i8>(weights) * first + va * second + <i64>load<i8>(weights, 2);
    let wb = <i64>load<i8>(weights, 3) * first + vb * second + <i64>load<i8>(weights, 5);
    let wc = <i64>load<i8>(weights, 6) * first + vc * second + <i64>load<i8>(weights, 8);
    // A row outside is zero points, which are the same for all outputs.
    let lost = -LANE_ZERO;
    if (!maskA) {
      lost += <i64>(zeroPoint * sumOfThree(weights));
      wa = 0;
      va = 0;
    }
    if (!maskB) {
      lost += <i64>(zeroPoint * sumOfThree(weights + 3));
      wb = 0;
      vb = 0;
    }
    if (!maskC) {
      lost += <i64>(zeroPoint * sumOfThree(weights + 6));
      wc = 0;
      vc = 0;
    }
    const right = load<i64>(block);
    const multiplier = <i64>load<i32>(block, 8);
    const offset = right + lost * multiplier;
    let to = out + channel;
    let a = address + ((channel / depthMultiplier) & mask);
    let toB = fromB;
    let toC = fromC;
    let step = pixelBytes;

    let sums = zeroLanes();
    if (padLeft) sums = ((sums + <i64>zeroPoint * (wa + wb + wc)) >> LANE_BITS) + TOP_ZERO;
    for (let column = padLeft; column < before; column++) {
      sums += <i64>load<i8>(a) * wa + <i64>load<i8>(a + toB) * wb + <i64>load<i8>(a + toC) * wc;
      a += step;
      sums = (sums >> LANE_BITS) + TOP_ZERO;
    }
    const rowEnd = to + rowBytes;
    let end = to + wholeBytes;
    for (;;) {
      do {
        if (isHalved) {
          sums += <i64>load<i8>(a) * va + <i64>load<i8>(a + toB) * vb + <i64>load<i8>(a + toC) * vc;
          a += step;
        }
        sums += <i64>load<i8>(a) * wa + <i64>load<i8>(a + toB) * wb + <i64>load<i8>(a + toC) * wc;
        a += step;
        const value = <i32>(((sums & LANE_MASK) * multiplier + offset) >> right);
        store<i8>(to, min(max(value, lower), upper));
        sums = (sums >> LANE_BITS) + TOP_ZERO;
        to += outStep;
      } while (to < end);
      if (to === rowEnd) break;
      // What is left ends outside: zero points, but for a column between that is still inside.
      if (columns & (strideX - 1)) {
        sums +=
          <i64>load<i8>(a) * va +
          <i64>load<i8>(a + toB) * vb +
          <i64>load<i8>(a + toC) * vc -
          <i64>zeroPoint * (va + vb + vc);
      }
      end = rowEnd;
      a = rows - 16;
      toB = 0;
      toC = 0;
      step = 0;
    }
    block += blockBytes;
  }
}

function sumOfThree(weights: usize): i32 {
  return <i32>load<i8>(weights) + <i32>load<i8>(weights, 1) + <i32>load<i8>(weights, 2);
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
  let bias = -LANE_ZERO;
  let entry = entries;
  let phaseBytes: usize = 0;
  for (let phase = 0; phase < strideX; phase++) {
    const outside = entry;
    memory.fill(outside, 0, entryBytes);
    store<u32>(outside, <u32>(rows - 16));
    entry += entryBytes;
    for (let ky = 0; ky < kernelHeight; ky++) {
      const row = rows + <usize>(ky * 12);
      let w = block + SCALAR_HEAD + <usize>(ky * kernelWidth);
      if (load<i32>(row, 8) === 0) {
        for (let kx = phase; kx < kernelWidth; kx += strideX)
          bias += <i64>(zeroPoint * <i32>load<i8>(w + kx));
        continue;
      }
      store<u32>(entry, load<u32>(row) + channel);
      // Lanes from the lowest, which is the kernel's last column of this phase.
      w += kernelWidth - strideX + phase;
      let left = lanes - i32(phase < front);
      for (let at: usize = 8; at < entryBytes; at += 8) {
        let sum: i64 = 0;
        if (left > 2) {
          sum =
            <i64>load<i8>(w) +
            ((<i64>load<i8>(w - strideX)) << LANE_BITS) +
            ((<i64>load<i8>(w - 2 * strideX)) << (2 * LANE_BITS));
        } else if (left > 0) {
          sum = load<i8>(w);
          if (left > 1) sum += (<i64>load<i8>(w - strideX)) << LANE_BITS;
        }
        store<i64>(entry + at, sum);
        store<i64>(outside + at, load<i64>(outside + at) + sum);
        w -= 3 * strideX;
        left -= 3;
      }
      entry += entryBytes;
    }
    phaseBytes = entry - outside;
  }

  const right = load<i64>(block);
  const multiplier = <i64>load<i32>(block, 8);
  const offset = right + bias * multiplier;
  const isTwice = ((<i32>right) & twiceMask(constants)) !== 0;
  const second = secondOffset(right, constants);
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
      if (isWidest) {
        for (; e < end; e += entryBytes) {
          const value = <i64>load<i8>(load<u32>(e) + from);
          sums0 += value * load<i64>(e, 8);
          sums1 += value * load<i64>(e, 16);
          sums2 += value * load<i64>(e, 24);
        }
      } else if (isWide) {
        for (; e < end; e += entryBytes) {
          const value = <i64>load<i8>(load<u32>(e) + from);
          sums0 += value * load<i64>(e, 8);
          sums1 += value * load<i64>(e, 16);
        }
      } else {
        for (; e < end; e += entryBytes) {
          sums0 += <i64>load<i8>(load<u32>(e) + from) * load<i64>(e, 8);
        }
      }
      e = next;
      column++;
      at += pixelBytes;
    }
    if (x >= 0) {
      let product = (sums0 & LANE_MASK) * multiplier + offset;
      if (isTwice) product = (product >> 31) * TWICE + second;
      store<i8>(out, clamp(<i32>(product >> right), lower, upper));
      out += outStep;
    }
    sums0 = (sums0 >> LANE_BITS) + ((sums1 & LANE_MASK) << (2 * LANE_BITS));
    sums1 = (sums1 >> LANE_BITS) + ((sums2 & LANE_MASK) << (2 * LANE_BITS));
    sums2 = (sums2 >> LANE_BITS) + TOP_ZERO;
  }
}
