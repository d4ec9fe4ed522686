/**
 * The builds of the kernels, an image is packed for exactly one of them: scalar, SIMD, and relaxed SIMD where the engine's dot product takes
 * one unsigned operand (x86 with VNNI) or signed ones (Arm).
 */
export const VARIANTS = ["mcu", "simd", "relaxed", "signed"] as const;
/** One of `VARIANTS`. */
export type Variant = (typeof VARIANTS)[number];

/** `relaxed` stores int8 activations as u8 = x ^ 0x80, because its dot product takes one unsigned operand. */
export function storageFlip(variant: Variant): number {
  return variant === "relaxed" ? 0x80 : 0;
}
