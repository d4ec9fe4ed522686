import { requireInput, requireInputCount, requireOutput, withShape } from "./check.ts";
import { defineMove, requireMoved } from "./move.ts";

/** ZEROS_LIKE: raw zeros, whatever the zero point. Reference: TFLite Micro kernels/zeros_like.cc. */
export const zerosLike = defineMove<undefined>({
  name: "zerosLike",
  tflite: { builtin: 93, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 1, 1);
    requireMoved(requireInput(inputs, 0, "input"), outputs);
    return undefined;
  },

  infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],
  background: () => 0,
  moves: () => [],
});
