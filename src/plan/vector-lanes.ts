/**
 * `mcu`: weights of a row that is multiplied with one vector, three of them in an int64, 21 bits apart, as assembly/micro/row-dots.ts
 * takes them. Fifteen weights, 128 added to each, make five words of three lanes, and those lie in 16 bytes: two words in each int64,
 * the second 8 bits further up; of the fifth the lower four bits of each lane at bit 16 of the first int64, the upper four at bit 16 of
 * the second.
 */

/** Elements of a block. */
const BLOCK_ELEMENTS = 15;
const BLOCK_WORDS = BLOCK_ELEMENTS / 3;
const BLOCK_BYTES = 16;
/** Elements of the vector that the kernel packs at a time, whole blocks. */
const CHUNK_ELEMENTS = 135;
/** Sums that the kernel makes at a time. */
export const DOT_ROWS = 32;

/** Of a lane. */
const LANE_BITS = 21n;
const LANES = [0n, LANE_BITS, 2n * LANE_BITS] as const;

/** Weights of a row of `depth`, filled up. */
export function filledDepth(depth: number): number {
  return BLOCK_ELEMENTS * Math.ceil(depth / BLOCK_ELEMENTS);
}

/** Bytes of a row of `depth` weights. */
export function laneBytes(depth: number): number {
  return BLOCK_BYTES * Math.ceil(depth / BLOCK_ELEMENTS);
}

/** Scratch of the kernel: its sums, then a chunk of the vector, 8 bytes to three elements. */
export function vectorScratchBytes(depth: number): number {
  return 4 * DOT_ROWS + (8 * filledDepth(Math.min(depth, CHUNK_ELEMENTS))) / 3;
}

/** Writes a row's weights from byte `at` on. */
export function writeLanes(bytes: Int8Array | Uint8Array, at: number, weights: Int8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let first = 0; first < weights.length; first += CHUNK_ELEMENTS) {
    const words = wordsOf(weights.subarray(first, first + CHUNK_ELEMENTS));
    for (let word = 0; word < words.length; word += BLOCK_WORDS, at += BLOCK_BYTES) {
      writeWords(view, at, words.slice(word, word + BLOCK_WORDS));
    }
  }
}

/** Five words of three lanes, in 16 bytes. */
export function writeWords(
  view: DataView,
  at: number,
  [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n]: readonly bigint[],
): void {
  view.setBigUint64(at, a | (b << 8n) | ((e & NIBBLES) << 16n), true);
  view.setBigUint64(at + 8, c | (d << 8n) | (((e >> 4n) & NIBBLES) << 16n), true);
}

/** The word of three weights, lowest lane first, with 128 added to each. */
export function laneWord(weights: readonly number[]): bigint {
  return weights.reduce((word, weight, lane) => word | (BigInt(128 + weight) << (LANES[lane] ?? 0n)), 0n);
}

/** The lower four bits of each lane. */
const NIBBLES = LANES.reduce((mask, lane) => mask | (15n << lane), 0n);

/**
 * A chunk's weights in words. The vector's words have element i in the lowest lane, those `beyond` in the upper ones, so that no lane
 * reads past the vector's end; an element that two lanes have counts in the first. Its weight stands in the opposite lane.
 */
function wordsOf(chunk: Int8Array): bigint[] {
  const count = BLOCK_WORDS * Math.ceil(chunk.length / BLOCK_ELEMENTS);
  const beyond = Math.max(chunk.length - count, 0);
  const words = Array.from({ length: count }, () => 0n);
  let next = 0;
  for (const [lane, from] of [0, Math.min(beyond, count), beyond].entries()) {
    for (const word of words.keys()) {
      const counts = from + word === next && next < chunk.length;
      const weight = 128 + (counts ? (chunk[next++] ?? 0) : 0);
      words[word] = (words[word] ?? 0n) | (BigInt(weight) << (LANES[2 - lane] ?? 0n));
    }
  }
  return words;
}
