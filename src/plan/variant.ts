/** The three builds of the kernels. An image is packed for exactly one of them. */
export const VARIANTS = ["mcu", "simd", "relaxed"] as const;
/** One of `VARIANTS`. */
export type Variant = (typeof VARIANTS)[number];

/** `relaxed` stores int8 activations as u8 = x ^ 0x80, because its dot product takes one unsigned operand. */
export function storageFlip(variant: Variant): number {
  return variant === "relaxed" ? 0x80 : 0;
}
