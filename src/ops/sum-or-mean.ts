import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import { perTensor, requireInput, requireOutput } from "./check.ts";
import type { Multiplier } from "./fixed-point.ts";
import { requireOneType } from "./int16.ts";
import type { OpDefinition } from "./op.ts";
import { NOWHERE } from "./op.ts";
import type { ReductionAttrs } from "./reduction.ts";
import { inferReduction, prepareReduction, reductionFields } from "./reduction.ts";
import { ONE_ROW, rowCount, rowFields } from "./view.ts";

/** All of MEAN and SUM but their names and codes in the file: the multiplier says which. Reference: TFLite reference/reduce.h. */
export function sumOrMean(
  multiplierOf: (input: Tensor, output: Tensor, axes: readonly number[]) => Multiplier,
): Omit<OpDefinition<ReductionAttrs>, "name" | "tflite"> {
  return {
    types: ["int8", "int16"],

    prepare(inputs, outputs, options) {
      const attrs = prepareReduction(inputs, options);
      const input = requireInput(inputs, 0, "input");
      requireOneType([input, requireOutput(outputs)], "operand");
      const count = elementCount(attrs.axes.map((axis) => input.shape[axis] ?? 1));
      const most = mostValues(input);
      if (count > most) {
        throw new UnsupportedError(
          "reduction-too-large",
          `the reduction of "${input.name}" takes in ${count} values, at most ${most} are run; reduce in two steps`,
        );
      }
      multiplierOf(input, requireOutput(outputs), attrs.axes);
      return attrs;
    },

    infer: inferReduction,

    rows(node) {
      const input = requireInput(node.inputs, 0, "input");
      const output = requireOutput(node.outputs);
      const rows = rowCount(input);
      if (rows < 2 || node.attrs.axes.includes(0)) return undefined;
      const access = { rows, inputs: [{ stride: 1, first: 0, last: 0 }, undefined] };
      // A matrix has no rows that streams could make one by one.
      if (!node.attrs.axes.includes(1)) return rowCount(output) === rows ? access : undefined;
      const outputs = elementCount(output.shape);
      const accumulates = { ...access, accumulatorBytes: 4 * outputs };
      // A row of as many values gives one to each output, and is read when that is stored.
      return outputs * rows === elementCount(input.shape) ? { ...accumulates, inPlace: [0] } : accumulates;
    },

    macs: () => 0,

    lower(node, at) {
      const input = requireInput(node.inputs, 0, "input");
      const output = requireOutput(node.outputs);
      const inRows = at.accumulators !== undefined;
      const accumulates = node.attrs.axes.includes(1);
      const row = inRows ? { ...input, shape: input.shape.with(1, 1) } : input;
      const inputRows = inRows ? rowFields(at.inputs[0] ?? NOWHERE, input) : ONE_ROW;
      const outputRows = inRows && !accumulates ? rowFields(at.outputs[0] ?? NOWHERE, output) : ONE_ROW;
      return {
        op: input.type === "int16" ? "meanInt16" : "mean",
        y0: 0,
        y1: inRows ? rowCount(input) : 1,
        input: at.inputs[0]?.address ?? 0,
        output: at.outputs[0]?.address ?? 0,
        ...reductionFields(row, node.attrs.axes),
        inputZeroPoint: perTensor(input, "input").zeroPoint,
        outputZeroPoint: perTensor(output, "output").zeroPoint,
        ...multiplierOf(input, output, node.attrs.axes),
        inputRowBytes: inputRows.rowBytes,
        inputRingRows: inputRows.ringRows,
        outputRowBytes: outputRows.rowBytes,
        outputRingRows: outputRows.ringRows,
        rows: inRows && accumulates ? rowCount(input) : 1,
        accumulators: at.accumulators ?? 0,
      };
    },
  };
}

/** So many values, less their zero point, have a sum within int32. */
function mostValues(input: Tensor): number {
  const largest = 2 ** (8 * elementBytes(input.type) - 1);
  return Math.floor(2 ** 31 / (largest + Math.abs(perTensor(input, "input").zeroPoint)));
}
