import { Requantization } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier, TWICE } from "../fixed-point.ts";
import { LANE_TERMS } from "./lanes.ts";

/**
 * mcu: epilogue.ts, one channel at a time. `constants` holds four int32: lower clamp, upper clamp, zero point, and by methods `single`
 * and `singleColumns` the products that a lane holds, by method `singleVector` with OF_VECTOR, and ROUNDS_TWICE where not all below the zero point is clamped;
 * otherwise 0.
 */
export const LOWER = 0;

/** Bytes at the head of a block of one channel. */
export const SCALAR_HEAD: usize = 12;

/** Fills `constants` for one record. */
export function prepareScalar(
  constants: usize,
  method: i32,
  shift: i32,
  zeroPoint: i32,
  lower: i32,
  upper: i32,
): void {
  store<i32>(constants, lower, LOWER);
  store<i32>(constants, upper, LOWER + 4);
  store<i32>(constants, zeroPoint, LOWER + 8);
  const twice = lower < zeroPoint ? ROUNDS_TWICE : 0;
  const terms = (LANE_TERMS << shift) + (method === Requantization.singleVector ? OF_VECTOR : 0);
  store<i32>(constants, method === Requantization.scalar ? 0 : terms + twice, LOWER + 12);
}

/** Whether the record's method is `singleVector`. */
export function isVector(constants: usize): bool {
  return (load<i32>(constants, LOWER + 12) & OF_VECTOR) !== 0;
}

/** Whether the record's method is `single`, `singleVector` or `singleColumns`. */
export function isSingle(constants: usize): bool {
  return load<i32>(constants, LOWER + 12) !== 0;
}

/**
 * Method `single`: products of the record's weights that a lane (lanes.ts) holds, LANE_TERMS or a multiple of it where the weights
 * are small.
 */
export function laneTerms(constants: usize): i32 {
  return load<i32>(constants, LOWER + 12) & -LANE_TERMS;
}

/** Method `single`: bits of a block's offset that ask for a second rounding, none where all below the zero point is clamped. */
export function twiceMask(constants: usize): i32 {
  return load<i32>(constants, LOWER + 12) & ROUNDS_TWICE;
}

/**
 * Method `single` of Σ = sum without bias. The head of a block is [offset int64][multiplier int32], the right shift 31 + e the lower
 * six bits of the offset, as shifts take it:
 *
 *   clamp((Σ·multiplier + offset) >> offset)
 *
 * Where a second rounding meets negative numbers (ROUNDS_TWICE, twiceMask) the offset has the half of the first alone, and
 * y = (Σ·multiplier + offset) >> 31 is rounded again: (y·TWICE + secondOffset) >> offset. This bit of the offset says whether there is
 * a second rounding: right shifts are below 64.
 */
const ROUNDS_TWICE: i32 = 32;
/** Set in `singleVector` alone. */
const OF_VECTOR: i32 = 1;

/** The half of the second rounding, and the zero point. */
export function secondOffset(offset: i64, constants: usize): i64 {
  return zeroPointAndHalf(constants) << (offset - 1);
}

/** 2 · (zero point + ½). */
export function zeroPointAndHalf(constants: usize): i64 {
  return 2 * <i64>load<i32>(constants, LOWER + 8) + 1;
}

/** One sum without bias, requantised with the head of `block`, to `out`. Inner loops have this spelled out: calls cost an interpreter much. */
export function storeScalar(sum: i32, block: usize, constants: usize, out: usize): void {
  if (!isSingle(constants)) {
    storeScaled(sum, block, constants, out);
    return;
  }
  const offset = load<i64>(block);
  let product = <i64>sum * <i64>load<i32>(block, 8) + offset;
  if ((<i32>offset) & twiceMask(constants))
    product = (product >> 31) * TWICE + secondOffset(offset, constants);
  storeClamped(<i32>(product >> offset), constants, out);
}

/** As storeScalar, for method `scalar` alone. */
export function storeScaled(sum: i32, block: usize, constants: usize, out: usize): void {
  const scaled = multiplyByQuantizedMultiplier(
    sum + load<i32>(block),
    load<i32>(block, 8),
    load<i32>(block, 4),
  );
  // Clamped before the zero point is added, which could wrap.
  storeClamped(clamp(scaled, -1024, 1024) + load<i32>(constants, LOWER + 8), constants, out);
}

function storeClamped(value: i32, constants: usize, out: usize): void {
  store<i8>(out, min(max(value, load<i32>(constants, LOWER)), load<i32>(constants, LOWER + 4)));
}
