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
  /** Factor of the logits. */
  readonly beta: number;
}

/** Differences from the maximum are Q5.26: one is 2^26, the largest 31. */
const ONE = 2 ** 26;

/** A sum of so many exponentials, each at most 2^19, stays below 2^32. */
const MAX_DEPTH = 8191;

/** SOFTMAX over the last axis, int8 → int8 with scale 1/256 and zero point −128. Reference: TFLite reference/softmax.h. */
export const softmax = defineOp<SoftmaxAttrs>({
  name: "softmax",
  tflite: { builtin: 25, read: (options) => options.float(0, 0) },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 1, 1);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    const from = requireInt8(input, "input");
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
        `softmax of "${input.name}" has beta ${beta}; it must be finite and above 0`,
      );
    }
    const depth = input.shape.at(-1) ?? 1;
    if (depth > MAX_DEPTH) {
      throw new UnsupportedError(
        "softmax-depth",
        `softmax of "${input.name}" is over ${depth} values, at most ${MAX_DEPTH} are run; use fewer classes`,
      );
    }
    if (beta * from.scale * ONE <= 1) {
      throw new UnsupportedError(
        "softmax-scale",
        `softmax of "${input.name}" has scale ${from.scale} and beta ${beta}; their product must be above 2^-26: ` +
          "quantise with a representative data set",
      );
    }
    return { beta };
  },

  infer: ([input], _attrs, [output]) => [
    withShape(output ?? { shape: [], type: "int8" }, input?.shape ?? []),
  ],
  macs: () => 0,
  // The last pass over a row writes each value after reading it.
  overlapDistance: () => 0,

  lower({ attrs, inputs, outputs }, at) {
    const { shape } = requireOutput(outputs);
    const depth = shape.at(-1) ?? 1;
    const { scale } = perTensor(requireInput(inputs, 0, "input"), "input");
    const { multiplier, shift } = quantizeMultiplier(Math.min(attrs.beta * scale * ONE, 2 ** 31 - 1));
    return {
      op: "softmax",
      input: at.inputs[0]?.address ?? 0,
      output: at.outputs[0]?.address ?? 0,
      rows: elementCount(shape) / depth,
      depth,
      multiplier,
      shift,
      diffMin: -Math.floor((31 * ONE) / 2 ** shift),
    };
  },
});
