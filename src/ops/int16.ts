import { UnsupportedError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { perTensor, requireElements, requireInt8 } from "./check.ts";
import type { FusedActivation } from "./fixed-point.ts";
import { activationRange } from "./fixed-point.ts";

/** Whether a node works on int16. */
export function isInt16({ outputs: [output] }: Pick<BoundNode, "outputs">): boolean {
  return output?.type === "int16";
}

/**
 * Tensors of one type: int8, or int16 with zero point 0.
 * @throws UnsupportedError unsupported-type, per-channel-activation, empty-tensor, asymmetric-int16
 * @throws ModelError missing-quantization, bad-scale, bad-zero-point
 */
export function requireActivations(tensors: readonly Tensor[], role: string): void {
  const [first] = tensors;
  for (const tensor of tensors) {
    if (first?.type !== "int16") {
      requireInt8(tensor, role);
      continue;
    }
    if (tensor.type !== "int16") {
      throw new UnsupportedError(
        "unsupported-type",
        `${role} "${tensor.name}" is ${tensor.type}, "${first.name}" int16; they must be of one type: quantise the model again`,
      );
    }
    requireElements(tensor, role);
    if (perTensor(tensor, role).zeroPoint !== 0) {
      throw new UnsupportedError(
        "asymmetric-int16",
        `${role} "${tensor.name}" is int16 with a zero point other than 0; quantise int16 symmetrically`,
      );
    }
  }
}

/** Clamp bounds of an int16 output with a fused activation. */
export function int16Range(
  activation: FusedActivation,
  output: Tensor,
): { readonly min: number; readonly max: number } {
  return activationRange(activation, perTensor(output, "output").scale, 0, [-32768, 32767]);
}
