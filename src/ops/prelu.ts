import { Int16Operation } from "../plan/format.ts";
import type { ElementwiseOperands } from "./broadcast.ts";
import { broadcastFields } from "./broadcast.ts";
import { perTensor, requireInt8, requireMultiplier } from "./check.ts";
import { defineElementwise } from "./elementwise.ts";
import type { Multiplier } from "./fixed-point.ts";
import { requireActivations } from "./int16.ts";

/** PRELU: values below zero times a slope of their own. Reference: TFLite Micro kernels/prelu_common.cc. */
export const prelu = defineElementwise<undefined>({
  name: "prelu",
  tflite: { builtin: 54, read: () => undefined },

  prepare(_options, operands) {
    multipliers(operands);
    return undefined;
  },

  // The slope of int16 may be int8.
  require({ lhs, rhs, output }) {
    requireActivations([lhs, output], "operand");
    if (lhs.type === "int8" || rhs.type === "int16") requireActivations([lhs, rhs], "operand");
    else requireInt8(rhs, "slope");
    broadcastFields(lhs, rhs);
  },

  int16(operands) {
    const { identity, slope } = multipliers(operands);
    return { operation: Int16Operation.slope, lhs: identity, output: slope };
  },

  record(loops, operands) {
    const { identity, slope } = multipliers(operands);
    return {
      op: "prelu",
      ...loops,
      lhsZeroPoint: perTensor(operands.lhs, "input").zeroPoint,
      rhsZeroPoint: perTensor(operands.rhs, "slope").zeroPoint,
      outputZeroPoint: perTensor(operands.output, "output").zeroPoint,
      identityMultiplier: identity.multiplier,
      identityShift: identity.shift,
      slopeMultiplier: slope.multiplier,
      slopeShift: slope.shift,
    };
  },
});

/** In double. */
function multipliers({ lhs, rhs, output }: ElementwiseOperands): {
  readonly identity: Multiplier;
  readonly slope: Multiplier;
} {
  const input = perTensor(lhs, "input").scale;
  const outputScale = perTensor(output, "output").scale;
  return {
    identity: requireMultiplier(input / outputScale, output),
    slope: requireMultiplier((input * perTensor(rhs, "slope").scale) / outputScale, output),
  };
}
