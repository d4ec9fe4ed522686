import {
  listed,
  requireInput,
  requireInputCount,
  requireInts,
  requireMovable,
  requireOutput,
  withShape,
} from "./check.ts";
import { ModelError } from "../errors.ts";
import { elementCount } from "../plan/shape.ts";
import { defineMove, requireSameType } from "./move.ts";

export interface FillAttrs {
  readonly shape: readonly number[];
}

/** FILL: one value, perhaps computed, in every element of a given shape. Reference: TFLite Micro kernels/fill.cc. */
export const fill = defineMove<FillAttrs>({
  name: "fill",
  tflite: { builtin: 94, read: () => undefined },
  constants: true,

  prepare(inputs, outputs) {
    requireInputCount(inputs, 2, 2);
    const shape = requireInts(requireInput(inputs, 0, "dims"), "dims");
    const value = requireInput(inputs, 1, "value");
    const output = requireOutput(outputs);
    requireMovable(output, "output");
    requireSameType(value, output);
    if (elementCount(value.shape) !== 1 || shape.some((size) => size < 1)) {
      throw new ModelError(
        "bad-fill",
        `"${value.name}" [${value.shape.join(", ")}] cannot fill ${listed(shape)}; one value and sizes of at least 1 are needed: export the model again`,
      );
    }
    return { shape };
  },

  infer: (_inputs, { shape }, outputs) => [withShape(requireOutput(outputs), shape)],
  moves: ({ attrs: { shape } }) => [
    { input: 1, from: 0, to: 0, loops: [{ size: elementCount(shape), input: 0, output: 1 }] },
  ],
});
