import { UnsupportedError } from "../errors.ts";
import { Int16Operation } from "../plan/format.ts";
import type { ElementwiseOperands } from "./broadcast.ts";
import { perTensor, requireActivation } from "./check.ts";
import type { ElementwiseDefinition } from "./elementwise.ts";
import { activationRange, type FusedActivation, type Multiplier, quantizeMultiplier } from "./fixed-point.ts";
import { int16Range } from "./int16.ts";

export interface SumAttrs {
  readonly activation: FusedActivation;
}

/** Bits that both operands are shifted left by before they are brought to one scale. */
const LEFT_SHIFT = { int8: 20, int16: 15 } as const;

/**
 * All of ADD and SUB but their names and codes in the file: lhs ± rhs, broadcast, with a fused activation. The ratios of scales
 * are taken in double, or `rounded` to float32. Reference: TFLite kernels/add.cc; TFLite Micro kernels/sub_common.cc.
 */
export function sumOperator(
  op: "add" | "sub",
  rounded: (ratio: number) => number,
): Omit<ElementwiseDefinition<SumAttrs>, "name" | "tflite"> {
  return {
    prepare(options, operands) {
      multipliers(operands, rounded);
      return { activation: requireActivation(options as number, operands.output) };
    },

    int16: (operands, { attrs }) => ({
      operation: op === "add" ? Int16Operation.add : Int16Operation.subtract,
      leftShift: LEFT_SHIFT.int16,
      ...multipliers(operands, rounded),
      range: int16Range(attrs.activation, operands.output),
    }),

    record(loops, operands, { attrs }) {
      const { scale, zeroPoint } = perTensor(operands.output, "output");
      const range = activationRange(attrs.activation, scale, zeroPoint);
      const { lhs, rhs, output } = multipliers(operands, rounded);
      return {
        ...loops,
        op,
        lhsZeroPoint: perTensor(operands.lhs, "lhs").zeroPoint,
        rhsZeroPoint: perTensor(operands.rhs, "rhs").zeroPoint,
        outputZeroPoint: zeroPoint,
        lhsMultiplier: lhs.multiplier,
        lhsShift: lhs.shift,
        rhsMultiplier: rhs.multiplier,
        rhsShift: rhs.shift,
        outputMultiplier: output.multiplier,
        outputShift: output.shift,
        activationMin: range.min,
        activationMax: range.max,
      };
    },
  };
}

/** Of both operands to half the range of the larger scale, and from there to the output's; all are right shifts. */
function multipliers(
  { lhs, rhs, output }: ElementwiseOperands,
  rounded: (ratio: number) => number,
): {
  lhs: Multiplier;
  rhs: Multiplier;
  output: Multiplier;
} {
  const lhsScale = perTensor(lhs, "lhs").scale;
  const rhsScale = perTensor(rhs, "rhs").scale;
  const outputScale = perTensor(output, "output").scale;
  const twiceLargest = rounded(2 * Math.max(lhsScale, rhsScale));
  const leftShift = LEFT_SHIFT[output.type === "int16" ? "int16" : "int8"];
  const ratio = rounded(twiceLargest / (2 ** leftShift * outputScale));
  const toOutput = ratio < 1 ? quantizeMultiplier(ratio) : undefined;
  if (toOutput === undefined || toOutput.shift > 0) {
    throw new UnsupportedError(
      "output-scale-too-small",
      `output "${output.name}" has scale ${outputScale}, its operands ${lhsScale} and ${rhsScale}; a sum needs an ` +
        `output scale above ${twiceLargest / 2 ** leftShift}: quantise with a representative data set`,
    );
  }
  return {
    lhs: quantizeMultiplier(rounded(lhsScale / twiceLargest)),
    rhs: quantizeMultiplier(rounded(rhsScale / twiceLargest)),
    output: toOutput,
  };
}
