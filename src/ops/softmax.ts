import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { byteSize } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import {
  perTensor,
  requireInput,
  requireInputCount,
  requireMultiplier,
  requireOutput,
  requireRank,
  withShape,
} from "./check.ts";
import { quantizeMultiplier } from "./fixed-point.ts";
import { requireInteger } from "./int16.ts";
import { defineOp, NOWHERE } from "./op.ts";
import { packSoftmaxTables } from "./softmax-table.ts";

interface SoftmaxAttrs {
  /** Factor of the logits. */
  readonly beta: number;
}

/** Of int8: differences from the maximum are Q5.26: one is 2^26, the largest 31. */
const ONE = 2 ** 26;

/** Of int16: differences from the maximum down to −10 have 2^16 − 1 steps, of this size. */
const INT16_STEP = 10 / 65535;

/** So many values have a sum of exponentials that stays below 2^32, of terms up to 2^19, or of int16 below 2^31, of terms below 2^15. */
const MAX_DEPTH = { int8: 8191, int16: 2 ** 16 } as const;

/** What the output has by the types of input and output; int16 scales may be off by a thousandth. */
const OUTPUTS: Readonly<Record<string, readonly [scale: number, zeroPoint: number, tolerance: number]>> = {
  "int8 int8": [2 ** -8, -128, 0],
  "int8 int16": [2 ** -16, -32768, 0.001],
  "int16 int16": [2 ** -15, 0, 0.001],
};

/** SOFTMAX over the last axis. Reference: TFLite reference/softmax.h; TFLite Micro kernels/softmax_common.cc. */
export const softmax = defineOp<SoftmaxAttrs>({
  name: "softmax",
  tflite: { builtin: 25, read: (options) => options.float(0, 0) },
  types: ["int8", "int16"],

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 1, 1);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    const from = requireInteger(input, "input");
    requireRank(input, "input", 1, 8);
    requireProbabilities(input, output);
    const beta = options as number;
    if (!(beta > 0 && Number.isFinite(beta))) {
      throw new UnsupportedError(
        "softmax-beta",
        `softmax of "${input.name}" has beta ${beta}; it must be finite and above 0`,
      );
    }
    const depth = input.shape.at(-1) ?? 1;
    const most = MAX_DEPTH[input.type === "int16" ? "int16" : "int8"];
    if (depth > most) {
      throw new UnsupportedError(
        "softmax-depth",
        `softmax of "${input.name}" is over ${depth} values, at most ${most} are run; use fewer classes`,
      );
    }
    if (input.type === "int16") {
      requireMultiplier((from.scale * beta) / INT16_STEP, output);
    } else if (beta * from.scale * ONE <= 1) {
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
  overlapDistance: ({ inputs, outputs }) =>
    byteSize(requireInput(inputs, 0, "input")) === byteSize(requireOutput(outputs)) ? 0 : undefined,

  pack({ inputs }) {
    if (inputs[0]?.type !== "int16") return undefined;
    const bytes = packSoftmaxTables();
    return { bytes, blocks: 1, blockBytes: bytes.length, blockChannels: 1, fields: {} };
  },

  lower({ attrs, inputs, outputs }, at) {
    const output = requireOutput(outputs);
    const depth = output.shape.at(-1) ?? 1;
    const places = {
      input: (at.inputs[0] ?? NOWHERE).address,
      output: (at.outputs[0] ?? NOWHERE).address,
      rows: elementCount(output.shape) / depth,
      depth,
    };
    const input = requireInput(inputs, 0, "input");
    const { scale } = perTensor(input, "input");
    if (input.type === "int16") {
      const scaled = quantizeMultiplier((scale * attrs.beta) / INT16_STEP);
      return { op: "softmaxInt16", ...places, weights: at.packed, ...scaled };
    }
    const { multiplier, shift } = quantizeMultiplier(Math.min(attrs.beta * scale * ONE, 2 ** 31 - 1));
    return {
      op: output.type === "int16" ? "softmaxToInt16" : "softmax",
      ...places,
      multiplier,
      shift,
      diffMin: -Math.floor((31 * ONE) / 2 ** shift),
    };
  },
});

/** @throws UnsupportedError unsupported-type, softmax-output */
function requireProbabilities(input: Tensor, output: Tensor): void {
  const { scale, zeroPoint } = requireInteger(output, "output");
  const made = OUTPUTS[`${input.type} ${output.type}`];
  if (made === undefined) {
    throw new UnsupportedError(
      "unsupported-type",
      `output "${output.name}" is ${output.type}, "${input.name}" ${input.type}; softmax of int16 gives int16: quantise the model again`,
    );
  }
  const [wanted, wantedZeroPoint, tolerance] = made;
  if (Math.abs(scale - wanted) <= tolerance * wanted && zeroPoint === wantedZeroPoint) return;
  throw new UnsupportedError(
    "softmax-output",
    `output "${output.name}" has scale ${scale} and zero point ${zeroPoint}; softmax gives ${wanted} and ${wantedZeroPoint}: ` +
      "quantise the model again",
  );
}
