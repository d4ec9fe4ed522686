/**
 * Whether relaxed dot takes its second operand as unsigned bytes and does not saturate: 1 · 0x80 = 128 and
 * 4 · (−128 · 0xff) = −130560. Other variants rely on no such thing. The operands pass through memory so that no
 * compiler folds the answer. Uses 48 bytes at `scratch`.
 */
export function relaxedDotProbe(scratch: usize): bool {
  if (ASC_FEATURE_RELAXED_SIMD) {
    store<u32>(scratch, 0x00000001);
    store<u32>(scratch, 0x80808080, 4);
    store<u64>(scratch, 0, 8);
    store<u32>(scratch, 0x00000080, 16);
    store<u32>(scratch, 0xffffffff, 20);
    store<u64>(scratch, 0, 24);
    const product = i32x4.relaxed_dot_i8x16_i7x16_add_s(
      v128.load(scratch),
      v128.load(scratch, 16),
      i32x4.splat(0),
    );
    v128.store(scratch, product, 32);
    return load<i32>(scratch, 32) === 128 && load<i32>(scratch, 36) === -130560;
  }
  return true;
}
