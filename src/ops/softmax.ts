import { UnsupportedError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
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
import { defineOp } from "./op.ts";

interface SoftmaxAttrs {
  readonly beta: number;
}

/** Integer bits of the fixed-point difference from the maximum: Q5.26. */
const DIFFERENCE_BITS = 5;

/** SOFTMAX over the last axis, int8 → int8 with scale 1/256 and zero point −128. Reference: TFLite reference/softmax.h. */
export const softmax = defineOp<SoftmaxAttrs>({
  name: "softmax",
  tflite: { builtin: 25, read: (options) => options.float(0, 0) },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 1, 1);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    requireInt8(input, "input");
    requireRank(input, "input", 1, 8);
    const { scale, zeroPoint } = requireInt8(output, "output");
    if (scale !== 1 / 256 || zeroPoint !== -128) {
      throw new UnsupportedError(
        "softmax-output",
        `output "${output.name}" has scale ${scale} and zero point ${zeroPoint}; softmax gives 1/256 and -128: ` +
          "quantise the model again",
      );
    }
    const beta = options as number;
    if (!(beta > 0 && Number.isFinite(beta))) {
      throw new UnsupportedError(
        "softmax-beta",
        `softmax of "${input.name}" has beta ${beta}; it must be above 0`,
      );
    }
    return { beta };
  },

  infer: ([input], _attrs, [output]) => [
    withShape(output ?? { shape: [], type: "int8" }, input?.shape ?? []),
  ],
  macs: () => 0,
  // A row is read whole before it is written.
  overlapDistance: () => 0,

  lower({ attrs, inputs, outputs }, at) {
    const { shape } = requireOutput(outputs);
    const depth = shape.at(-1) ?? 1;
    const { scale } = perTensor(requireInput(inputs, 0, "input"), "input");
    const real = attrs.beta * scale * 2 ** (31 - DIFFERENCE_BITS);
    const { multiplier, shift } = quantizeMultiplier(Math.min(real, 2 ** 31 - 1));
    const largest = (2 ** DIFFERENCE_BITS - 1) * 2 ** (31 - DIFFERENCE_BITS);
    return {
      op: "softmax",
      input: at.inputs[0] ?? 0,
      output: at.outputs[0] ?? 0,
      rows: elementCount(shape) / depth,
      depth,
      multiplier,
      shift,
      diffMin: -Math.floor(largest / 2 ** shift),
    };
  },
});
