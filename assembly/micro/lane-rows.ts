/** mcu: a matrix times one vector, three rows to an int64: recurrent layers, and fully connected ones. */
import { addLanes } from "./add-lanes.ts";
import { BYTE_LANES, LANE_ZERO, NIBBLES, ONES } from "./lanes.ts";

/** Rows that are multiplied together: LANE_ROWS of src/plan/lane-rows.ts. */
export const LANE_ROWS = 12;
/** Bytes of their sums. */
export const SUM_BYTES: usize = 4 * LANE_ROWS;
/** Elements whose weights lie together, 16 bytes for three rows. */
const GROUP_ELEMENTS = 5;
const GROUP_BYTES: usize = 64;
/** Elements that lanes hold the sums of, whatever they are: CHUNK_ELEMENTS there. */
const CHUNK_ELEMENTS = 60;

/** Bytes of twelve rows: laneBytes there. */
export function laneBytes(depth: i32): usize {
  return <usize>((depth + (GROUP_ELEMENTS - 1)) / GROUP_ELEMENTS) * GROUP_BYTES;
}

/** Bytes of what stageLanes writes: laneVectorBytes there. */
export function laneVectorBytes(depth: i32): usize {
  return startBytes(depth) + ((<usize>depth + (GROUP_ELEMENTS + 6)) & ~7);
}

/** Of it, what the lanes of each chunk begin at. */
function startBytes(depth: i32): usize {
  return (<usize>((depth + (CHUNK_ELEMENTS - 1)) / CHUNK_ELEMENTS)) << 3;
}

/** Prepares a vector of `depth` int8 for laneDots: where each chunk begins, then its elements, zeros up to whole groups. */
export function stageLanes(staging: usize, vector: usize, depth: i32): void {
  let q = staging + startBytes(depth);
  const end = q + <usize>depth;
  memory.copy(q, vector, depth);
  memory.fill(end, 0, GROUP_ELEMENTS - 1);
  for (; q < end; staging += 8) {
    const chunk = min(q + CHUNK_ELEMENTS, end);
    let total = 0;
    for (; q < chunk; q += GROUP_ELEMENTS) {
      total +=
        <i32>load<i8>(q) +
        <i32>load<i8>(q, 1) +
        <i32>load<i8>(q, 2) +
        <i32>load<i8>(q, 3) +
        <i32>load<i8>(q, 4);
    }
    store<i64>(staging, (LANE_ZERO - 128 * <i64>total) * ONES);
  }
}

/** What a sum of `depth` products carries more than it would, unless it begins at less: laneZeros there. */
export function laneZeros(depth: i32): i32 {
  return <i32>LANE_ZERO * ((depth + (CHUNK_ELEMENTS - 1)) / CHUNK_ELEMENTS);
}

/**
 *   sums[r] = begins[r] + laneZeros(depth) + Σ_i vector[i] · w[r, i]      int32, for twelve rows
 *
 * Weights are as src/plan/lane-rows.ts packs them, each with 128 added, which come off at the start of the lanes, in each at once; the vector as
 * stageLanes left it. Sums wrap as the reference's do.
 */
export function laneDots(staging: usize, depth: i32, begins: usize, weights: usize, sums: usize): void {
  let q = staging + startBytes(depth);
  let w = weights;
  do {
    let a = load<i64>(staging);
    let b = a;
    let c = a;
    let d = a;
    const end = q + <usize>min(depth, CHUNK_ELEMENTS);
    do {
      const x0 = <i64>load<i8>(q);
      const x1 = <i64>load<i8>(q, 1);
      const x2 = <i64>load<i8>(q, 2);
      const x3 = <i64>load<i8>(q, 3);
      const x4 = <i64>load<i8>(q, 4);
      const a0 = load<i64>(w);
      const a1 = load<i64>(w, 8);
      a +=
        (a0 & BYTE_LANES) * x0 +
        ((a0 >> 8) & BYTE_LANES) * x1 +
        (a1 & BYTE_LANES) * x2 +
        ((a1 >> 8) & BYTE_LANES) * x3 +
        (((a0 >> 16) & NIBBLES) | ((a1 >> 12) & (NIBBLES << 4))) * x4;
      const b0 = load<i64>(w, 16);
      const b1 = load<i64>(w, 24);
      b +=
        (b0 & BYTE_LANES) * x0 +
        ((b0 >> 8) & BYTE_LANES) * x1 +
        (b1 & BYTE_LANES) * x2 +
        ((b1 >> 8) & BYTE_LANES) * x3 +
        (((b0 >> 16) & NIBBLES) | ((b1 >> 12) & (NIBBLES << 4))) * x4;
      const c0 = load<i64>(w, 32);
      const c1 = load<i64>(w, 40);
      c +=
        (c0 & BYTE_LANES) * x0 +
        ((c0 >> 8) & BYTE_LANES) * x1 +
        (c1 & BYTE_LANES) * x2 +
        ((c1 >> 8) & BYTE_LANES) * x3 +
        (((c0 >> 16) & NIBBLES) | ((c1 >> 12) & (NIBBLES << 4))) * x4;
      const d0 = load<i64>(w, 48);
      const d1 = load<i64>(w, 56);
      d +=
        (d0 & BYTE_LANES) * x0 +
        ((d0 >> 8) & BYTE_LANES) * x1 +
        (d1 & BYTE_LANES) * x2 +
        ((d1 >> 8) & BYTE_LANES) * x3 +
        (((d0 >> 16) & NIBBLES) | ((d1 >> 12) & (NIBBLES << 4))) * x4;
      q += GROUP_ELEMENTS;
      w += GROUP_BYTES;
    } while (q < end);
    addLanes(sums, begins, a);
    addLanes(sums + 12, begins + 12, b);
    addLanes(sums + 24, begins + 24, c);
    addLanes(sums + 36, begins + 36, d);
    begins = sums;
    staging += 8;
    depth -= CHUNK_ELEMENTS;
  } while (depth > 0);
}

/** As laneDots, of two vectors, the second one's sums to `secondSums`: weights are taken apart once for both. */
export function laneDotsTwice(
  staging: usize,
  second: usize,
  depth: i32,
  begins: usize,
  weights: usize,
  sums: usize,
  secondSums: usize,
): void {
  let q = staging + startBytes(depth);
  let w = weights;
  // Vectors of one depth are staged alike.
  const toSecond = second - staging;
  let secondBegins = begins;
  do {
    let a = load<i64>(staging);
    let b = a;
    let c = a;
    let d = a;
    let e = load<i64>(staging + toSecond);
    let f = e;
    let g = e;
    let h = e;
    const end = q + <usize>min(depth, CHUNK_ELEMENTS);
    do {
      const x0 = <i64>load<i8>(q);
      const x1 = <i64>load<i8>(q, 1);
      const x2 = <i64>load<i8>(q, 2);
      const x3 = <i64>load<i8>(q, 3);
      const x4 = <i64>load<i8>(q, 4);
      const p = q + toSecond;
      const y0 = <i64>load<i8>(p);
      const y1 = <i64>load<i8>(p, 1);
      const y2 = <i64>load<i8>(p, 2);
      const y3 = <i64>load<i8>(p, 3);
      const y4 = <i64>load<i8>(p, 4);
      let v0 = load<i64>(w);
      let v1 = load<i64>(w, 8);
      let w0 = v0 & BYTE_LANES;
      let w1 = (v0 >> 8) & BYTE_LANES;
      let w2 = v1 & BYTE_LANES;
      let w3 = (v1 >> 8) & BYTE_LANES;
      let w4 = ((v0 >> 16) & NIBBLES) | ((v1 >> 12) & (NIBBLES << 4));
      a += w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3 + w4 * x4;
      e += w0 * y0 + w1 * y1 + w2 * y2 + w3 * y3 + w4 * y4;
      v0 = load<i64>(w, 16);
      v1 = load<i64>(w, 24);
      w0 = v0 & BYTE_LANES;
      w1 = (v0 >> 8) & BYTE_LANES;
      w2 = v1 & BYTE_LANES;
      w3 = (v1 >> 8) & BYTE_LANES;
      w4 = ((v0 >> 16) & NIBBLES) | ((v1 >> 12) & (NIBBLES << 4));
      b += w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3 + w4 * x4;
      f += w0 * y0 + w1 * y1 + w2 * y2 + w3 * y3 + w4 * y4;
      v0 = load<i64>(w, 32);
      v1 = load<i64>(w, 40);
      w0 = v0 & BYTE_LANES;
      w1 = (v0 >> 8) & BYTE_LANES;
      w2 = v1 & BYTE_LANES;
      w3 = (v1 >> 8) & BYTE_LANES;
      w4 = ((v0 >> 16) & NIBBLES) | ((v1 >> 12) & (NIBBLES << 4));
      c += w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3 + w4 * x4;
      g += w0 * y0 + w1 * y1 + w2 * y2 + w3 * y3 + w4 * y4;
      v0 = load<i64>(w, 48);
      v1 = load<i64>(w, 56);
      w0 = v0 & BYTE_LANES;
      w1 = (v0 >> 8) & BYTE_LANES;
      w2 = v1 & BYTE_LANES;
      w3 = (v1 >> 8) & BYTE_LANES;
      w4 = ((v0 >> 16) & NIBBLES) | ((v1 >> 12) & (NIBBLES << 4));
      d += w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3 + w4 * x4;
      h += w0 * y0 + w1 * y1 + w2 * y2 + w3 * y3 + w4 * y4;
      q += GROUP_ELEMENTS;
      w += GROUP_BYTES;
    } while (q < end);
    addLanes(sums, begins, a);
    addLanes(sums + 12, begins + 12, b);
    addLanes(sums + 24, begins + 24, c);
    addLanes(sums + 36, begins + 36, d);
    addLanes(secondSums, secondBegins, e);
    addLanes(secondSums + 12, secondBegins + 12, f);
    addLanes(secondSums + 24, secondBegins + 24, g);
    addLanes(secondSums + 36, secondBegins + 36, h);
    begins = sums;
    secondBegins = secondSums;
    staging += 8;
    depth -= CHUNK_ELEMENTS;
  } while (depth > 0);
}
