import { Int16Operation } from "../plan/format.ts";
import type { PlanRecord } from "../plan/record.ts";
import type { ElementwiseFields, ElementwiseOperands } from "./broadcast.ts";
import { perTensor, requireActivation, requireMultiplier } from "./check.ts";
import { defineElementwise } from "./elementwise.ts";
import { int16Range } from "./int16.ts";
import { activationRange, type FusedActivation, type Multiplier } from "./fixed-point.ts";

export interface MulAttrs {
  readonly activation: FusedActivation;
}

/** lhs · rhs, broadcast, with a fused activation. */
export const mul = defineElementwise<MulAttrs>({
  name: "mul",
  tflite: { builtin: 18, read: (options) => options.byte(0, 0) },

  prepare(options, operands) {
    productMultiplier(operands);
    return { activation: requireActivation(options as number, operands.output) };
  },

  int16: (operands, { attrs }) => ({
    operation: Int16Operation.multiply,
    output: productMultiplier(operands),
    range: int16Range(attrs.activation, operands.output),
  }),

  record: (loops, operands, { attrs }) => ({
    op: "mul",
    ...scaledFields(loops, operands, productMultiplier(operands), attrs.activation),
  }),
});

/** The record, but its operator, of two operands whose result alone is scaled. */
export function scaledFields(
  loops: ElementwiseFields,
  { lhs, rhs, output }: ElementwiseOperands,
  { multiplier, shift }: Multiplier,
  activation: FusedActivation,
): Omit<Extract<PlanRecord, { op: "mul" }>, "op"> {
  const { scale, zeroPoint } = perTensor(output, "output");
  const range = activationRange(activation, scale, zeroPoint);
  return {
    ...loops,
    lhsZeroPoint: perTensor(lhs, "lhs").zeroPoint,
    rhsZeroPoint: perTensor(rhs, "rhs").zeroPoint,
    outputZeroPoint: zeroPoint,
    outputMultiplier: multiplier,
    outputShift: shift,
    activationMin: range.min,
    activationMax: range.max,
  };
}

function productMultiplier({ lhs, rhs, output }: ElementwiseOperands): Multiplier {
  const product = perTensor(lhs, "lhs").scale * perTensor(rhs, "rhs").scale;
  return requireMultiplier(product / perTensor(output, "output").scale, output);
}
