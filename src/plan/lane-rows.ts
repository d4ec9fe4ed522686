/**
 * `mcu`: rows of weights that are multiplied with one vector of int8, three rows to an int64, as assembly/micro/lane-rows.ts takes them: by twelve
 * rows, four times three, and five elements, up to which rows are filled. Those lie in 64 bytes, 16 for each three rows: five words, one for an element,
 * of three lanes 21 bits apart, in each of which is a weight with 128 added. Two words are in each of two int64, the second 8 bits further up;
 * of the fifth the lower four bits of each lane at bit 16 of the first int64, the upper four at bit 16 of the second.
 */

/** Rows that are multiplied together. */
export const LANE_ROWS = 12;
const ROWS_PER_WORD = 3;
const LANE_BITS = 21;
/** Elements whose weights lie together. */
const GROUP_ELEMENTS = 5;
const GROUP_BYTES = 64;
const WORD_BYTES = 16;
/** Elements whose products a lane holds the sum of, whatever they are, whole groups: 60 · 128 · 128 < 2^20. */
const CHUNK_ELEMENTS = 60;
/** What each chunk's lanes carry more than their sums, so that none is negative. */
const LANE_ZERO = 2 ** 20 - 1;

/** Bytes of twelve rows of `depth` weights. */
export function laneBytes(depth: number): number {
  return GROUP_BYTES * groups(depth);
}

/** Weights of a row of `depth`, filled up. */
export function filledDepth(depth: number): number {
  return GROUP_ELEMENTS * groups(depth);
}

function groups(depth: number): number {
  return Math.ceil(depth / GROUP_ELEMENTS);
}

/** Bytes of the sums of twelve rows. */
export const LANE_SUM_BYTES = 4 * LANE_ROWS;

/** Bytes of a vector as the kernel prepares it: where each chunk's lanes begin, then its elements, filled up to whole groups. */
export function laneVectorBytes(depth: number): number {
  return 8 * (Math.ceil(depth / CHUNK_ELEMENTS) + Math.ceil((depth + GROUP_ELEMENTS - 1) / 8));
}

/** What a sum of `depth` products carries more, unless it begins at less. */
export function laneZeros(depth: number): number {
  return LANE_ZERO * Math.ceil(depth / CHUNK_ELEMENTS);
}

/** Writes the weights of one row of twelve, which begin at byte `at` and are 0 there. */
export function writeLaneRow(view: DataView, at: number, row: number, weights: Int8Array): void {
  const lane = LANE_BITS * (row % ROWS_PER_WORD);
  at += WORD_BYTES * Math.floor(row / ROWS_PER_WORD);
  for (const [i, weight] of weights.entries()) {
    const value = weight + 128;
    const element = i % GROUP_ELEMENTS;
    if (element < 4) {
      addBits(view, at + 8 * (element >> 1), lane + 8 * (element & 1), value);
    } else {
      addBits(view, at, lane + 16, value & 15);
      addBits(view, at + 8, lane + 16, value >> 4);
      at += GROUP_BYTES;
    }
  }
}

/** Sets bits of the int64 at byte `at`, from bit `from` on. */
function addBits(view: DataView, at: number, from: number, value: number): void {
  const half = at + 4 * Math.floor(from / 32);
  const shift = from % 32;
  view.setInt32(half, view.getInt32(half, true) | (value << shift), true);
  if (shift <= 24 || half > at) return;
  view.setInt32(half + 4, view.getInt32(half + 4, true) | (value >>> (32 - shift)), true);
}
