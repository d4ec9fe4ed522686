/** Where the reference's table is one above the rounded value; runs written a-b. */
const ONE_ABOVE =
  "4 8 12 14-17 19-22 25 27-31 33-35 37 39-41 43-46 49 50 54 62-64 66 82 86 93 100 103 112 116 135 255";

/** 2^16 · sigmoid(i / 24) for i in 0 … 255, by way of tanh, as the formulas of the numerics state it. */
export const SIGMOID: readonly number[] = Array.from({ length: 256 }, (_, i) => {
  const isAbove = ONE_ABOVE.split(" ").some((run) => {
    const [first = NaN, last = first] = run.split("-").map(Number);
    return i >= first && i <= last;
  });
  return Math.min(65535, Math.round(2 ** 15 * (1 + Math.tanh(i / 48))) + (isAbove ? 1 : 0));
});

/** Between two entries of the table, `bits` of `magnitude` after the index; past its end, its limit. */
function interpolated(magnitude: number, bits: number, limit: number): number {
  const index = Math.floor(magnitude / 2 ** bits);
  if (index >= 255) return limit * 2 ** bits;
  const [low = NaN, high = NaN] = SIGMOID.slice(index, index + 2);
  return low * 2 ** bits + (magnitude % 2 ** bits) * (high - low);
}

/** Q0.15 of the logistic function; `t` is 3 · 2^12 times its argument. */
export function sigmoidReference(t: number): number {
  const r = interpolated(Math.abs(t), 9, 0x7fff * 2);
  return Math.floor((t >= 0 ? r + 2 ** 9 : 2 ** 25 - r + 2 ** 9 - 1) / 2 ** 10);
}

/** Q0.15 of tanh; `t` is 3 · 2^12 times its argument. */
export function tanhReference(t: number): number {
  const r = interpolated(Math.abs(t), 8, 0xffff);
  return Math.floor((t >= 0 ? r - 2 ** 23 + 2 ** 7 : -r + 2 ** 23 + 2 ** 7 - 1) / 2 ** 8);
}
