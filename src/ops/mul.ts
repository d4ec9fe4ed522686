import { Int16Operation } from "../plan/format.ts";
import type { PlanRecord } from "../plan/record.ts";
import type { ElementwiseFields, ElementwiseOperands } from "./broadcast.ts";
import { perTensor, requireActivation, requireMultiplier } from "./check.ts";
import { defineElementwise } from "./elementwise.ts";
import { int16Range } from "./int16.ts";
import { floatBits } from "./scale-bits.ts";
import { singleProduct } from "./single-precision.ts";
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

  record(loops, operands, { attrs }, variant) {
    const multiplier = productMultiplier(operands);
    const isRelaxed = variant === "relaxed" || variant === "signed";
    const fields = scaledFields(loops, operands, multiplier, attrs.activation);
    return { op: "mul", ...fields, ...(isRelaxed && singleFields(multiplier, fields)) };
  },
});

type ScaledFields = Omit<Extract<PlanRecord, { op: "mul" }>, "op">;

/** The record, but its operator, of two operands whose result alone is scaled. */
export function scaledFields(
  loops: ElementwiseFields,
  { lhs, rhs, output }: ElementwiseOperands,
  { multiplier, shift }: Multiplier,
  activation: FusedActivation,
): ScaledFields {
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
    ...NOT_SINGLE,
  };
}

const NOT_SINGLE = { singleScale: 0, singleOffset: 0, singleFine: 0, singleBias: 0 };

/** The constants of products in float32, if there are any. */
function singleFields(
  multiplier: Multiplier,
  { lhsZeroPoint, rhsZeroPoint, outputZeroPoint, activationMin, activationMax }: ScaledFields,
): typeof NOT_SINGLE {
  const lhs = [-128 - lhsZeroPoint, 127 - lhsZeroPoint];
  const rhs = [-128 - rhsZeroPoint, 127 - rhsZeroPoint];
  const products = lhs.flatMap((a) => rhs.map((b) => a * b));
  const channel = { multiplier, low: Math.min(...products), high: Math.max(...products) };
  const single = singleProduct(channel, {
    zeroPoint: outputZeroPoint,
    min: activationMin,
    max: activationMax,
  });
  if (single === undefined) return NOT_SINGLE;
  return {
    singleScale: floatBits(single.scale),
    singleOffset: floatBits(single.offset),
    singleFine: floatBits(single.fine),
    singleBias: single.bias,
  };
}

function productMultiplier({ lhs, rhs, output }: ElementwiseOperands): Multiplier {
  const product = perTensor(lhs, "lhs").scale * perTensor(rhs, "rhs").scale;
  return requireMultiplier(product / perTensor(output, "output").scale, output);
}
