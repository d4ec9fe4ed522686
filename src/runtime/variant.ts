import { ExecutionError } from "../errors.ts";
import type { Variant } from "../plan/variant.ts";
import { instantiateKernels } from "./instantiate.ts";
import type { Kernels } from "./kernels.ts";
import { moduleOf } from "./kernels.ts";
import { relaxedDot } from "./relaxed-dot.ts";

/**
 * Whether this engine runs a variant with the reference's bits: it compiles, and for `relaxed` and `signed` the dot product answers as
 * the packing needs (engines differ: unsigned or signed operand, saturating or not).
 * @throws ExecutionError the kernels cannot be read
 */
export async function proveVariant(kernels: Kernels, variant: Variant): Promise<boolean> {
  const known = kernels.proofs.get(variant);
  if (known !== undefined) return known;
  const proof = await probe(kernels, variant);
  kernels.proofs.set(variant, proof);
  return proof;
}

async function probe(kernels: Kernels, variant: Variant): Promise<boolean> {
  const host = { flashRead: () => undefined, inputRow: () => undefined };
  try {
    return (await instantiateKernels(kernels, variant, 0, host)).probe(0) === 1;
  } catch (error) {
    if (error instanceof ExecutionError && error.code === "kernels-unreadable") throw error;
    return false;
  }
}

/**
 * The fastest variant that this engine proves.
 * @throws ExecutionError the kernels cannot be read, or the engine compiles none
 */
export async function fastestVariant(kernels: Kernels): Promise<Variant> {
  const dot = relaxedDot();
  const relaxed = dot === 128 ? "relaxed" : dot === -128 ? "signed" : undefined;
  for (const variant of [relaxed, "simd", "mcu"] as const) {
    if (variant !== undefined && (await proveVariant(kernels, variant))) return variant;
  }
  // What every engine runs is refused: the reason is in what it says on compiling.
  await moduleOf(kernels, "mcu");
  return "mcu";
}
