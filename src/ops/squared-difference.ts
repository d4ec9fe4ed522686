import { Int16Operation } from "../plan/format.ts";
import type { ElementwiseOperands } from "./broadcast.ts";
import { perTensor, requireMultiplier } from "./check.ts";
import { defineElementwise } from "./elementwise.ts";
import type { Multiplier } from "./fixed-point.ts";
import { quantizeMultiplier } from "./fixed-point.ts";

/** Bits that both operands are shifted left by before they are brought to one scale; int16 needs none. */
const LEFT_SHIFT = 7;

/** SQUARED_DIFFERENCE. Reference: TFLite Micro kernels/squared_difference.cc. */
export const squaredDifference = defineElementwise<undefined>({
  name: "squaredDifference",
  tflite: { builtin: 99, read: () => undefined },

  prepare(_options, operands) {
    multipliers(operands);
    return undefined;
  },

  int16(operands) {
    const scaled = multipliers(operands);
    return { operation: Int16Operation.squaredDifference, ...scaled };
  },

  record(loops, operands) {
    const scaled = multipliers(operands);
    return {
      op: "squaredDifference",
      ...loops,
      lhsZeroPoint: perTensor(operands.lhs, "lhs").zeroPoint,
      rhsZeroPoint: perTensor(operands.rhs, "rhs").zeroPoint,
      outputZeroPoint: perTensor(operands.output, "output").zeroPoint,
      lhsMultiplier: scaled.lhs.multiplier,
      lhsShift: scaled.lhs.shift,
      rhsMultiplier: scaled.rhs.multiplier,
      rhsShift: scaled.rhs.shift,
      outputMultiplier: scaled.output.multiplier,
      outputShift: scaled.output.shift,
      activationMin: -128,
      activationMax: 127,
    };
  },
});

function multipliers({ lhs, rhs, output }: ElementwiseOperands): {
  readonly lhs: Multiplier;
  readonly rhs: Multiplier;
  readonly output: Multiplier;
} {
  const lhsScale = perTensor(lhs, "lhs").scale;
  const rhsScale = perTensor(rhs, "rhs").scale;
  const twiceLargest = 2 * Math.max(lhsScale, rhsScale);
  const outputScale = perTensor(output, "output").scale;
  const isWide = output.type === "int16";
  return {
    lhs: quantizeMultiplier(lhsScale / twiceLargest),
    rhs: quantizeMultiplier(rhsScale / twiceLargest),
    output: requireMultiplier(
      (twiceLargest * twiceLargest) / ((isWide ? 1 : 4 ** LEFT_SHIFT) * outputScale),
      output,
    ),
  };
}
