import { UnsupportedError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import type { PerTensor } from "./check.ts";
import { perTensor, requireElements, requireInt8 } from "./check.ts";
import type { FusedActivation } from "./fixed-point.ts";
import { activationRange } from "./fixed-point.ts";

/** Whether a node works on int16. */
export function isInt16({ outputs: [output] }: Pick<BoundNode, "outputs">): boolean {
  return output?.type === "int16";
}

/**
 * An int8 or int16 tensor with one scale, any zero point and no empty dimension.
 * @throws UnsupportedError unsupported-type, per-channel-activation, empty-tensor
 * @throws ModelError missing-quantization, bad-scale, bad-zero-point
 */
export function requireInteger(tensor: Tensor, role: string): PerTensor {
  if (tensor.type !== "int16") return requireInt8(tensor, role);
  requireElements(tensor, role);
  return perTensor(tensor, role);
}

/**
 * Tensors of one type, int8 or int16.
 * @throws UnsupportedError, ModelError as requireInteger
 */
export function requireOneType(tensors: readonly Tensor[], role: string): void {
  const [first] = tensors;
  for (const tensor of tensors) {
    requireInteger(tensor, role);
    if (first === undefined || tensor.type === first.type) continue;
    throw new UnsupportedError(
      "unsupported-type",
      `${role} "${tensor.name}" is ${tensor.type}, "${first.name}" ${first.type}; they must be of one type: quantise the model again`,
    );
  }
}

/**
 * As requireOneType, int16 with zero point 0.
 * @throws UnsupportedError asymmetric-int16, and as requireInteger
 * @throws ModelError as requireInteger
 */
export function requireActivations(tensors: readonly Tensor[], role: string): void {
  requireOneType(tensors, role);
  for (const tensor of tensors) {
    if (tensor.type === "int16" && perTensor(tensor, role).zeroPoint !== 0) {
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
