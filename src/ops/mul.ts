import {
  broadcastShape,
  type ElementwiseOperands,
  elementwiseOperands,
  elementwiseFields,
  elementwiseOverlap,
  elementwiseRows,
  requireElementwise,
} from "./broadcast.ts";
import { packConstants } from "./constants.ts";
import { perTensor, requireActivation, requireMultiplier, withShape } from "./check.ts";
import { activationRange, type FusedActivation, type Multiplier } from "./fixed-point.ts";
import { defineOp } from "./op.ts";

export interface MulAttrs {
  readonly activation: FusedActivation;
}

/** lhs · rhs, broadcast, with a fused activation. */
export const mul = defineOp<MulAttrs>({
  name: "mul",
  tflite: { builtin: 18, read: (options) => options.byte(0, 0) },

  prepare(inputs, outputs, options) {
    const operands = elementwiseOperands(inputs, outputs);
    requireElementwise(operands);
    productMultiplier(operands);
    return { activation: requireActivation(options as number, operands.output) };
  },

  infer(inputs, _attrs, outputs) {
    const { lhs, rhs, output } = elementwiseOperands(inputs, outputs);
    return [withShape(output, broadcastShape(lhs, rhs))];
  },

  rows: elementwiseRows,
  macs: () => 0,
  overlapDistance: elementwiseOverlap,
  pack: packConstants,

  lower(node, at) {
    const operands = elementwiseOperands(node.inputs, node.outputs);
    const { lhs, rhs, output } = operands;
    const { scale, zeroPoint } = perTensor(output, "output");
    const range = activationRange(node.attrs.activation, scale, zeroPoint);
    const { multiplier, shift } = productMultiplier(operands);
    return {
      op: "mul",
      ...elementwiseFields(node, at),
      lhsZeroPoint: perTensor(lhs, "lhs").zeroPoint,
      rhsZeroPoint: perTensor(rhs, "rhs").zeroPoint,
      outputZeroPoint: zeroPoint,
      outputMultiplier: multiplier,
      outputShift: shift,
      activationMin: range.min,
      activationMax: range.max,
    };
  },
});

function productMultiplier({ lhs, rhs, output }: ElementwiseOperands): Multiplier {
  const product = perTensor(lhs, "lhs").scale * perTensor(rhs, "rhs").scale;
  return requireMultiplier(product / perTensor(output, "output").scale, output);
}
