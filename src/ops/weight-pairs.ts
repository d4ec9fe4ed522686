import { UnsupportedError } from "../errors.ts";
import type { Variant } from "../plan/variant.ts";

/** The code of the error below. */
export const WEIGHT_PAIRS = "weight-pairs";

/** Where blocks of weights lie: from byte `at` to `end`, each with `headBytes` of other things first. */
export interface WeightBlocks {
  readonly at: number;
  readonly end: number;
  readonly blockBytes: number;
  readonly headBytes: number;
}

/**
 * V8's baseline compiler for Arm adds the products of two neighbouring bytes in int16 before it widens them, its optimising one does
 * not. They agree while no such sum is 2 · (−128)², so `signed` takes no two weights of −128 side by side.
 * @throws UnsupportedError weight-pairs
 */
export function requireSafePairs(
  variant: Variant,
  packed: Int8Array,
  { at, end, blockBytes, headBytes }: WeightBlocks,
  name: string,
): void {
  if (variant !== "signed") return;
  for (let block = at; block < end; block += blockBytes) {
    for (let i = block + headBytes; i + 1 < block + blockBytes; i += 2) {
      if (packed[i] !== -128 || packed[i + 1] !== -128) continue;
      throw new UnsupportedError(
        WEIGHT_PAIRS,
        `weights "${name}" have -128 side by side, whose products the signed kernels do not add exactly in every engine; ` +
          'compile for "simd", or quantise weights to -127 … 127, as TensorFlow Lite does',
      );
    }
  }
}
