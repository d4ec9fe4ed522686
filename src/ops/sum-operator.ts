import { UnsupportedError } from "../errors.ts";
import { Int16Operation } from "../plan/format.ts";
import {
  broadcastFields,
  broadcastShape,
  type ElementwiseOperands,
  elementwiseOperands,
  elementwiseFields,
  elementwiseOverlap,
  elementwiseRows,
} from "./broadcast.ts";
import { packConstants } from "./constants.ts";
import { perTensor, requireActivation, withShape } from "./check.ts";
import { activationRange, type FusedActivation, type Multiplier, quantizeMultiplier } from "./fixed-point.ts";
import { elementwiseInt16 } from "./elementwise-int16.ts";
import { int16Range, isInt16, requireActivations } from "./int16.ts";
import type { OpDefinition } from "./op.ts";

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
): Omit<OpDefinition<SumAttrs>, "name" | "tflite"> {
  return {
    types: ["int8", "int16"],

    prepare(inputs, outputs, options) {
      const operands = elementwiseOperands(inputs, outputs);
      const { lhs, rhs, output } = operands;
      requireActivations([lhs, rhs, output], "operand");
      broadcastFields(lhs, rhs);
      multipliers(operands, rounded);
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
      const scaled = multipliers(operands, rounded);
      if (isInt16(node)) {
        return elementwiseInt16(node, at, {
          operation: op === "add" ? Int16Operation.add : Int16Operation.subtract,
          leftShift: LEFT_SHIFT.int16,
          ...scaled,
          range: int16Range(node.attrs.activation, output),
        });
      }
      return {
        ...elementwiseFields(node, at),
        op,
        lhsZeroPoint: perTensor(lhs, "lhs").zeroPoint,
        rhsZeroPoint: perTensor(rhs, "rhs").zeroPoint,
        outputZeroPoint: zeroPoint,
        lhsMultiplier: scaled.lhs.multiplier,
        lhsShift: scaled.lhs.shift,
        rhsMultiplier: scaled.rhs.multiplier,
        rhsShift: scaled.rhs.shift,
        outputMultiplier: scaled.output.multiplier,
        outputShift: scaled.output.shift,
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
