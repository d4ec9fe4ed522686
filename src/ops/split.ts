import { ModelError } from "../errors.ts";
import { requireAxis, requireInput, requireInputCount, requireInts } from "./check.ts";
import { defineMove } from "./move.ts";
import { partMoves, partTypes, requireParts } from "./parts.ts";

/** How many indices of dimension `axis` each output has. */
export interface SplitAttrs {
  readonly axis: number;
  readonly sizes: readonly number[];
}

/** SPLIT, in equal parts. Reference: TFLite Micro kernels/split.cc. */
export const split = defineMove<SplitAttrs>({
  name: "split",
  tflite: { builtin: 49, read: (options) => options.int(0, 0) },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 1, "input");
    const [axis = 0] = requireInts(requireInput(inputs, 0, "axis"), "axis");
    const dimension = requireAxis(axis, input);
    const count = options as number;
    requireParts(input, outputs, count);
    const size = (input.shape[dimension] ?? 0) / count;
    if (!Number.isInteger(size)) {
      throw new ModelError(
        "bad-split",
        `dimension ${dimension} of "${input.name}" [${input.shape.join(", ")}] is not divisible by ${count}; export the model again`,
      );
    }
    return { axis: dimension, sizes: Array<number>(count).fill(size) };
  },

  infer: (inputs, { axis, sizes }, outputs) =>
    partTypes(requireInput(inputs, 1, "input"), outputs, axis, sizes),

  moves: ({ attrs: { axis, sizes }, inputs }) =>
    partMoves(requireInput(inputs, 1, "input").shape, axis, sizes).map((move) => ({ ...move, input: 1 })),
});
