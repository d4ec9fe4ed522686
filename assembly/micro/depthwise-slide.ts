import { clamp, TWICE } from "../fixed-point.ts";
import { LOWER, SCALAR_HEAD, secondOffset, twiceMask } from "./epilogue-scalar.ts";
import {
  LANE_BITS,
  LANE_MASK,
  LANE_TERMS,
  laneTotal,
  LANE_ZERO,
  spread,
  TOP_ZERO,
  ZERO_BYTES,
  zeroLanes,
} from "./lanes.ts";

/**
 * mcu: one output row of depthwise convolutions, by sums that slide along it. Method `single` only.
 *
 *   sums = lanes (lanes.ts) of the outputs that the window meets in a column, leftmost lowest
 *
 * A pixel belongs to as many outputs as the window meets, each with another weight: these lie in one int64 too, so that one
 * multiplication makes all its products. The column that completes the lowest lane shifts it out, and a new one in above.
 * Columns outside hold the zero point. The offset has the bias, with −zIn · Σw, folded in.
 *
 *   weights  words (spread) [phase of the stride][three of its lanes][ky]: writeLanes in src/ops/depthwise-conv2d.ts
 *
 * The last phase is the one that completes an output. Where the kernel is no multiple of the stride, columns of no weight before it
 * make it one. One word has all of a row of three at stride 2: bits 0 and 21 those of the last phase, bit 8 the one between.
 *
 * Rows as in depthwise-strip.ts: an address, the bytes from pixel to pixel, a mask for the channel. Rows outside are zero points, the
 * same for all outputs: their weights count as 0, and what they add goes to the offset.
 */

/** Lanes of a kernel: the outputs that its window meets. */
function lanesOf(kernelWidth: i32, strideX: i32): i32 {
  return (kernelWidth + strideX - 1) / strideX;
}

/** Whether the weights are words, for sums that slide: up to nine lanes, in three int64, and no stride that leaves phases without weights. */
export function fitsLanes(kernelHeight: i32, kernelWidth: i32, strideX: i32, dilationX: i32): bool {
  return (
    dilationX === 1 &&
    kernelHeight * kernelWidth <= LANE_TERMS &&
    strideX <= kernelWidth &&
    kernelWidth <= 9 * strideX
  );
}

/** Whether one word has all weights of a kernel row: those of the phase before in the lane that the last phase leaves. */
function isShared(kernelWidth: i32, strideX: i32): bool {
  return kernelWidth === 3 && strideX === 2;
}

/** Threes of a phase's lanes. */
function laneThrees(kernelWidth: i32, strideX: i32): i32 {
  return (kernelWidth + 3 * strideX - 1) / (3 * strideX);
}

/** Words of a kernel row: rowWords in src/plan/packing.ts. */
export function rowWords(kernelWidth: i32, strideX: i32): i32 {
  return isShared(kernelWidth, strideX) ? 1 : strideX * laneThrees(kernelWidth, strideX);
}

/** Where a word has the lower two. */
const TWO_BYTES: i64 = 0xff | (0xff << LANE_BITS);
/** The lower two lanes. */
const TWO_LANES: i64 = (1 << (2 * LANE_BITS)) - 1;

/** Where the row of an entry lies from the address of one that is inside; 0 of one outside. */
function rowFrom(entry: usize, address: usize): usize {
  return (<usize>load<u32>(entry) - address) & (<usize>load<i32>(entry, 8));
}

/** 3×3 at stride 1: `width` outputs of channels [c0, c1), to `out` (of channel 0) and every `outStep` bytes. */
export function slideThree(
  rows: usize,
  padLeft: i32,
  inside: i32,
  c0: i32,
  c1: i32,
  block: usize,
  blockBytes: usize,
  zeroPoint: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  threeRows<i8>(
    rows,
    padLeft,
    inside,
    c0,
    c1,
    block,
    blockBytes,
    <i64>zeroPoint,
    constants,
    out,
    outStep,
    width,
  );
}

/** As slideThree, at stride 2: the kernel's second column lies between those that complete an output. */
export function slideThreeHalved(
  rows: usize,
  padLeft: i32,
  inside: i32,
  c0: i32,
  c1: i32,
  block: usize,
  blockBytes: usize,
  zeroPoint: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  threeRows<i16>(
    rows,
    padLeft,
    inside,
    c0,
    c1,
    block,
    blockBytes,
    <i64>zeroPoint,
    constants,
    out,
    outStep,
    width,
  );
}

/** S has as many bytes as the stride has columns: two functions, neither of which asks in its loops. */
function threeRows<S>(
  rows: usize,
  padLeft: i32,
  inside: i32,
  c0: i32,
  c1: i32,
  block: usize,
  blockBytes: usize,
  zero: i64,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const isHalved = sizeof<S>() === 2;
  const maskA = load<i32>(rows, 8);
  const maskB = load<i32>(rows, 20);
  const maskC = load<i32>(rows, 32);
  const hasRowOutside = (maskA & maskB & maskC) === 0;
  // One address serves all rows: of the first that is inside, from which the others lie as far as here.
  const inner = maskA ? rows : maskB ? rows + 12 : rows + 24;
  const address = <usize>load<u32>(inner);
  const pixelBytes = <usize>load<u32>(inner, 4);
  const mask = load<i32>(inner, 8);
  const toB = rowFrom(rows + 12, address);
  const toC = rowFrom(rows + 24, address);
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  // Columns before the one that completes the first output.
  const before = (isHalved ? 1 : 2) - padLeft;
  const columns = max(inside - before, 0);
  const wholeBytes = <usize>min(isHalved ? columns >> 1 : columns, width) * outStep;
  const rowBytes = <usize>width * outStep;
  let from = address + (c0 & mask);
  const end = out + c1;
  for (let begin = out + c0; begin < end; begin++) {
    const wordA = <i64>load<u32>(block, SCALAR_HEAD);
    const wordB = <i64>load<u32>(block, SCALAR_HEAD + 4);
    const wordC = <i64>load<u32>(block, SCALAR_HEAD + 8);
    let wa: i64, wb: i64, wc: i64;
    let va: i64 = 0;
    let vb: i64 = 0;
    let vc: i64 = 0;
    if (isHalved) {
      wa = (wordA & TWO_BYTES) - (ZERO_BYTES & TWO_LANES);
      wb = (wordB & TWO_BYTES) - (ZERO_BYTES & TWO_LANES);
      wc = (wordC & TWO_BYTES) - (ZERO_BYTES & TWO_LANES);
      va = <i64>load<u8>(block, SCALAR_HEAD + 1) - 128;
      vb = <i64>load<u8>(block, SCALAR_HEAD + 5) - 128;
      vc = <i64>load<u8>(block, SCALAR_HEAD + 9) - 128;
    } else {
      wa = spread(wordA) - ZERO_BYTES;
      wb = spread(wordB) - ZERO_BYTES;
      wc = spread(wordC) - ZERO_BYTES;
    }
    let between = va + vb + vc;
    let total = wa + wb + wc;
    let lost = -LANE_ZERO;
    if (hasRowOutside) {
      const all = total + between;
      wa &= <i64>maskA;
      wb &= <i64>maskB;
      wc &= <i64>maskC;
      total = wa + wb + wc;
      if (isHalved) {
        va &= <i64>maskA;
        vb &= <i64>maskB;
        vc &= <i64>maskC;
        between = va + vb + vc;
      }
      lost += zero * laneTotal(all - total - between);
    }
    const right = load<i64>(block);
    const multiplier = <i64>load<i32>(block, 8);
    const offset = right + lost * multiplier;
    let columnOutside = zero * total;
    let a = from;

    let sums = zeroLanes();
    for (let column = -padLeft; column < before; column++) {
      if (<u32>column < <u32>inside) {
        sums += <i64>load<i8>(a) * wa + <i64>load<i8>(a + toB) * wb + <i64>load<i8>(a + toC) * wc;
        a += pixelBytes;
      } else {
        sums += columnOutside;
      }
      sums = (sums >> LANE_BITS) + TOP_ZERO;
    }
    let to = begin;
    if (wholeBytes) {
      const wholeEnd = begin + wholeBytes;
      do {
        if (isHalved) {
          sums += <i64>load<i8>(a) * va + <i64>load<i8>(a + toB) * vb + <i64>load<i8>(a + toC) * vc;
          a += pixelBytes;
        }
        sums += <i64>load<i8>(a) * wa + <i64>load<i8>(a + toB) * wb + <i64>load<i8>(a + toC) * wc;
        a += pixelBytes;
        const value = <i32>(((sums & LANE_MASK) * multiplier + offset) >> right);
        store<i8>(to, min(max(value, lower), upper));
        sums = (sums >> LANE_BITS) + TOP_ZERO;
        to += outStep;
      } while (to < wholeEnd);
    }
    const rowEnd = begin + rowBytes;
    if (isHalved && to < rowEnd) {
      between *= zero;
      columnOutside += between;
      // The column between may still be inside.
      if (columns & 1) {
        sums += <i64>load<i8>(a) * va + <i64>load<i8>(a + toB) * vb + <i64>load<i8>(a + toC) * vc - between;
      }
    }
    while (to < rowEnd) {
      sums += columnOutside;
      const value = <i32>(((sums & LANE_MASK) * multiplier + offset) >> right);
      store<i8>(to, min(max(value, lower), upper));
      sums = (sums >> LANE_BITS) + TOP_ZERO;
      to += outStep;
    }
    from -= mask;
    block += blockBytes;
  }
}

/**
 * 5×5 and 7×7 at strides 1 and 2, as slideThree. Words p, q and r: of the column that completes an output lanes 0–2, 3–5 and, at
 * stride 1, 6; at stride 2 r is of the column before it.
 */
export function slideWide(
  rows: usize,
  kernel: i32,
  strideX: i32,
  padLeft: i32,
  inside: i32,
  c0: i32,
  c1: i32,
  block: usize,
  blockBytes: usize,
  zeroPoint: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const isSeven = kernel === 7;
  const isHalved = strideX === 2;
  const lanes = lanesOf(kernel, strideX);
  const hasQ = lanes > 3;
  const isWidest = lanes > 6;
  let inner = rows;
  let masks = -1;
  for (let ky = kernel - 1; ky >= 0; ky--) {
    const row = rows + <usize>(ky * 12);
    const mask = load<i32>(row, 8);
    if (mask) inner = row;
    masks &= mask;
  }
  const address = <usize>load<u32>(inner);
  const pixelBytes = <usize>load<u32>(inner, 4);
  const mask = load<i32>(inner, 8);
  const to0 = rowFrom(rows, address);
  const to1 = rowFrom(rows + 12, address);
  const to2 = rowFrom(rows + 24, address);
  const to3 = rowFrom(rows + 36, address);
  const to4 = rowFrom(rows + 48, address);
  const to5 = isSeven ? rowFrom(rows + 60, address) : 0;
  const to6 = isSeven ? rowFrom(rows + 72, address) : 0;
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  const zero = <i64>zeroPoint;
  const firstColumn = kernel - lanes * strideX - padLeft;
  const threeBytes = <usize>(kernel << 2);
  const phaseBytes = hasQ ? 2 * threeBytes : threeBytes;

  const end = out + c1;
  let begin = out + c0;
  let from = address + (c0 & mask);
  let p0: i64 = 0;
  let p1: i64 = 0;
  let p2: i64 = 0;
  let p3: i64 = 0;
  let p4: i64 = 0;
  let p5: i64 = 0;
  let p6: i64 = 0;
  let q0: i64 = 0;
  let q1: i64 = 0;
  let q2: i64 = 0;
  let q3: i64 = 0;
  let q4: i64 = 0;
  let q5: i64 = 0;
  let q6: i64 = 0;
  let r0: i64 = 0;
  let r1: i64 = 0;
  let r2: i64 = 0;
  let r3: i64 = 0;
  let r4: i64 = 0;
  let r5: i64 = 0;
  let r6: i64 = 0;
  let pOutside: i64 = 0;
  let qOutside: i64 = 0;
  let rOutside: i64 = 0;
  let lost: i64 = 0;
  // An interpreter compiled without tail calls has a frame for each operation in a row, and is rid of them where a loop goes round: so
  // each channel takes three rounds.
  for (let round = 0; begin < end; round++) {
    const before = block + SCALAR_HEAD;
    const last = isHalved ? before + phaseBytes : before;
    if (round === 0) {
      p0 = spread(load<u32>(last)) - ZERO_BYTES;
      p1 = spread(load<u32>(last, 4)) - ZERO_BYTES;
      p2 = spread(load<u32>(last, 8)) - ZERO_BYTES;
      p3 = spread(load<u32>(last, 12)) - ZERO_BYTES;
      p4 = spread(load<u32>(last, 16)) - ZERO_BYTES;
      if (isSeven) {
        p5 = spread(load<u32>(last, 20)) - ZERO_BYTES;
        p6 = spread(load<u32>(last, 24)) - ZERO_BYTES;
      }
      if (hasQ) {
        const words = last + threeBytes;
        q0 = spread(load<u32>(words)) - ZERO_BYTES;
        q1 = spread(load<u32>(words, 4)) - ZERO_BYTES;
        q2 = spread(load<u32>(words, 8)) - ZERO_BYTES;
        q3 = spread(load<u32>(words, 12)) - ZERO_BYTES;
        q4 = spread(load<u32>(words, 16)) - ZERO_BYTES;
        if (isSeven) {
          q5 = spread(load<u32>(words, 20)) - ZERO_BYTES;
          q6 = spread(load<u32>(words, 24)) - ZERO_BYTES;
        }
      }
      continue;
    }
    if (round === 1) {
      if (isHalved || isWidest) {
        const words = isHalved ? before : last + 2 * threeBytes;
        r0 = spread(load<u32>(words)) - ZERO_BYTES;
        r1 = spread(load<u32>(words, 4)) - ZERO_BYTES;
        r2 = spread(load<u32>(words, 8)) - ZERO_BYTES;
        r3 = spread(load<u32>(words, 12)) - ZERO_BYTES;
        r4 = spread(load<u32>(words, 16)) - ZERO_BYTES;
        if (isSeven) {
          r5 = spread(load<u32>(words, 20)) - ZERO_BYTES;
          r6 = spread(load<u32>(words, 24)) - ZERO_BYTES;
        }
      }
      let p = p0 + p1 + p2 + p3 + p4 + p5 + p6;
      let q = q0 + q1 + q2 + q3 + q4 + q5 + q6;
      let r = r0 + r1 + r2 + r3 + r4 + r5 + r6;
      lost = -LANE_ZERO;
      if (masks === 0) {
        const all = p + q + r;
        const mask0 = <i64>load<i32>(rows, 8);
        p0 &= mask0;
        q0 &= mask0;
        r0 &= mask0;
        const mask1 = <i64>load<i32>(rows, 20);
        p1 &= mask1;
        q1 &= mask1;
        r1 &= mask1;
        const mask2 = <i64>load<i32>(rows, 32);
        p2 &= mask2;
        q2 &= mask2;
        r2 &= mask2;
        const mask3 = <i64>load<i32>(rows, 44);
        p3 &= mask3;
        q3 &= mask3;
        r3 &= mask3;
        const mask4 = <i64>load<i32>(rows, 56);
        p4 &= mask4;
        q4 &= mask4;
        r4 &= mask4;
        const mask5 = isSeven ? <i64>load<i32>(rows, 68) : 0;
        p5 &= mask5;
        q5 &= mask5;
        r5 &= mask5;
        const mask6 = isSeven ? <i64>load<i32>(rows, 80) : 0;
        p6 &= mask6;
        q6 &= mask6;
        r6 &= mask6;
        p = p0 + p1 + p2 + p3 + p4 + p5 + p6;
        q = q0 + q1 + q2 + q3 + q4 + q5 + q6;
        r = r0 + r1 + r2 + r3 + r4 + r5 + r6;
        lost += zero * laneTotal(all - p - q - r);
      }
      pOutside = zero * p;
      qOutside = zero * q;
      rOutside = zero * r;
      continue;
    }
    const right = load<i64>(block);
    const multiplier = <i64>load<i32>(block, 8);
    const offset = right + lost * multiplier;

    let sums0 = zeroLanes();
    let sums1 = zeroLanes();
    let sums2 = zeroLanes();
    let a = from;
    let to = begin;
    let column = firstColumn;
    for (let x = 1 - lanes; x < width; x++) {
      if (isHalved) {
        if (<u32>column < <u32>inside) {
          sums0 +=
            <i64>load<i8>(a + to0) * r0 +
            <i64>load<i8>(a + to1) * r1 +
            <i64>load<i8>(a + to2) * r2 +
            <i64>load<i8>(a + to3) * r3 +
            <i64>load<i8>(a + to4) * r4;
          if (isSeven) sums0 += <i64>load<i8>(a + to5) * r5 + <i64>load<i8>(a + to6) * r6;
          a += pixelBytes;
        } else {
          sums0 += rOutside;
        }
        column++;
      }
      if (<u32>column < <u32>inside) {
        const x0 = <i64>load<i8>(a + to0);
        const x1 = <i64>load<i8>(a + to1);
        const x2 = <i64>load<i8>(a + to2);
        const x3 = <i64>load<i8>(a + to3);
        const x4 = <i64>load<i8>(a + to4);
        sums0 += x0 * p0 + x1 * p1 + x2 * p2 + x3 * p3 + x4 * p4;
        if (hasQ) sums1 += x0 * q0 + x1 * q1 + x2 * q2 + x3 * q3 + x4 * q4;
        if (isSeven) {
          const x5 = <i64>load<i8>(a + to5);
          const x6 = <i64>load<i8>(a + to6);
          sums0 += x5 * p5 + x6 * p6;
          sums1 += x5 * q5 + x6 * q6;
          if (isWidest) sums2 += x0 * r0 + x1 * r1 + x2 * r2 + x3 * r3 + x4 * r4 + x5 * r5 + x6 * r6;
        }
        a += pixelBytes;
      } else {
        sums0 += pOutside;
        sums1 += qOutside;
        if (isWidest) sums2 += rOutside;
      }
      column++;
      if (x >= 0) {
        const value = <i32>(((sums0 & LANE_MASK) * multiplier + offset) >> right);
        store<i8>(to, min(max(value, lower), upper));
        to += outStep;
      }
      sums0 = (sums0 >> LANE_BITS) + ((sums1 & LANE_MASK) << (2 * LANE_BITS));
      if (isWidest) {
        sums1 = (sums1 >> LANE_BITS) + ((sums2 & LANE_MASK) << (2 * LANE_BITS));
        sums2 = (sums2 >> LANE_BITS) + TOP_ZERO;
      } else {
        sums1 = (sums1 >> LANE_BITS) + TOP_ZERO;
      }
    }
    begin++;
    from -= mask;
    block += blockBytes;
    round = -1;
  }
}

/**
 * Any kernel: `width` outputs of channels [c0, c1). For each phase of the stride there are entries at `entries`, an address and from byte 8
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
  c0: i32,
  c1: i32,
  depthMultiplier: i32,
  pixelBytes: usize,
  entries: usize,
  block: usize,
  blockBytes: usize,
  zeroPoint: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  const lanes = lanesOf(kernelWidth, strideX);
  const threes = laneThrees(kernelWidth, strideX);
  const entryBytes = <usize>(8 + (threes << 3));
  const front = lanes * strideX - kernelWidth;
  const threeBytes = <usize>(kernelHeight << 2);
  const wordsBytes = <usize>threes * threeBytes;
  const shares = isShared(kernelWidth, strideX);
  const phaseWords = shares ? 0 : wordsBytes;
  const lower = load<i32>(constants, LOWER);
  const upper = load<i32>(constants, LOWER + 4);
  const isWide = lanes > 3;
  const isWidest = lanes > 6;
  for (let c = c0; c < c1; c++) {
    const channel = c / depthMultiplier;
    let to = out + c;
    let outsideRows: i64 = 0;
    let word = block + SCALAR_HEAD;
    let entry = entries;
    let phaseBytes: usize = 0;
    for (let phase = 0; phase < strideX; phase++) {
      const outside = entry;
      memory.fill(outside, 0, entryBytes);
      store<u32>(outside, <u32>(rows - 16));
      entry += entryBytes;
      for (let ky = 0; ky < kernelHeight; ky++) {
        const row = rows + <usize>(ky * 12);
        const isInside = load<i32>(row, 8) !== 0;
        if (isInside) store<u32>(entry, load<u32>(row) + channel);
        let at: usize = 8;
        for (let w: usize = 0; w < wordsBytes; w += threeBytes) {
          let weights = spread(load<u32>(word + w)) - ZERO_BYTES;
          if (shares) {
            const last = ((weights + ZERO_BYTES) & TWO_LANES) - (ZERO_BYTES & TWO_LANES);
            weights = phase === 0 ? (weights - last) >> (2 * LANE_BITS) : last;
          }
          if (isInside) {
            store<i64>(entry + at, weights);
            store<i64>(outside + at, load<i64>(outside + at) + weights);
          } else {
            outsideRows += weights;
          }
          at += 8;
        }
        if (isInside) entry += entryBytes;
        word += 4;
      }
      word += phaseWords - threeBytes;
      phaseBytes = entry - outside;
    }

    const right = load<i64>(block);
    const multiplier = <i64>load<i32>(block, 8);
    const offset = right + (<i64>zeroPoint * laneTotal(outsideRows) - LANE_ZERO) * multiplier;
    const isTwice = ((<i32>right) & twiceMask(constants)) !== 0;
    const second = secondOffset(right, constants);
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
        store<i8>(to, clamp(<i32>(product >> right), lower, upper));
        to += outStep;
      }
      sums0 = (sums0 >> LANE_BITS) + ((sums1 & LANE_MASK) << (2 * LANE_BITS));
      sums1 = (sums1 >> LANE_BITS) + ((sums2 & LANE_MASK) << (2 * LANE_BITS));
      sums2 = (sums2 >> LANE_BITS) + TOP_ZERO;
    }
    block += blockBytes;
  }
}
