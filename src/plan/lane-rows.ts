/**
 * `mcu`: a matrix that is multiplied with one vector of int8, three rows to an int64, as assembly/micro/lane-rows.ts takes it: blocks of twelve
 * rows, four times three, each `[bias int32 [12]][weights]`, where for every five elements, zeros up to that, there are 16 bytes for each
 * three rows: five words (src/plan/vector-lanes.ts), one for an element.
 */
import { align } from "./packing.ts";
import { laneWord, writeWords } from "./vector-lanes.ts";

/** Rows of a block. */
export const LANE_ROWS = 12;
const ROWS_PER_WORD = 3;
const BIAS_BYTES = 4 * LANE_ROWS;
/** Elements whose weights lie together. */
const GROUP_ELEMENTS = 5;
const GROUP_BYTES = 64;
/** Elements whose products a lane holds the sum of, whatever they are, whole groups: 60 · 128 · 128 < 2^20. */
const CHUNK_ELEMENTS = 60;
/** What each chunk's lanes carry more than their sums, so that none is negative. */
const LANE_ZERO = 2 ** 20 - 1;

/** Bytes of a block of rows of `depth` weights. */
export function laneBlockBytes(depth: number): number {
  return BIAS_BYTES + GROUP_BYTES * Math.ceil(depth / GROUP_ELEMENTS);
}

/** Bytes of a block's sums. */
export const LANE_SUM_BYTES = BIAS_BYTES;

/** Bytes of a vector as the kernel prepares it: where each chunk's lanes begin, then its elements, filled up to whole groups. */
export function laneVectorBytes(depth: number): number {
  return 8 * Math.ceil(depth / CHUNK_ELEMENTS) + align(depth + GROUP_ELEMENTS - 1, 8);
}

/** A row to be packed; its bias wraps to int32. */
export interface LaneRow {
  readonly weights: Int8Array;
  readonly bias: bigint;
}

/** Writes a block from byte `at` on: up to twelve rows of `depth` weights, undefined where there is none. */
export function writeLaneBlock(
  view: DataView,
  at: number,
  depth: number,
  rows: readonly (LaneRow | undefined)[],
): void {
  const zeros = BigInt(LANE_ZERO * Math.ceil(depth / CHUNK_ELEMENTS));
  for (const [r, row] of rows.entries()) {
    view.setInt32(at + 4 * r, Number(BigInt.asIntN(32, (row?.bias ?? 0n) - zeros)), true);
  }
  for (let first = 0; first < depth; first += GROUP_ELEMENTS) {
    for (let r = 0; r < LANE_ROWS; r += ROWS_PER_WORD) {
      const three = Array.from({ length: ROWS_PER_WORD }, (_, i) => rows[r + i]?.weights);
      const words = Array.from({ length: GROUP_ELEMENTS }, (_, i) =>
        laneWord(three.map((weights) => weights?.[first + i] ?? 0)),
      );
      writeWords(view, at + BIAS_BYTES + (GROUP_BYTES * first) / GROUP_ELEMENTS + (16 * r) / ROWS_PER_WORD, words);
    }
  }
}
