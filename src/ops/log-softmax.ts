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
import { quantizeMultiplier } from "./fixed-point.ts";
import { defineOp, NOWHERE } from "./op.ts";

/** Differences from the maximum are Q5.26: one is 2^26, the largest 31. */
const ONE = 2 ** 26;

/** A sum of so many exponentials, each at most 2^19, stays within int32. */
const MAX_DEPTH = 4095;

/** LOG_SOFTMAX over the last dimension, to scale 1/16 and zero point 127. Reference: TFLite reference/log_softmax.h. */
export const logSoftmax = defineOp<undefined>({
  name: "logSoftmax",
  tflite: { builtin: 50, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 1, 1);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    const from = requireInt8(input, "input");
    requireRank(input, "input", 1, 8);
    const { scale, zeroPoint } = requireInt8(output, "output");
    const depth = input.shape.at(-1) ?? 1;
    if (scale === 1 / 16 && zeroPoint === 127 && depth <= MAX_DEPTH && from.scale * ONE > 1) return undefined;
    throw new UnsupportedError(
      "log-softmax",
      `the logarithm of the softmax of "${input.name}" (scale ${from.scale}, ${depth} values) has scale ${scale} and zero point ` +
        `${zeroPoint}; 1/16 and 127, at most ${MAX_DEPTH} values, and an input scale above 2^-26 are run: quantise again`,
    );
  },

  infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],
  macs: () => 0,
  overlapDistance: () => 0,

  lower({ inputs }, at) {
    const input = requireInput(inputs, 0, "input");
    const depth = input.shape.at(-1) ?? 1;
    const { scale } = perTensor(input, "input");
    const { multiplier, shift } = quantizeMultiplier(Math.min(scale * ONE, 2 ** 31 - 1));
    const reverse = quantizeMultiplier(2 ** (31 - shift) / multiplier);
    return {
      op: "logSoftmax",
      input: (at.inputs[0] ?? NOWHERE).address,
      output: (at.outputs[0] ?? NOWHERE).address,
      rows: elementCount(input.shape) / depth,
      depth,
      multiplier,
      shift,
      reverseMultiplier: reverse.multiplier,
      reverseShift: reverse.shift,
      diffMin: -Math.floor((31 * ONE) / 2 ** shift),
    };
  },
});
