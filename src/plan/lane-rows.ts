/**
 * `mcu`: rows of weights that are multiplied with one vector of int8, three rows to an int64, as assembly/micro/lane-rows.ts takes them: by twelve
 * rows, four times three, and four elements, up to which rows are filled. Those lie in 64 bytes, 16 for each three rows: four words, one for an element,
 * of three lanes 21 bits apart, in each of which is a weight with 128 added. Two words are in each of two int64, the second 8 bits further up.
 */

/** Rows that are multiplied together. */
export const LANE_ROWS = 12;
const ROWS_PER_WORD = 3;
const LANE_BITS = 21;
/** Elements whose weights lie together. */
const GROUP_ELEMENTS = 4;
const GROUP_BYTES = 64;
const WORD_BYTES = 16;
/** Elements whose products a lane holds the sum of, whatever they are, whole groups: 64 · 128 · 128 = 2^20. */
const CHUNK_ELEMENTS = 64;
/** What each chunk's lanes carry more than their sums, so that none is negative. */
const LANE_ZERO = 2 ** 20 - 1;

/** The last word is loaded with a byte that is behind it. */
const TAIL_BYTES = 4;

/** Bytes of twelve rows of `depth` weights. */
export function laneBytes(depth: number): number {
  return GROUP_BYTES * groups(depth) + TAIL_BYTES;
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

/** Of a group of elements as the kernel prepares them. */
const STAGED_BYTES = 12;

/** Bytes of a vector as the kernel prepares it: of each chunk where its lanes begin, and its elements. */
export function laneVectorBytes(depth: number): number {
  return 8 * (Math.ceil((STAGED_BYTES * groups(depth)) / 8) + Math.ceil(depth / CHUNK_ELEMENTS));
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
    addBits(view, at + 8 * (element >> 1), lane + 8 * (element & 1), value);
    if (element === GROUP_ELEMENTS - 1) at += GROUP_BYTES;
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
