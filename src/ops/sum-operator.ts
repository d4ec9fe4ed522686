import { UnsupportedError } from "../errors.ts";
import { Int16Operation } from "../plan/format.ts";
import type { ElementwiseOperands } from "./broadcast.ts";
import { perTensor, requireActivation } from "./check.ts";
import type { ElementwiseDefinition } from "./elementwise.ts";
import { activationRange, type FusedActivation, type Multiplier, quantizeMultiplier } from "./fixed-point.ts";
import { int16Range } from "./int16.ts";
import type { OutputRange } from "./requantization.ts";
import type { WeightedSum } from "./weighted-sum.ts";
import { weightedSum } from "./weighted-sum.ts";

export interface SumAttrs {
  readonly activation: FusedActivation;
  /** Of int8, where it is the reference's answer. */
  readonly weighted?: WeightedSum;
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
      const scales = multipliers(operands, rounded);
      const activation = requireActivation(options as number, operands.output);
      if (operands.output.type === "int16") return { activation };
      const weighted = weightedSum(
        {
          ...scales,
          lhsZeroPoint: perTensor(operands.lhs, "lhs").zeroPoint,
          rhsZeroPoint: perTensor(operands.rhs, "rhs").zeroPoint,
          sign: op === "add" ? 1 : -1,
        },
        outputRange(operands, activation),
      );
      return { activation, ...(weighted && { weighted }) };
    },

    int16: (operands, { attrs }) => ({
      operation: op === "add" ? Int16Operation.add : Int16Operation.subtract,
      leftShift: LEFT_SHIFT.int16,
      ...multipliers(operands, rounded),
      range: int16Range(attrs.activation, operands.output),
    }),

    record(loops, operands, { attrs: { activation, weighted } }) {
      const { zeroPoint, min, max } = outputRange(operands, activation);
      const clamps = { activationMin: min, activationMax: max };
      if (weighted !== undefined) {
        const { lhsFactor, rhsFactor, offset } = weighted;
        const offsetHigh = Math.floor(offset / 2 ** 32);
        return {
          ...loops,
          op: "weightedSum",
          lhsFactor,
          rhsFactor,
          offset: (offset - offsetHigh * 2 ** 32) | 0,
          offsetHigh,
          ...clamps,
        };
      }
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
        ...clamps,
      };
    },
  };
}

function outputRange({ output }: ElementwiseOperands, activation: FusedActivation): OutputRange {
  const { scale, zeroPoint } = perTensor(output, "output");
  return { zeroPoint, ...activationRange(activation, scale, zeroPoint) };
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
