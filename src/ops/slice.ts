import { ModelError } from "../errors.ts";
import { listed, requireInput, requireInputCount, requireInts, requireOutput, withShape } from "./check.ts";
import { defineMove, requireMoved, strides } from "./move.ts";

/** The part that is cut out. */
export interface SliceAttrs {
  readonly begin: readonly number[];
  readonly size: readonly number[];
}

/** SLICE. Reference: TFLite reference/slice.h. */
export const slice = defineMove<SliceAttrs>({
  name: "slice",
  tflite: { builtin: 65, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 3, 3);
    const input = requireInput(inputs, 0, "input");
    requireMoved(input, outputs);
    const begin = requireInts(requireInput(inputs, 1, "begin"), "begin");
    const sizes = requireInts(requireInput(inputs, 2, "size"), "size");
    const { shape } = input;
    const size = sizes.map((n, axis) => (n === -1 ? (shape[axis] ?? 0) - (begin[axis] ?? 0) : n));
    const fits = (n: number, axis: number): boolean =>
      n >= 0 && (size[axis] ?? 0) >= 1 && n + (size[axis] ?? 0) <= (shape[axis] ?? 0);
    if (begin.length !== shape.length || size.length !== shape.length || !begin.every(fits)) {
      throw new ModelError(
        "bad-slice",
        `${listed(sizes)} elements from ${listed(begin)} on do not lie in "${input.name}" [${shape.join(", ")}]; export the model again`,
      );
    }
    return { begin, size };
  },

  infer: (_inputs, { size }, outputs) => [withShape(requireOutput(outputs), size)],

  moves({ attrs: { begin, size }, inputs }) {
    const from = strides(requireInput(inputs, 0, "input").shape);
    const to = strides(size);
    return [
      {
        from: begin.reduce((sum, n, axis) => sum + n * (from[axis] ?? 0), 0),
        to: 0,
        loops: size.map((n, axis) => ({ size: n, input: from[axis] ?? 0, output: to[axis] ?? 0 })),
      },
    ];
  },
});
