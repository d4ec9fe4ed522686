import { ModelError } from "../errors.ts";
import { requireAxis, requireInput, requireInputCount, withShape } from "./check.ts";
import { defineMove } from "./move.ts";
import { partMoves, requireParts } from "./parts.ts";

/** The dimension whose indices become outputs. */
export interface UnpackAttrs {
  readonly axis: number;
}

/** UNPACK. Reference: TFLite Micro kernels/unpack.cc. */
export const unpack = defineMove<UnpackAttrs>({
  name: "unpack",
  tflite: { builtin: 88, read: (options) => ({ count: options.int(0, 0), axis: options.int(1, 0) }) },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 1, 1);
    const input = requireInput(inputs, 0, "input");
    const { axis, count } = options as { axis: number; count: number };
    const dimension = requireAxis(axis, input);
    requireParts(input, outputs, count);
    if (input.shape[dimension] !== count) {
      throw new ModelError(
        "bad-split",
        `"${input.name}" [${input.shape.join(", ")}] is unpacked to ${count} tensors along dimension ${dimension}; export the model again`,
      );
    }
    return { axis: dimension };
  },

  infer: (inputs, { axis }, outputs) =>
    outputs.map((output) => withShape(output, requireInput(inputs, 0, "input").shape.toSpliced(axis, 1))),

  moves: ({ attrs: { axis }, inputs, outputs }) =>
    partMoves(
      requireInput(inputs, 0, "input").shape,
      axis,
      outputs.map(() => 1),
    ),
});
