import { clampTo, multiplyByQuantizedMultiplier, quantizeMultiplier } from "./fixed-point.ts";
import { coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/**
 * MEAN over `axes` (not negative): MBQM(Σ − z·n, m, shift − k) + zo, where k = min(63 − clz64(n), 32, 31 + shift) and
 * m = int32((m0 << k) / n). The output's shape may or may not keep the reduced dimensions.
 */
export function meanReference(input: Int8Tensor, axes: readonly number[], output: Int8Output): Int8Array {
  const kept = input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const n = count(input.shape) / count(kept);
  const real = quantizeMultiplier(input.scale / output.scale);
  const k = Math.min(n.toString(2).length - 1, 32, 31 + real.shift);
  const multiplier = Number(BigInt.asIntN(32, (BigInt(real.multiplier) << BigInt(k)) / BigInt(n)));
  const sums = Array.from({ length: count(kept) }, () => 0);
  input.values.forEach((value, i) => {
    const at = coordinates(input.shape, i);
    const index = kept.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : (at[axis] ?? 0)), 0);
    sums[index] = (sums[index] ?? 0) + value;
  });
  return Int8Array.from(sums, (sum) => {
    const scaled = multiplyByQuantizedMultiplier(sum - input.zeroPoint * n, multiplier, real.shift - k);
    return clampTo(scaled + output.zeroPoint, [-128, 127]);
  });
}
