/**
 * Whether int8 activations are stored as u8 = x ^ 0x80, because the relaxed dot product takes one unsigned operand (x86). The build
 * `signed`, for engines whose dot product takes signed ones (Arm), is told by SIGNED_STORAGE in asconfig.json.
 */
export const UNSIGNED: bool = ASC_FEATURE_RELAXED_SIMD && !SIGNED_STORAGE;

/** An int8 activation; `relaxed` stores x ^ 0x80. */
export function loadActivation(at: usize): i32 {
  if (UNSIGNED) return <i32>load<u8>(at) - 128;
  return load<i8>(at);
}

/** An int8 activation in storage form. */
export function storedActivation(value: i32): i32 {
  return UNSIGNED ? value + 128 : value;
}

/** Stores an int8 activation; `value` is already clamped to [-128, 127]. */
export function storeActivation(at: usize, value: i32): void {
  store<u8>(at, <u8>storedActivation(value));
}
