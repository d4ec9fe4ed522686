import { align } from "../plan/packing.ts";
import { roundHalfAway } from "./fixed-point.ts";

/** Steps between the first and the last entry. */
const STEPS = 512;

/** The tables of SOFTMAX of int16, one behind the other: exp over [−10, 0] and 1 / (1 + x) over [0, 1], in Q0.15. */
export function packSoftmaxTables(): Uint8Array {
  const bytes = new Uint8Array(align(2 * 2 * (STEPS + 1), 16));
  const values = new Int16Array(bytes.buffer);
  values.set(tableOf(Math.exp, -10, 0));
  values.set(
    tableOf((x) => 1 / Math.fround(1 + x), 0, 1),
    STEPS + 1,
  );
  return bytes;
}

/**
 * Entries of a function between whose neighbours others are interpolated: its values, less half of what interpolation is off by midway
 * to the next. All in float32, where both ranges have exact steps. Reference: TFLite internal/common.h, LUTPopulate.
 */
function tableOf(real: (x: number) => number, first: number, last: number): Int16Array {
  const step = (last - first) / STEPS;
  const valueAt = (i: number): number => Math.fround(Math.fround(real(first + i * step)) * 2 ** 15);
  return Int16Array.from({ length: STEPS + 1 }, (_, i) => {
    const value = roundHalfAway(valueAt(i));
    const between = roundHalfAway(Math.fround(Math.fround(valueAt(i + 1) + value) / 2));
    const error = i === STEPS ? 0 : between - roundHalfAway(valueAt(i + 0.5));
    return Math.min(value - roundHalfAway(error / 2), 2 ** 15 - 1);
  });
}
