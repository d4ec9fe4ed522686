/** Of the float32 below ½. */
const HALF_BITS = 0x3effffff;

/**
 *   out[i] = clamp(round(in[i] / scale) + zeroPoint) xor flip
 *
 * in   float32 [length]      NaN becomes the zero point
 * out  int8 [length]         may begin at `in` or below it
 *
 * The quotient is float32; halves round away from zero. Reference: TFLite reference/quantize.h.
 */
export function quantizeValues(
  input: usize,
  output: usize,
  length: i32,
  scale: f32,
  zeroPoint: i32,
  flip: i32,
): void {
  const end = input + ((<usize>length) << 2);
  if (ASC_FEATURE_SIMD) {
    const divisor = f32x4.splat(scale);
    // A length is not negative: constants that do not look like any, which V8 would make anew at each use, in three instructions.
    const none = length >> 31;
    const signBit = i32x4.splat(none ^ 0x80000000);
    const half = i32x4.splat(none ^ HALF_BITS);
    const zero = i16x8.splat(<i16>zeroPoint);
    const mask = i8x16.splat(<i8>flip);
    for (; input + 64 <= end; input += 64) {
      const low = i16x8.narrow_i32x4_s(
        round4(v128.load(input), divisor, signBit, half),
        round4(v128.load(input, 16), divisor, signBit, half),
      );
      const high = i16x8.narrow_i32x4_s(
        round4(v128.load(input, 32), divisor, signBit, half),
        round4(v128.load(input, 48), divisor, signBit, half),
      );
      const bytes = i8x16.narrow_i16x8_s(i16x8.add_sat_s(low, zero), i16x8.add_sat_s(high, zero));
      v128.store(output, v128.xor(bytes, mask));
      output += 16;
    }
  }
  for (; input < end; input += 4) {
    const quotient = <f64>(load<f32>(input) / scale);
    // The double holds quotient + ½ exactly, so that the floor is that of the float.
    const rounded = quotient < 0 ? -Math.floor(0.5 - quotient) : Math.floor(quotient + 0.5);
    const value = rounded === rounded ? rounded + <f64>zeroPoint : <f64>zeroPoint;
    store<u8>(output++, <u8>((<i32>min(max(value, -128.0), 127.0)) ^ flip));
  }
}

/**
 * Halves away from zero: adds the float below ½, `half`, with the quotient's sign and cuts the fraction off. ½ itself would lift what lies just
 * below a half; with the float below, a half's own sum is what rounds up. NaN becomes 0, what is too large the nearest int32.
 */
function round4(values: v128, divisor: v128, signBit: v128, half: v128): v128 {
  const quotient = f32x4.div(values, divisor);
  return i32x4.trunc_sat_f32x4_s(f32x4.add(quotient, v128.or(v128.and(quotient, signBit), half)));
}
