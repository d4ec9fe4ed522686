/** Scales and zero points as TFLite's quantiser chooses them. Reference: lite/tools/optimize/quantization_utils.cc. */

/** int8 q stands for scale · (q − zeroPoint); the scale is a float32. */
export interface Parameters {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Steps from −128 to 127. */
const STEPS = 255;

/** Least scale: its products and quotients stay normal float32. */
const MIN_SCALE = 2 ** -60;

/** Asymmetric: the range, widened to hold 0, which is then a whole number of steps. */
export function asymmetric(low: number, high: number): Parameters {
  const [min, max] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = scaleOf((max - min) / STEPS);
  const zeroPoint = Math.min(127, Math.max(-128, Math.round(-128 - min / scale)));
  return { scale, zeroPoint };
}

/** Symmetric, −127 to 127, zero point 0: for values of such a magnitude, but no scale below `least`. */
export function symmetricScale(magnitude: number, least: number): number {
  return scaleOf(Math.max(magnitude / 127, least));
}

/** A float32 above 0: what is always 0 gets the scale 1. */
function scaleOf(scale: number): number {
  return scale === 0 ? 1 : Math.fround(Math.max(scale, MIN_SCALE));
}

/** Half away from zero, as the reference rounds. */
function round(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/** clamp(round(value / scale) + zeroPoint). */
export function quantizeInt8(values: Float32Array, { scale, zeroPoint }: Parameters): Int8Array {
  return Int8Array.from(values, (value) => Math.max(-128, Math.min(127, round(value / scale) + zeroPoint)));
}

/** Weights with a scale per index of a dimension of which `inner` values follow each other. */
export function quantizeWeights(values: Float32Array, scales: readonly number[], inner: number): Int8Array {
  return Int8Array.from(values, (value, i) => {
    const scale = scales[Math.floor(i / inner) % scales.length] ?? 1;
    return Math.max(-127, Math.min(127, round(value / scale)));
  });
}

/** The greatest magnitude of each channel of weights. */
export function magnitudes(values: Float32Array, channels: number, inner: number): number[] {
  const greatest = Array.from({ length: channels }, () => 0);
  for (const [i, value] of values.entries()) {
    const channel = Math.floor(i / inner) % channels;
    greatest[channel] = Math.max(greatest[channel] ?? 0, Math.abs(value));
  }
  return greatest;
}

/** Half of int32: sums of products are added to the bias. */
const MAX_BIAS = 2 ** 30;

/** The least scale of weights with which a bias stays within int32. */
export function scaleForBias(bias: number, inputScale: number): number {
  return Math.abs(bias) / (inputScale * MAX_BIAS);
}

/** A bias of scale inputScale · weightScale, one weight scale per channel or one for all. */
export function quantizeBias(bias: Float32Array, scales: readonly number[]): Int32Array {
  return Int32Array.from(bias, (value, c) => round(value / (scales[c % scales.length] ?? 1)));
}
