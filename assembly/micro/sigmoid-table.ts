import { SIGMOID_HALF, TANH_LIMIT } from "./sigmoid-scalar.ts";

/**
 * Logistic function and tanh by table, as the reference's int16 kernels: `table` has 65536 · (sigmoid(i / 24) − ½) as int16 for i from 0
 * to 255 (src/ops/sigmoid-table.ts), between whose entries results are interpolated. `t` is 3 · 2^12 times the argument; results
 * are Q0.15.
 */

/** sigmoidByTable of sigmoid-scalar.ts, of four lanes and any t. */
export function sigmoid4(t: v128, table: usize): v128 {
  const sign = i32x4.shr_s(t, 31);
  const r = v128.xor(interpolate4(i32x4.abs(t), 9, (0x7fff << 10) - SIGMOID_HALF, table), sign);
  return i32x4.shr_s(i32x4.add(r, i32x4.splat(SIGMOID_HALF + 512)), 10);
}

/** tanhByTable of four lanes. */
export function tanh4(t: v128, table: usize): v128 {
  const r = v128.xor(interpolate4(i32x4.abs(t), 8, TANH_LIMIT, table), i32x4.shr_s(t, 31));
  return i32x4.shr_s(i32x4.add(r, i32x4.splat(128)), 8);
}

/** Between entries of the table, whose index is all but the low `bits` of each lane; `limit` past its end. */
function interpolate4(magnitude: v128, bits: i32, limit: i32, table: usize): v128 {
  const i = i32x4.shr_u(magnitude, bits);
  const entries = twoEntries4(i32x4.min_u(i, i32x4.splat(254)), table);
  const low = i32x4.shr_s(i32x4.shl(entries, 16), 16);
  const high = i32x4.shr_s(entries, 16);
  const rest = v128.and(magnitude, i32x4.splat((1 << bits) - 1));
  const r = i32x4.add(i32x4.shl(low, bits), i32x4.mul(rest, i32x4.sub(high, low)));
  return v128.bitselect(r, i32x4.splat(limit), i32x4.lt_u(i, i32x4.splat(255)));
}

/** Entries i (low half) and i + 1 of the table for each lane's i. */
function twoEntries4(i: v128, table: usize): v128 {
  let entries = v128.load_splat<i32>(table + ((<usize>i32x4.extract_lane(i, 0)) << 1));
  entries = v128.load_lane<i32>(table + ((<usize>i32x4.extract_lane(i, 1)) << 1), entries, 1);
  entries = v128.load_lane<i32>(table + ((<usize>i32x4.extract_lane(i, 2)) << 1), entries, 2);
  return v128.load_lane<i32>(table + ((<usize>i32x4.extract_lane(i, 3)) << 1), entries, 3);
}
