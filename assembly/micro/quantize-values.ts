/** Scales by which `relaxed` divides without a division: their reciprocals are normal floats, and so are the remainders that decide. */
const MIN_SCALE: f32 = 2.0 ** -90.0;
const MAX_SCALE: f32 = 2.0 ** 90.0;
/** 2^58 as a float32. What has a square below it is below 2^29 and fits int32. */
const SQUARE_BITS = 0x5c800000;

/**
 *   out[i] = clamp(round(in[i] / scale) + zeroPoint) xor flip
 *
 * in   float32 [length]      NaN becomes the zero point
 * out  int8 [length]         may begin at `in` or below it, or where none of it is
 *
 * The quotient is float32; halves round away from zero. Reference: TFLite reference/quantize.h.
 *
 * Vectors cut the fraction of twice the quotient off, which leaves how many halves there are, and round these as integers.
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
    const offset = i16x8.splat(<i16>(2 * zeroPoint + 1));
    const mask = i8x16.splat(<i8>flip);
    if (ASC_FEATURE_RELAXED_SIMD) {
      if (scale >= MIN_SCALE && scale <= MAX_SCALE) {
        const minusHalf = f32x4.splat(<f32>-0.5 * scale);
        const reciprocal = f32x4.splat(<f32>2.0 / scale);
        // A length is not negative: a constant that does not look like one, which V8 would make anew at each use.
        const limit = i32x4.splat((length >> 31) ^ SQUARE_BITS);
        for (; input + 64 <= end; input += 64) {
          let x = v128.load(input);
          let product = f32x4.mul(x, reciprocal);
          let squares = f32x4.mul(product, product);
          const a = correctedHalves(product, x, minusHalf, reciprocal);
          x = v128.load(input, 16);
          product = f32x4.mul(x, reciprocal);
          squares = f32x4.relaxed_madd(product, product, squares);
          const b = correctedHalves(product, x, minusHalf, reciprocal);
          x = v128.load(input, 32);
          product = f32x4.mul(x, reciprocal);
          squares = f32x4.relaxed_madd(product, product, squares);
          const c = correctedHalves(product, x, minusHalf, reciprocal);
          x = v128.load(input, 48);
          product = f32x4.mul(x, reciprocal);
          squares = f32x4.relaxed_madd(product, product, squares);
          const d = correctedHalves(product, x, minusHalf, reciprocal);
          // Not of NaN, infinities and what leaves int32: these and what follows them are divided.
          if (i32x4.bitmask(f32x4.lt(squares, limit)) !== 15) break;
          v128.store(output, v128.xor(roundSixteen(a, b, c, d, offset), mask));
          output += 16;
        }
      }
    }
    const divisor = f32x4.splat(scale);
    for (; input + 64 <= end; input += 64) {
      const bytes = roundSixteen(
        dividedHalves(v128.load(input), divisor),
        dividedHalves(v128.load(input, 16), divisor),
        dividedHalves(v128.load(input, 32), divisor),
        dividedHalves(v128.load(input, 48), divisor),
        offset,
      );
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
 * trunc(fl(2 · values / scale)) by three operations instead of a division, which takes as long as eight of them: `product`, values · fl(2 / scale), and what
 * it leaves of `values`, which is exact, times the reciprocal again. The sum is the division's float, by Markstein's theorem (IBM Journal of Research and
 * Development 34, 1990), if the product is one of the two floats around the quotient q. Let scale be b · 2^i and q a · 2^j, 1 ≤ a, b < 2, and u the distance
 * of floats at q. The reciprocal is off by b · 2^-25 of itself at most, a product before it is rounded by ab/4 · u < u. A q so near to the middle
 * of two floats that the sum could fall to the wrong side has the product on one of these two, u/2 from q, so that the sum before it is rounded is off by
 * b · 2^-26 · u at most. The middle itself no quotient of two floats is, and q is 2^-24 / b · u from it at least: farther. Elsewhere both round alike.
 */
function correctedHalves(product: v128, values: v128, minusHalf: v128, reciprocal: v128): v128 {
  const remainder = f32x4.relaxed_madd(product, minusHalf, values);
  return i32x4.relaxed_trunc_f32x4_s(f32x4.relaxed_madd(remainder, reciprocal, product));
}

/** trunc(2 · fl(values / divisor)), NaN as 0, what is too large as the nearest int32. */
function dividedHalves(values: v128, divisor: v128): v128 {
  const quotient = f32x4.div(values, divisor);
  return i32x4.trunc_sat_f32x4_s(f32x4.add(quotient, quotient));
}

/** int8 of sixteen int32 in halves; `offset` is twice the zero point and 1. */
function roundSixteen(a: v128, b: v128, c: v128, d: v128, offset: v128): v128 {
  const low = roundEight(i16x8.narrow_i32x4_s(a, b), offset);
  const high = roundEight(i16x8.narrow_i32x4_s(c, d), offset);
  return i8x16.narrow_i16x8_s(low, high);
}

/** (halves + 2z + 1) >> 1, of negative ones (halves + 2z) >> 1: away from zero. */
function roundEight(halves: v128, offset: v128): v128 {
  const sign = i16x8.shr_s(halves, 15);
  return i16x8.shr_s(i16x8.add_sat_s(i16x8.add_sat_s(halves, offset), sign), 1);
}
