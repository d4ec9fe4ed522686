import { UNSIGNED, storedActivation } from "../storage.ts";

/** Eight neighbouring activations, as int16 in storage form: what elementwise and reducing kernels take at a time. */

/** Eight stored values as int16. */
export function loadEight(at: usize): v128 {
  if (UNSIGNED) return v128.load_ext<u8>(at);
  return v128.load_ext<i8>(at);
}

/** Eight int8, not in storage form, as int16. */
export function loadValues(at: usize): v128 {
  return UNSIGNED ? i16x8.sub(loadEight(at), splatStored(0)) : loadEight(at);
}

/** An int8 in storage form, as int16 in every lane. */
export function splatStored(value: i32): v128 {
  return i16x8.splat(<i16>storedActivation(value));
}

/** Clamps to bounds in storage form and stores. */
export function storeEight(out: usize, values: v128, lower: v128, upper: v128): void {
  const clamped = i16x8.min_s(i16x8.max_s(values, lower), upper);
  const bytes = UNSIGNED ? i8x16.narrow_i16x8_u(clamped, clamped) : i8x16.narrow_i16x8_s(clamped, clamped);
  v128.store_lane<i64>(out, bytes, 0);
}

/** Sixteen int16 as bytes, clamped to bounds in storage form, which are bytes as well. */
export function clampSixteen(first: v128, second: v128, lower: v128, upper: v128): v128 {
  return clampStored(saturateSixteen(first, second), lower, upper);
}

/** As clampSixteen, to all that a byte holds. */
export function saturateSixteen(first: v128, second: v128): v128 {
  return UNSIGNED ? i8x16.narrow_i16x8_u(first, second) : i8x16.narrow_i16x8_s(first, second);
}

/** Stored activations, clamped to bounds in storage form. */
export function clampStored(bytes: v128, lower: v128, upper: v128): v128 {
  return UNSIGNED
    ? i8x16.min_u(i8x16.max_u(bytes, lower), upper)
    : i8x16.min_s(i8x16.max_s(bytes, lower), upper);
}
