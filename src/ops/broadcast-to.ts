import { ModelError } from "../errors.ts";
import { listed, requireInput, requireInputCount, requireInts, requireOutput, withShape } from "./check.ts";
import { defineMove, requireMoved, strides } from "./move.ts";

export interface BroadcastToAttrs {
  readonly shape: readonly number[];
}

/** BROADCAST_TO: dimensions of 1, and those that are missing in front, are repeated. Reference: TFLite reference/broadcast_to.h. */
export const broadcastTo = defineMove<BroadcastToAttrs>({
  name: "broadcastTo",
  tflite: { builtin: 130, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    requireMoved(input, outputs);
    const shape = requireInts(requireInput(inputs, 1, "shape"), "shape");
    const missing = shape.length - input.shape.length;
    const fits = input.shape.every((size, i) => size === 1 || size === shape[i + missing]);
    if (missing < 0 || !fits || shape.some((size) => size < 1)) {
      throw new ModelError(
        "shapes-do-not-broadcast",
        `"${input.name}" [${input.shape.join(", ")}] does not broadcast to ${listed(shape)}: dimensions must be equal or 1; export the model again`,
      );
    }
    return { shape };
  },

  infer: (_inputs, { shape }, outputs) => [withShape(requireOutput(outputs), shape)],

  moves({ attrs: { shape }, inputs }) {
    const input = requireInput(inputs, 0, "input");
    const missing = shape.length - input.shape.length;
    const from = strides(input.shape);
    const to = strides(shape);
    const loops = shape.map((size, axis) => ({
      size,
      input: (input.shape[axis - missing] ?? 1) === 1 ? 0 : (from[axis - missing] ?? 0),
      output: to[axis] ?? 0,
    }));
    return [{ from: 0, to: 0, loops }];
  },
});
