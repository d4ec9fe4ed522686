/** mcu: dot products of one vector with rows of weights, three products to a multiplication. */
import { BYTE_LANES, LANE_BITS, NIBBLES, ONES, pack } from "./lanes.ts";

/** Elements whose weights lie in 16 bytes: five words of three lanes. */
const BLOCK_ELEMENTS = 15;
const BLOCK_BYTES = 16;
/** Elements of the vector that are packed at a time: CHUNK_ELEMENTS of src/plan/vector-lanes.ts. */
const CHUNK_ELEMENTS = 135;
/** Rows whose sums there is room for: DOT_ROWS there. */
export const DOT_ROWS = 32;

/** Where the highest lane of a product begins. */
const TOP: i64 = 2 * LANE_BITS + 1;
/** Half of its unit: what stands below is signed, and is rounded off. */
const HALF: i64 = 1 << (2 * LANE_BITS);

/**
 *   sums[r] = Σ_i vector[i] · w[r, i]      int32, i < depth, r < rows, at most DOT_ROWS
 *
 * Rows of weights, `rowBytes` apart, are blocks of src/plan/vector-lanes.ts, whose 128 beyond each weight come off as 128 · Σx. With the vector's
 * elements in lanes, twice,
 *
 *   2 (x0 + x1 · 2^21 + x2 · 2^42) · (w2 + w1 · 2^21 + w0 · 2^42) = ... + (x0 · w0 + x1 · w1 + x2 · w2) · 2^43  modulo 2^64
 *
 * Not doubled, x1 · w0 + x2 · w1 would reach bit 63. Of five such words added up, what stands below is less than 2^42, and the sum above at most
 * 15 · 128 · 255 < 2^20. Sums of sums wrap as the reference's do. A block's sum is spelled out for each row: a call costs a fifth of the time. `sums` has room for DOT_ROWS, then for a chunk, packed.
 */
export function rowDots(
  vector: usize,
  depth: i32,
  weights: usize,
  rowBytes: usize,
  rows: i32,
  sums: usize,
): void {
  const packed = sums + (DOT_ROWS << 2);
  memory.fill(sums, 0, DOT_ROWS << 2);
  for (; depth > 0; depth -= CHUNK_ELEMENTS) {
    const elements = min(depth, CHUNK_ELEMENTS);
    const words = ((elements + (BLOCK_ELEMENTS - 1)) / BLOCK_ELEMENTS) * (BLOCK_ELEMENTS / 3);
    const end = packed + ((<usize>words) << 3);
    // Fewer elements than words leave some of zero.
    memory.fill(packed, 0, (<usize>words) << 3);
    const beyond = max(elements - words, 0);
    pack(vector, <usize>min(beyond, words), <usize>beyond, 1, 0, min(elements, words), packed);
    let total: i64 = 0;
    for (let q = packed; q < end; q += 8) {
      const twice = load<i64>(q) << 1;
      store<i64>(q, twice);
      total += twice;
    }
    const added = ((total * ONES + HALF) >> TOP) << 7;
    let sum = sums;
    let row = weights;
    let left = rows;
    for (; left >= 4; left -= 4) {
      let a = -added;
      let b = a;
      let c = a;
      let d = a;
      let w = row;
      for (let q = packed; q < end; q += 40) {
        const x0 = load<i64>(q);
        const x1 = load<i64>(q, 8);
        const x2 = load<i64>(q, 16);
        const x3 = load<i64>(q, 24);
        const x4 = load<i64>(q, 32);
        const a0 = load<i64>(w);
        const a1 = load<i64>(w, 8);
        a +=
          ((a0 & BYTE_LANES) * x0 +
            ((a0 >> 8) & BYTE_LANES) * x1 +
            (a1 & BYTE_LANES) * x2 +
            ((a1 >> 8) & BYTE_LANES) * x3 +
            (((a0 >> 16) & NIBBLES) | ((a1 >> 12) & (NIBBLES << 4))) * x4 +
            HALF) >>
          TOP;
        const b0 = load<i64>(w + rowBytes);
        const b1 = load<i64>(w + rowBytes, 8);
        b +=
          ((b0 & BYTE_LANES) * x0 +
            ((b0 >> 8) & BYTE_LANES) * x1 +
            (b1 & BYTE_LANES) * x2 +
            ((b1 >> 8) & BYTE_LANES) * x3 +
            (((b0 >> 16) & NIBBLES) | ((b1 >> 12) & (NIBBLES << 4))) * x4 +
            HALF) >>
          TOP;
        const c0 = load<i64>(w + 2 * rowBytes);
        const c1 = load<i64>(w + 2 * rowBytes, 8);
        c +=
          ((c0 & BYTE_LANES) * x0 +
            ((c0 >> 8) & BYTE_LANES) * x1 +
            (c1 & BYTE_LANES) * x2 +
            ((c1 >> 8) & BYTE_LANES) * x3 +
            (((c0 >> 16) & NIBBLES) | ((c1 >> 12) & (NIBBLES << 4))) * x4 +
            HALF) >>
          TOP;
        const d0 = load<i64>(w + 3 * rowBytes);
        const d1 = load<i64>(w + 3 * rowBytes, 8);
        d +=
          ((d0 & BYTE_LANES) * x0 +
            ((d0 >> 8) & BYTE_LANES) * x1 +
            (d1 & BYTE_LANES) * x2 +
            ((d1 >> 8) & BYTE_LANES) * x3 +
            (((d0 >> 16) & NIBBLES) | ((d1 >> 12) & (NIBBLES << 4))) * x4 +
            HALF) >>
          TOP;
        w += BLOCK_BYTES;
      }
      store<i32>(sum, load<i32>(sum) + <i32>a);
      store<i32>(sum, load<i32>(sum, 4) + <i32>b, 4);
      store<i32>(sum, load<i32>(sum, 8) + <i32>c, 8);
      store<i32>(sum, load<i32>(sum, 12) + <i32>d, 12);
      sum += 16;
      row += 4 * rowBytes;
    }
    // Fewer than four come where weights pass through SRAM in small tiles.
    for (; left > 0; left--) {
      let a = -added;
      let w = row;
      for (let q = packed; q < end; q += 40) {
        const a0 = load<i64>(w);
        const a1 = load<i64>(w, 8);
        a +=
          ((a0 & BYTE_LANES) * load<i64>(q) +
            ((a0 >> 8) & BYTE_LANES) * load<i64>(q, 8) +
            (a1 & BYTE_LANES) * load<i64>(q, 16) +
            ((a1 >> 8) & BYTE_LANES) * load<i64>(q, 24) +
            (((a0 >> 16) & NIBBLES) | ((a1 >> 12) & (NIBBLES << 4))) * load<i64>(q, 32) +
            HALF) >>
          TOP;
        w += BLOCK_BYTES;
      }
      store<i32>(sum, load<i32>(sum) + <i32>a);
      sum += 4;
      row += rowBytes;
    }
    vector += CHUNK_ELEMENTS;
    weights += (CHUNK_ELEMENTS / BLOCK_ELEMENTS) * BLOCK_BYTES;
  }
}

/** Bytes of a row's weights: laneBytes of src/plan/vector-lanes.ts. */
export function laneBytes(depth: i32): usize {
  return <usize>((depth + (BLOCK_ELEMENTS - 1)) / BLOCK_ELEMENTS) * BLOCK_BYTES;
}
