/**
 * What an interpreter without vectors could do, for `npm run bench:mcu`: the densest loops known for one, three products to a
 * multiplication of int64, over operands that were packed beforehand and with nothing around them: no requantisation, no border, no
 * rows that end. A module of its own, which only that benchmark runs; each loop works on memory from `at` on, whatever is there.
 */
import { LANE_BITS } from "../micro/lanes.ts";

const PIXELS = 128;
const CHANNELS = 48;
const DEPTH = 64;

export function pointwiseMacs(): i32 {
  return PIXELS * CHANNELS * DEPTH;
}

/** 1×1 convolution, 4 pixels × 12 channels at a time: pixels by fours, weights of three channels in the lanes of an int64. */
export function pointwise(at: usize): void {
  const weights = at + PIXELS * DEPTH;
  let out = weights + (CHANNELS / 3) * DEPTH * 8;
  for (let y = 0; y < PIXELS; y += 4) {
    for (let n = 0; n < CHANNELS; n += 12) {
      let x = at + y * DEPTH;
      let w = weights + (n / 3) * DEPTH * 8;
      let a0: i64 = 0;
      let a1: i64 = 0;
      let a2: i64 = 0;
      let a3: i64 = 0;
      let b0: i64 = 0;
      let b1: i64 = 0;
      let b2: i64 = 0;
      let b3: i64 = 0;
      let c0: i64 = 0;
      let c1: i64 = 0;
      let c2: i64 = 0;
      let c3: i64 = 0;
      let d0: i64 = 0;
      let d1: i64 = 0;
      let d2: i64 = 0;
      let d3: i64 = 0;
      for (let k = 0; k < DEPTH; k++) {
        const w0 = load<i64>(w);
        const w1 = load<i64>(w, 8);
        const w2 = load<i64>(w, 16);
        const w3 = load<i64>(w, 24);
        const a = <i64>load<i8>(x);
        a0 += a * w0;
        a1 += a * w1;
        a2 += a * w2;
        a3 += a * w3;
        const b = <i64>load<i8>(x, 1);
        b0 += b * w0;
        b1 += b * w1;
        b2 += b * w2;
        b3 += b * w3;
        const c = <i64>load<i8>(x, 2);
        c0 += c * w0;
        c1 += c * w1;
        c2 += c * w2;
        c3 += c * w3;
        const d = <i64>load<i8>(x, 3);
        d0 += d * w0;
        d1 += d * w1;
        d2 += d * w2;
        d3 += d * w3;
        w += 32;
        x += 4;
      }
      storeFour(out, a0, a1, a2, a3);
      storeFour(out + 32, b0, b1, b2, b3);
      storeFour(out + 64, c0, c1, c2, c3);
      storeFour(out + 96, d0, d1, d2, d3);
      out += 128;
    }
  }
}

const SIDE = 24;
const PLANES = 32;
/** Bytes of a plane's row, with columns of padding. */
const ROW = SIDE + 4;

export function depthwiseMacs(): i32 {
  return SIDE * SIDE * PLANES * 9;
}

/** 3×3 depthwise convolution of planes, four outputs at a time: a row's dot product of three is the upper lane of one multiplication. */
export function depthwise(at: usize): void {
  const weights = at + PLANES * (SIDE + 2) * ROW;
  let out = weights + PLANES * 24;
  for (let c = 0; c < PLANES; c++) {
    const row0 = load<i64>(weights + c * 24);
    const row1 = load<i64>(weights + c * 24, 8);
    const row2 = load<i64>(weights + c * 24, 16);
    for (let y = 0; y < SIDE; y++) {
      let p = at + (c * (SIDE + 2) + y) * ROW;
      for (let x = 0; x < SIDE; x += 4) {
        let three = threeOf(p);
        let a = three * row0;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, 3)) << (2 * LANE_BITS));
        let b = three * row0;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, 4)) << (2 * LANE_BITS));
        let c = three * row0;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, 5)) << (2 * LANE_BITS));
        let d = three * row0;
        three = threeOf(p + ROW);
        a += three * row1;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, ROW + 3)) << (2 * LANE_BITS));
        b += three * row1;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, ROW + 4)) << (2 * LANE_BITS));
        c += three * row1;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, ROW + 5)) << (2 * LANE_BITS));
        d += three * row1;
        three = threeOf(p + 2 * ROW);
        a += three * row2;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, 2 * ROW + 3)) << (2 * LANE_BITS));
        b += three * row2;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, 2 * ROW + 4)) << (2 * LANE_BITS));
        c += three * row2;
        three = (three >> LANE_BITS) + ((<i64>load<i8>(p, 2 * ROW + 5)) << (2 * LANE_BITS));
        d += three * row2;
        storeFour(out, a, b, c, d);
        out += 32;
        p += 4;
      }
    }
  }
}

const ROWS = 128;
/** Three elements each, of a vector and of a row of weights. */
const WORDS = 64;

export function matrixVectorMacs(): i32 {
  return ROWS * WORDS * 3;
}

/** Matrix × vector, four rows at a time: dot products of three from int64 that hold three weights, 2.67 times their bytes. */
export function matrixVector(at: usize): void {
  let w = at + 8 * WORDS;
  let out = w + 8 * WORDS * ROWS;
  for (let n = 0; n < ROWS; n += 4) {
    let a: i64 = 0;
    let b: i64 = 0;
    let c: i64 = 0;
    let d: i64 = 0;
    let p = at;
    for (let k = 0; k < WORDS; k += 2) {
      const first = load<i64>(p);
      const second = load<i64>(p, 8);
      a += first * load<i64>(w) + second * load<i64>(w, 32);
      b += first * load<i64>(w, 8) + second * load<i64>(w, 40);
      c += first * load<i64>(w, 16) + second * load<i64>(w, 48);
      d += first * load<i64>(w, 24) + second * load<i64>(w, 56);
      w += 64;
      p += 16;
    }
    storeFour(out, a, b, c, d);
    out += 32;
  }
}

function threeOf(p: usize): i64 {
  return <i64>load<i8>(p) + ((<i64>load<i8>(p, 1)) << LANE_BITS) + ((<i64>load<i8>(p, 2)) << (2 * LANE_BITS));
}

function storeFour(at: usize, a: i64, b: i64, c: i64, d: i64): void {
  store<i64>(at, a);
  store<i64>(at, b, 8);
  store<i64>(at, c, 16);
  store<i64>(at, d, 24);
}
