import { UnsupportedError } from "../errors.ts";
import type { Variant } from "../plan/variant.ts";

/** The code of the error below. */
export const WEIGHT_PAIRS = "weight-pairs";

/**
 * V8's baseline compiler for Arm adds the products of two neighbouring bytes in int16 before it widens them, its optimising one does
 * not. They agree while no such sum is 2 · (−128)², so `signed` takes no two weights of −128 side by side in bytes [begin, end).
 * @throws UnsupportedError weight-pairs
 */
export function requireSafePairs(
  variant: Variant,
  packed: Int8Array,
  begin: number,
  end: number,
  name: string,
): void {
  if (variant !== "signed") return;
  for (let i = begin; i + 1 < end; i += 2) {
    if (packed[i] !== -128 || packed[i + 1] !== -128) continue;
    throw new UnsupportedError(
      WEIGHT_PAIRS,
      `weights "${name}" have -128 side by side, whose products the signed kernels do not add exactly in every engine; ` +
        'compile for "simd", or quantise weights to -127 … 127, as TensorFlow Lite does',
    );
  }
}
