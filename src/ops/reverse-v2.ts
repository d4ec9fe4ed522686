import {
  requireAxis,
  requireInput,
  requireInputCount,
  requireInts,
  requireOutput,
  withShape,
} from "./check.ts";
import { defineMove, requireMoved, strides } from "./move.ts";

/** The dimensions that are reversed. */
export interface ReverseAttrs {
  readonly axes: readonly number[];
}

/** REVERSE_V2. Reference: TFLite reference/reverse.h. */
export const reverseV2 = defineMove<ReverseAttrs>({
  name: "reverseV2",
  tflite: { builtin: 105, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    requireMoved(input, outputs);
    const axes = requireInts(requireInput(inputs, 1, "axis"), "axis");
    return { axes: axes.map((axis) => requireAxis(axis, input)) };
  },

  infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],

  moves({ attrs: { axes }, inputs }) {
    const { shape } = requireInput(inputs, 0, "input");
    const steps = strides(shape);
    const last = (axis: number): number => ((shape[axis] ?? 1) - 1) * (steps[axis] ?? 0);
    return [
      {
        from: [...new Set(axes)].reduce((sum, axis) => sum + last(axis), 0),
        to: 0,
        loops: shape.map((size, axis) => {
          const step = steps[axis] ?? 0;
          return { size, input: axes.includes(axis) ? -step : step, output: step };
        }),
      },
    ];
  },
});
