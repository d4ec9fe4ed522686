import type { Variant } from "../plan/variant.ts";
import { VARIANTS } from "../plan/variant.ts";
import { instantiateKernels } from "./instantiate.ts";

const proofs = new Map<Variant, Promise<boolean>>();

/**
 * Whether this engine runs a variant with the reference's bits: it compiles, and for `relaxed` the dot product answers as
 * the packing needs (engines differ: unsigned or signed operand, saturating or not).
 */
export function provesVariant(variant: Variant): Promise<boolean> {
  let proof = proofs.get(variant);
  if (proof === undefined) {
    proof = instantiateKernels(variant, 0, { flashRead: () => undefined, inputRow: () => undefined }).then(
      (kernels) => kernels.probe(0) === 1,
      () => false,
    );
    proofs.set(variant, proof);
  }
  return proof;
}

/** The fastest variant that this engine proves. */
export async function bestVariant(): Promise<Variant> {
  for (const variant of [...VARIANTS].reverse()) if (await provesVariant(variant)) return variant;
  return "mcu";
}
