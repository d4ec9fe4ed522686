import { UnsupportedError } from "../errors.ts";
import { elementCount } from "../plan/shape.ts";
import {
  perTensor,
  requireInput,
  requireInputCount,
  requireInt8,
  requireOutput,
  requireRank,
  withShape,
} from "./check.ts";
import { defineOp, NOWHERE } from "./op.ts";

/** A sum of so many squares stays within int32. */
const MAX_DEPTH = 2 ** 15;

/** L2_NORMALIZATION over the last dimension, to scale 1/128 and zero point 0. Reference: TFLite reference/integer_ops/l2normalization.h. */
export const l2Normalization = defineOp<undefined>({
  name: "l2Normalization",
  tflite: { builtin: 11, read: (options) => options.byte(0, 0) },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 1, 1);
    const input = requireInput(inputs, 0, "input");
    requireInt8(input, "input");
    const output = requireOutput(outputs);
    requireInt8(output, "output");
    requireRank(input, "input", 1, 8);
    const depth = input.shape.at(-1) ?? 1;
    if (depth > MAX_DEPTH) {
      throw new UnsupportedError(
        "normalization-depth",
        `"${input.name}" is normalised over ${depth} values; at most ${MAX_DEPTH} are run: normalise parts`,
      );
    }
    if (options === 0) return undefined;
    throw new UnsupportedError(
      "unsupported-activation",
      `normalising to "${output.name}" has fused activation ${String(options)}; only NONE is run: export the activation as an operator of its own`,
    );
  },

  infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],
  macs: () => 0,
  overlapDistance: () => 0,

  lower({ inputs }, at) {
    const input = requireInput(inputs, 0, "input");
    const depth = input.shape.at(-1) ?? 1;
    return {
      op: "l2Normalization",
      input: (at.inputs[0] ?? NOWHERE).address,
      output: (at.outputs[0] ?? NOWHERE).address,
      rows: elementCount(input.shape) / depth,
      depth,
      inputZeroPoint: perTensor(input, "input").zeroPoint,
    };
  },
});
