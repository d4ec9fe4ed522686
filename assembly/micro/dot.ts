/**
 * Whether the relaxed instructions do here what the relaxed variant's arithmetic relies on. The dot product takes its
 * second operand as unsigned bytes and does not saturate: 1 · 0x80 = 128 and 4 · (−128 · 0xff) = −130560; in `signed` as signed ones:
 * 1 · −128 and 4 · (−127 · −128) = 65024. The multiply-add
 * rounds once: (1 + 2^-30)(1 − 2^-30) − 1 = −2^-60, and in float32 (1 + 2^-13)(1 − 2^-13) − 1 = −2^-26. The operands pass through memory so that no compiler folds the
 * answers. True for the other variants. Uses 64 bytes at `scratch`.
 */
export function relaxedProbe(scratch: usize): bool {
  if (ASC_FEATURE_RELAXED_SIMD) {
    store<u64>(scratch, SIGNED_STORAGE ? 0x8181818100000001 : 0x8080808000000001);
    store<u64>(scratch, 0, 8);
    store<u64>(scratch, SIGNED_STORAGE ? 0x8080808000000080 : 0xffffffff00000080, 16);
    store<u64>(scratch, 0, 24);
    store<f64>(scratch, 1.0 + 2.0 ** -30.0, 32);
    store<f64>(scratch, 1.0 - 2.0 ** -30.0, 40);
    store<f64>(scratch, -1.0, 48);
    store<f32>(scratch, 1.0 + 2.0 ** -13.0, 56);
    store<f32>(scratch, 1.0 - 2.0 ** -13.0, 60);
    const product = i32x4.relaxed_dot_i8x16_i7x16_add_s(
      v128.load(scratch),
      v128.load(scratch, 16),
      i32x4.splat(0),
    );
    const sum = f64x2.relaxed_madd(
      v128.load_splat<i64>(scratch, 32),
      v128.load_splat<i64>(scratch, 40),
      v128.load_splat<i64>(scratch, 48),
    );
    const single = f32x4.relaxed_madd(
      v128.load_splat<i32>(scratch, 56),
      v128.load_splat<i32>(scratch, 60),
      f32x4.splat(-1.0),
    );
    return (
      i32x4.extract_lane(product, 0) === (SIGNED_STORAGE ? -128 : 128) &&
      i32x4.extract_lane(product, 1) === (SIGNED_STORAGE ? 65024 : -130560) &&
      f64x2.extract_lane(sum, 0) === -(2.0 ** -60.0) &&
      f32x4.extract_lane(single, 0) === <f32>-(2.0 ** -26.0)
    );
  }
  return true;
}

/** Bytes of one step's weights for 8 channels. */
export function stepBytes(): usize {
  return ASC_FEATURE_RELAXED_SIMD ? 32 : 16;
}

/** Weights of 4 channels for one step: vector `half` (0 or 1) of the 8 channels at `at`. */
export function loadWeights(at: usize, half: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.load(at + (half << 4));
  return v128.load_ext<i8>(at + (half << 3));
}

/**
 * c[lane] + Σ w[lane][i] · x[lane][i] over the lanes' 4 bytes (relaxed: w int8, x uint8; signed: both int8; exact after the probe) or 2 int16
 * (simd).
 */
export function multiplyAdd(w: v128, x: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, c);
  return i32x4.add(c, i32x4.dot_i16x8_s(w, x));
}
