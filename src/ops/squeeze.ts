import { ModelError } from "../errors.ts";
import { listed, requireAxis, requireInput, requireInputCount, requireOutput, withShape } from "./check.ts";
import { ANY_TYPE, defineOp } from "./op.ts";

/** Dimensions of 1 that are dropped. */
export interface SqueezeAttrs {
  readonly axes: readonly number[];
}

/** SQUEEZE: the same bytes without dimensions of 1; without any listed, without all of them. */
export const squeeze = defineOp<SqueezeAttrs>({
  name: "squeeze",
  tflite: { builtin: 43, read: (options) => options.ints(0) },

  types: ANY_TYPE,
  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 1, 1);
    requireOutput(outputs);
    const input = requireInput(inputs, 0, "input");
    const listedAxes = options as readonly number[];
    const axes =
      listedAxes.length === 0
        ? input.shape.flatMap((size, axis) => (size === 1 ? [axis] : []))
        : listedAxes.map((axis) => requireAxis(axis, input));
    if (axes.some((axis) => input.shape[axis] !== 1)) {
      throw new ModelError(
        "bad-axis",
        `"${input.name}" [${input.shape.join(", ")}] cannot lose dimensions ${listed(listedAxes)}; only those of 1 can be dropped: export the model again`,
      );
    }
    return { axes };
  },

  infer: ([input], { axes }) => [
    withShape(
      input ?? { shape: [], type: "int8" },
      (input?.shape ?? []).filter((_, axis) => !axes.includes(axis)),
    ),
  ],
  alias: true,
  fold: ({ inputs }) => inputs[0]?.data,
  macs: () => 0,
});
