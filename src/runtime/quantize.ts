/** Quantisation as the reference's QUANTIZE and DEQUANTIZE round it, for the host's side of the border. */

/**
 * int8 q = clamp(round(x / scale) + zeroPoint), the quotient in float32, halves away from zero; NaN becomes the zero
 * point. `scale` must be a float32 value. Writes `values.length` elements to `into`.
 */
export function quantizeInto(
  into: Int8Array,
  values: ArrayLike<number>,
  scale: number,
  zeroPoint: number,
): void {
  for (let i = 0; i < values.length; i++) {
    const quotient = Math.fround(Math.fround(values[i] ?? 0) / scale);
    // Halves up, and those below zero one further down: signs are as good as random, halves are rare.
    let rounded = Math.floor(quotient + 0.5);
    if (rounded - quotient === 0.5 && quotient < 0) rounded -= 1;
    const value = rounded + zeroPoint;
    into[i] = value > 127 ? 127 : value < -128 ? -128 : value === value ? value : zeroPoint;
  }
}

/** float32 x = scale · (q − zeroPoint), the product in double. Writes `values.length` elements to `into`. */
export function dequantizeInto(
  into: Float32Array,
  values: ArrayLike<number>,
  scale: number,
  zeroPoint: number,
): void {
  for (let i = 0; i < values.length; i++) into[i] = scale * ((values[i] ?? 0) - zeroPoint);
}
