import { storeTile } from "./store-tile.ts";

/**
 * Winograd's minimal filtering F(2×2, 3×3) in integers (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016): four
 * outputs of a 3×3 kernel by 16 products for each input channel instead of 36.
 *
 *   Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A      d a tile of 4×4 inputs, g a kernel, Y a tile of 2×2 outputs
 *
 *        1  0 −1  0          2  0  0             1  1  1  0
 *   Bᵀ = 0  1  1  0    2 G = 1  1  1        Aᵀ = 0  1 −1 −1
 *        0 −1  1  0          1 −1  1
 *        0  1  0 −1          0  0  2
 *
 * Kernels come transformed by 2 G, so that all is whole, and the sums are four times the convolution's: divided without remainder.
 * Transformed, inputs are within ±512 and weights within ±1152: both int16, as the dot product takes them.
 */

/** Products of a tile for each input channel. */
export const POSITIONS: i32 = 16;
/** Tiles that are multiplied together. */
export const TILES: i32 = 4;
/** Bytes of the sums of TILES tiles for 8 output channels: int32 [position][tile][channel]. */
export const SUM_BYTES: usize = 2048;

/** Bytes of TILES transformed tiles: int16 [position][pair of input channels][tile][2]. */
export function transformedBytes(pairs: i32): usize {
  return (<usize>(POSITIONS * TILES * pairs)) << 2;
}

/**
 * Bᵀ d B of the staged tile at `tile`, rows `rowBytes` and columns `columnBytes` apart, to `out` and every 16 bytes; 8 input channels at a
 * time.
 */
export function transformTile(
  tile: usize,
  rowBytes: usize,
  columnBytes: usize,
  pairs: i32,
  out: usize,
): void {
  const position = (<usize>pairs) << 4;
  const row1 = tile + rowBytes;
  const row2 = row1 + rowBytes;
  const row3 = row2 + rowBytes;
  for (let i: usize = 0; i < (<usize>pairs) << 2; i += 16) {
    transformRow(tile + i, row2 + i, false, columnBytes, position, out);
    transformRow(row1 + i, row2 + i, true, columnBytes, position, out + 4 * position);
    transformRow(row2 + i, row1 + i, false, columnBytes, position, out + 8 * position);
    transformRow(row1 + i, row3 + i, false, columnBytes, position, out + 12 * position);
    out += 64;
  }
}

/** A row of Bᵀ d, which is the sum or the difference of two rows of d, times B. */
function transformRow(
  a: usize,
  b: usize,
  isSum: bool,
  columnBytes: usize,
  position: usize,
  out: usize,
): void {
  const two = columnBytes << 1;
  const x0 = combined(v128.load(a), v128.load(b), isSum);
  const x1 = combined(v128.load(a + columnBytes), v128.load(b + columnBytes), isSum);
  const x2 = combined(v128.load(a + two), v128.load(b + two), isSum);
  const x3 = combined(v128.load(a + columnBytes + two), v128.load(b + columnBytes + two), isSum);
  storePairs(out, i16x8.sub(x0, x2));
  storePairs(out + position, i16x8.add(x1, x2));
  storePairs(out + 2 * position, i16x8.sub(x2, x1));
  storePairs(out + 3 * position, i16x8.sub(x1, x3));
}

function combined(a: v128, b: v128, isSum: bool): v128 {
  return isSum ? i16x8.add(a, b) : i16x8.sub(a, b);
}

/** Pairs of channels, those of other tiles between. */
function storePairs(out: usize, values: v128): void {
  v128.store_lane<i32>(out, values, 0);
  v128.store_lane<i32>(out, values, 1, 16);
  v128.store_lane<i32>(out, values, 2, 32);
  v128.store_lane<i32>(out, values, 3, 48);
}

/** Products of four transformed tiles with 8 output channels' weights, int16 [position][pair][channel][2], to `sums`. */
export function multiplyTiles(tiles: usize, pairs: i32, w: usize, sums: usize): void {
  for (const end = sums + SUM_BYTES; sums < end; sums += 128) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    for (let k = pairs; k > 0; k--) {
      const w0 = v128.load(w);
      const w1 = v128.load(w, 16);
      let x = v128.load_splat<i32>(tiles);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(w0, x));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load_splat<i32>(tiles, 4);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(w0, x));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load_splat<i32>(tiles, 8);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(w0, x));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(w1, x));
      x = v128.load_splat<i32>(tiles, 12);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(w0, x));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(w1, x));
      tiles += 16;
      w += 32;
    }
    v128.store(sums, a0);
    v128.store(sums, a1, 16);
    v128.store(sums, b0, 32);
    v128.store(sums, b1, 48);
    v128.store(sums, c0, 64);
    v128.store(sums, c1, 80);
    v128.store(sums, d0, 96);
    v128.store(sums, d1, 112);
  }
}

/**
 * Aᵀ M A of one tile's sums, and its outputs for up to 8 channels: at `out`, `right` and `below` bytes on, and both. `right` or `below` is
 * 0 where the tile reaches beyond the output.
 */
export function storeOutputs(
  sums: usize,
  block: usize,
  constants: usize,
  count: i32,
  out: usize,
  right: usize,
  below: usize,
): void {
  let s0 = rowSum(sums, 0);
  let s1 = rowSum(sums, 128);
  let s2 = rowSum(sums, 256);
  let s3 = rowSum(sums, 384);
  let t0 = rowDifference(sums, 0);
  let t1 = rowDifference(sums, 128);
  let t2 = rowDifference(sums, 256);
  let t3 = rowDifference(sums, 384);
  let bias = v128.load(block);
  const a0 = output(i32x4.add(i32x4.add(s0, s1), s2), bias);
  let b0 = output(i32x4.sub(i32x4.sub(s1, s2), s3), bias);
  let c0 = output(i32x4.add(i32x4.add(t0, t1), t2), bias);
  let d0 = output(i32x4.sub(i32x4.sub(t1, t2), t3), bias);
  s0 = rowSum(sums, 16);
  s1 = rowSum(sums, 144);
  s2 = rowSum(sums, 272);
  s3 = rowSum(sums, 400);
  t0 = rowDifference(sums, 16);
  t1 = rowDifference(sums, 144);
  t2 = rowDifference(sums, 272);
  t3 = rowDifference(sums, 400);
  bias = v128.load(block, 16);
  const a1 = output(i32x4.add(i32x4.add(s0, s1), s2), bias);
  let b1 = output(i32x4.sub(i32x4.sub(s1, s2), s3), bias);
  let c1 = output(i32x4.add(i32x4.add(t0, t1), t2), bias);
  let d1 = output(i32x4.sub(i32x4.sub(t1, t2), t3), bias);
  if (right === 0) {
    b0 = a0;
    b1 = a1;
    d0 = c0;
    d1 = c1;
  }
  if (below === 0) {
    c0 = a0;
    c1 = a1;
    d0 = b0;
    d1 = b1;
  }
  storeTile(a0, a1, b0, b1, c0, c1, d0, d1, block, constants, count, out, right, below);
}

/** Of a column of sums, the upper row of Aᵀ M; rows of positions are 512 bytes apart. */
function rowSum(sums: usize, at: usize): v128 {
  return i32x4.add(i32x4.add(v128.load(sums + at), v128.load(sums + at, 512)), v128.load(sums + at, 1024));
}

/** The lower row. */
function rowDifference(sums: usize, at: usize): v128 {
  return i32x4.sub(
    i32x4.sub(v128.load(sums + at, 512), v128.load(sums + at, 1024)),
    v128.load(sums + at, 1536),
  );
}

/** A quarter, and the bias. */
function output(sum: v128, bias: v128): v128 {
  return i32x4.add(i32x4.shr_s(sum, 2), bias);
}
