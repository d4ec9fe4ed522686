import { ModelError } from "../errors.ts";
import { requireInput, requireInputCount, requireInts, requireOutput, withShape } from "./check.ts";
import { defineOp } from "./op.ts";

/** Where the new dimension of 1 stands in the output. */
export interface ExpandDimsAttrs {
  readonly axis: number;
}

/** EXPAND_DIMS: the same bytes with one more dimension. */
export const expandDims = defineOp<ExpandDimsAttrs>({
  name: "expandDims",
  tflite: { builtin: 70, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 2, 2);
    requireOutput(outputs);
    const input = requireInput(inputs, 0, "input");
    const [axis = 0] = requireInts(requireInput(inputs, 1, "axis"), "axis");
    const rank = input.shape.length;
    if (axis < -rank - 1 || axis > rank) {
      throw new ModelError(
        "bad-axis",
        `"${input.name}" of rank ${rank} cannot get a dimension ${axis}; export the model again`,
      );
    }
    return { axis: axis < 0 ? axis + rank + 1 : axis };
  },

  infer: ([input], { axis }) => [
    withShape(input ?? { shape: [], type: "int8" }, (input?.shape ?? []).toSpliced(axis, 0, 1)),
  ],
  alias: true,
  fold: ({ inputs }) => inputs[0]?.data,
  macs: () => 0,
});
