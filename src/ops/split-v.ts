import { ModelError } from "../errors.ts";
import { listed, requireAxis, requireInput, requireInputCount, requireInts } from "./check.ts";
import { defineMove } from "./move.ts";
import { partMoves, partTypes, requireParts } from "./parts.ts";
import type { SplitAttrs } from "./split.ts";

/** SPLIT_V, in parts of given sizes, one of which may be -1: the rest. Reference: TFLite Micro kernels/split_v.cc. */
export const splitV = defineMove<SplitAttrs>({
  name: "splitV",
  tflite: { builtin: 102, read: (options) => options.int(0, 0) },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 3, 3);
    const input = requireInput(inputs, 0, "input");
    const given = requireInts(requireInput(inputs, 1, "sizes"), "sizes");
    const [axis = 0] = requireInts(requireInput(inputs, 2, "axis"), "axis");
    const dimension = requireAxis(axis, input);
    requireParts(input, outputs, options as number);
    const all = input.shape[dimension] ?? 0;
    const rest = given.reduce((left, size) => (size === -1 ? left : left - size), all);
    const sizes = given.map((size) => (size === -1 ? rest : size));
    const isWhole = sizes.reduce((a, b) => a + b, 0) === all && sizes.every((size) => size >= 1);
    if (!isWhole || sizes.length !== outputs.length || given.filter((size) => size === -1).length > 1) {
      throw new ModelError(
        "bad-split",
        `parts of ${listed(given)} do not make dimension ${dimension} of "${input.name}" [${input.shape.join(", ")}]; export the model again`,
      );
    }
    return { axis: dimension, sizes };
  },

  infer: (inputs, { axis, sizes }, outputs) =>
    partTypes(requireInput(inputs, 0, "input"), outputs, axis, sizes),
  moves: ({ attrs: { axis, sizes }, inputs }) =>
    partMoves(requireInput(inputs, 0, "input").shape, axis, sizes),
});
