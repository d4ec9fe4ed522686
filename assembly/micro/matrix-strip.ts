import { segmentSteps } from "./conv-strip.ts";
import { loadWeights, multiplyAdd, stepBytes } from "./dot.ts";
import { dotInt16 } from "./int16-dot.ts";
import { scale4 } from "./scale.ts";

/**
 * A matrix times one vector, to int16:
 *
 *   out[r] = clamp16(requantize(bias[r] + Σ_i vector[i] · w[r, i]))      one multiplier for all rows
 *
 * or that added to out[r], saturating. Weights are blocks of src/plan/recurrent-packing.ts; the vector is staged as staging.ts
 * does, or of int16. `out` has room for a multiple of 8 rows. No float or proof here: requantisation is in int64, exact for any
 * accumulator and multiplier, because recurrent matrices are small and their outputs wide. Three blocks at a time, so that additions do not wait for
 * each other, then one by one. Without SIMD: lane-rows.ts.
 */
export function matrixRows(
  vector: usize,
  depth: i32,
  block: usize,
  rows: i32,
  multiplier: i32,
  shift: i32,
  out: usize,
  adds: bool,
): void {
  const steps = segmentSteps(depth);
  const blockBytes = 32 + <usize>steps * stepBytes();
  let r = 0;
  for (; r + 16 < rows; r += 24) {
    let wa = block;
    let wb = wa + blockBytes;
    let wc = wb + blockBytes;
    let a0 = v128.load(wa);
    let a1 = v128.load(wa, 16);
    let b0 = v128.load(wb);
    let b1 = v128.load(wb, 16);
    let c0 = v128.load(wc);
    let c1 = v128.load(wc, 16);
    wa += 32;
    wb += 32;
    wc += 32;
    let q = vector;
    for (let k = steps; k > 0; k--) {
      const x = v128.load_splat<i32>(q);
      a0 = multiplyAdd(loadWeights(wa, 0), x, a0);
      a1 = multiplyAdd(loadWeights(wa, 1), x, a1);
      b0 = multiplyAdd(loadWeights(wb, 0), x, b0);
      b1 = multiplyAdd(loadWeights(wb, 1), x, b1);
      c0 = multiplyAdd(loadWeights(wc, 0), x, c0);
      c1 = multiplyAdd(loadWeights(wc, 1), x, c1);
      q += 4;
      wa += stepBytes();
      wb += stepBytes();
      wc += stepBytes();
    }
    storeRows(a0, a1, multiplier, shift, out, adds);
    storeRows(b0, b1, multiplier, shift, out + 16, adds);
    storeRows(c0, c1, multiplier, shift, out + 32, adds);
    block += 3 * blockBytes;
    out += 48;
  }
  for (; r < rows; r += 8) {
    let w = block;
    let a0 = v128.load(w);
    let a1 = v128.load(w, 16);
    w += 32;
    let q = vector;
    for (let k = steps; k > 0; k--) {
      const x = v128.load_splat<i32>(q);
      a0 = multiplyAdd(loadWeights(w, 0), x, a0);
      a1 = multiplyAdd(loadWeights(w, 1), x, a1);
      q += 4;
      w += stepBytes();
    }
    storeRows(a0, a1, multiplier, shift, out, adds);
    block += blockBytes;
    out += 16;
  }
}

/** Bytes of matrixRows' weights: matrixBytes in src/plan/recurrent-packing.ts, of one matrix. */
export function matrixBytes(rows: i32, depth: i32): usize {
  return <usize>((rows + 7) >> 3) * (32 + <usize>segmentSteps(depth) * stepBytes());
}

function storeRows(a0: v128, a1: v128, multiplier: i32, shift: i32, out: usize, adds: bool): void {
  const left = max(shift, 0);
  const row = i16x8.narrow_i32x4_s(
    scale4(a0, multiplier, left, left - shift),
    scale4(a1, multiplier, left, left - shift),
  );
  v128.store(out, adds ? i16x8.add_sat_s(v128.load(out), row) : row);
}

/**
 * As matrixRows for a vector of int16: sums and biases are int64, the multiplier is of 16 bits, and rounding is half up, once:
 * (sum · multiplier + 2^(14 − shift)) >> (15 − shift).
 */
export function matrixRowsInt16(
  vector: usize,
  depth: i32,
  block: usize,
  rows: i32,
  multiplier: i32,
  shift: i32,
  out: usize,
  adds: bool,
): void {
  const right = <i64>(15 - shift);
  for (let r = 0; r < rows; r++) {
    const sum = load<i64>(block) + dotInt16(vector, block + 8, depth);
    storeRow16(<i32>((sum * <i64>multiplier + ((<i64>1) << (right - 1))) >> right), out, adds);
    block += matrixInt16RowBytes(depth);
    out += 2;
  }
}

function storeRow16(value: i32, out: usize, adds: bool): void {
  const row = min(max(value, -32768), 32767);
  store<i16>(out, <i16>(adds ? min(max(<i32>load<i16>(out) + row, -32768), 32767) : row));
}

/** Bytes of one row of matrixRowsInt16's weights. */
export function matrixInt16RowBytes(depth: i32): usize {
  return 8 + ((<usize>depth + 7) & ~7);
}
