/**
 * The reference's fixed-point arithmetic (docs/numerics.md), in doubles: every intermediate stays below 2^53, so all of
 * it is exact.
 */

/** A real multiplier as `multiplier · 2^(shift − 31)`, multiplier in [2^30, 2^31), or 0. */
export interface Multiplier {
  readonly multiplier: number;
  readonly shift: number;
}

/** Half away from zero, as C's round(). */
export function roundHalfAway(x: number): number {
  return x < 0 ? -Math.floor(-x + 0.5) : Math.floor(x + 0.5);
}

/** TFLite's QuantizeMultiplier. `value` is finite and not negative. */
export function quantizeMultiplier(value: number): Multiplier {
  if (value === 0) return { multiplier: 0, shift: 0 };
  let shift = Math.floor(Math.log2(value)) + 1;
  let fraction = value / 2 ** shift;
  // log2 may be one off next to a power of two.
  if (fraction >= 1) {
    fraction /= 2;
    shift += 1;
  } else if (fraction < 0.5) {
    fraction *= 2;
    shift -= 1;
  }
  let multiplier = roundHalfAway(fraction * 2 ** 31);
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    shift += 1;
  }
  if (shift < -31) return { multiplier: 0, shift: 0 };
  return { multiplier, shift };
}

/** SaturatingRoundingDoublingHighMul of an int32 and a multiplier in [0, 2^31): floor((a·m + 2^30) / 2^31). */
export function doublingHighMul(a: number, m: number): number {
  const high = Math.floor(m / 65536);
  const low = m - high * 65536;
  return Math.floor((a * high + Math.floor((a * low + 2 ** 30) / 65536)) / 32768);
}

/** RoundingDivideByPOT: half away from zero. */
export function roundingShift(x: number, exponent: number): number {
  if (exponent === 0) return x;
  const scaled = x / 2 ** exponent;
  return x < 0 ? -Math.floor(-scaled + 0.5) : Math.floor(scaled + 0.5);
}

/** MultiplyByQuantizedMultiplier with double rounding; `x` is int32. The left shift wraps as int32, as the reference's does. */
export function multiplyByQuantizedMultiplier(x: number, { multiplier, shift }: Multiplier): number {
  const shifted = shift > 0 ? (x * 2 ** shift) | 0 : x;
  return roundingShift(doublingHighMul(shifted, multiplier), shift < 0 ? -shift : 0);
}

/** Fused activations of the file format. */
export enum FusedActivation {
  none = 0,
  relu = 1,
  reluN1To1 = 2,
  relu6 = 3,
}

/** Clamp bounds of an output with a fused activation, int8 or of `type`. The bounds' division is in float32, as in the reference. */
export function activationRange(
  activation: FusedActivation,
  scale: number,
  zeroPoint: number,
  type: readonly [least: number, most: number] = [-128, 127],
): { readonly min: number; readonly max: number } {
  const quantized = (real: number): number => zeroPoint + roundHalfAway(Math.fround(real / scale));
  let [min, max] = type;
  if (activation === FusedActivation.relu || activation === FusedActivation.relu6)
    min = Math.max(min, zeroPoint);
  if (activation === FusedActivation.relu6) max = Math.min(max, quantized(6));
  if (activation === FusedActivation.reluN1To1) {
    min = Math.max(min, quantized(-1));
    max = Math.min(max, quantized(1));
  }
  return { min, max };
}
