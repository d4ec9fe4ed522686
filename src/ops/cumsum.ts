import { elementCount } from "../plan/shape.ts";
import {
  perTensor,
  requireAxis,
  requireInput,
  requireInputCount,
  requireInt8,
  requireInts,
  requireMultiplier,
  requireOutput,
  withShape,
} from "./check.ts";
import { defineOp, NOWHERE } from "./op.ts";

export interface CumsumAttrs {
  readonly axis: number;
  /** A value is not part of its own sum. */
  readonly exclusive: boolean;
  /** From the end. */
  readonly reverse: boolean;
}

/** CUMSUM of int8. Reference: TFLite Micro kernels/cumsum.cc. */
export const cumsum = defineOp<CumsumAttrs>({
  name: "cumsum",
  tflite: {
    builtin: 128,
    read: (options) => ({ exclusive: options.bool(0, false), reverse: options.bool(1, false) }),
  },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    requireInt8(input, "input");
    requireInt8(output, "output");
    requireMultiplier(ratio(perTensor(input, "input").scale, perTensor(output, "output").scale), output);
    const [axis = 0] = requireInts(requireInput(inputs, 1, "axis"), "axis");
    return { ...(options as Omit<CumsumAttrs, "axis">), axis: requireAxis(axis, input) };
  },

  infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],
  macs: () => 0,

  lower({ attrs: { axis, exclusive, reverse }, inputs, outputs }, at) {
    const [input, output] = [requireInput(inputs, 0, "input"), requireOutput(outputs)];
    const [from, to] = [perTensor(input, "input"), perTensor(output, "output")];
    return {
      op: "cumsum",
      input: (at.inputs[0] ?? NOWHERE).address,
      output: (at.outputs[0] ?? NOWHERE).address,
      outer: elementCount(input.shape.slice(0, axis)),
      size: input.shape[axis] ?? 1,
      inner: elementCount(input.shape.slice(axis + 1)),
      exclusive: exclusive ? 1 : 0,
      reverse: reverse ? 1 : 0,
      inputZeroPoint: from.zeroPoint,
      outputZeroPoint: to.zeroPoint,
      ...requireMultiplier(ratio(from.scale, to.scale), output),
    };
  },
});

/** Sums have 20 bits behind the point, of twice the input's scale. */
function ratio(input: number, output: number): number {
  return (2 * input) / (2 ** 20 * output);
}
