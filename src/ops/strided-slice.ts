import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { listed, requireInput, requireInputCount, requireInts, requireOutput, withShape } from "./check.ts";
import { defineMove, requireMoved, strides } from "./move.ts";

/** What is taken of one dimension. */
interface Cut {
  readonly start: number;
  readonly step: number;
  readonly size: number;
  /** The dimension is not one of the output's. */
  readonly isDropped: boolean;
}

export interface StridedSliceAttrs {
  readonly cuts: readonly Cut[];
}

/** Options of the file: bit i of a mask is dimension i. */
interface FileOptions {
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
  readonly offset: boolean;
}

/** STRIDED_SLICE. Reference: TFLite internal/strided_slice_logic.h. */
export const stridedSlice = defineMove<StridedSliceAttrs>({
  name: "stridedSlice",
  tflite: {
    builtin: 45,
    read: (options): FileOptions => ({
      beginMask: options.int(0, 0),
      endMask: options.int(1, 0),
      ellipsisMask: options.int(2, 0),
      newAxisMask: options.int(3, 0),
      shrinkAxisMask: options.int(4, 0),
      offset: options.bool(5, false),
    }),
  },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 4, 4);
    const input = requireInput(inputs, 0, "input");
    requireMoved(input, outputs);
    const file = options as FileOptions;
    if (file.ellipsisMask !== 0 || file.newAxisMask !== 0) {
      throw new UnsupportedError(
        "unsupported-slice",
        `the slice of "${input.name}" has an ellipsis or a new axis; slice by plain ranges and reshape the result`,
      );
    }
    const [begin, end, steps] = (["begin", "end", "strides"] as const).map((role, i) =>
      requireInts(requireInput(inputs, i + 1, role), role),
    ) as [number[], number[], number[]];
    const { shape } = input;
    if ([begin, end, steps].some((list) => list.length !== shape.length) || steps.includes(0)) {
      throw new ModelError(
        "bad-slice",
        `begin ${listed(begin)}, end ${listed(end)}, strides ${listed(steps)} do not fit "${input.name}" [${shape.join(", ")}]; ` +
          "each needs one number per dimension, strides none of 0: export the model again",
      );
    }
    return {
      cuts: shape.map((_, axis) =>
        cutOf(input, axis, begin[axis] ?? 0, end[axis] ?? 0, steps[axis] ?? 1, file),
      ),
    };
  },

  infer: (_inputs, { cuts }, outputs) => [
    withShape(
      requireOutput(outputs),
      cuts.filter(({ isDropped }) => !isDropped).map(({ size }) => size),
    ),
  ],

  moves({ attrs: { cuts }, inputs }) {
    const from = strides(requireInput(inputs, 0, "input").shape);
    const to = strides(cuts.map(({ size }) => size));
    return [
      {
        from: cuts.reduce((sum, { start }, axis) => sum + start * (from[axis] ?? 0), 0),
        to: 0,
        loops: cuts.map(({ size, step }, axis) => ({
          size,
          input: step * (from[axis] ?? 0),
          output: to[axis] ?? 0,
        })),
      },
    ];
  },
});

/** @throws UnsupportedError empty-tensor where nothing is taken */
function cutOf(
  input: Tensor,
  axis: number,
  begin: number,
  end: number,
  step: number,
  file: FileOptions,
): Cut {
  const size = input.shape[axis] ?? 1;
  const isSet = (mask: number): boolean => ((mask >> axis) & 1) === 1;
  const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
  const clip = (index: number): number =>
    Math.min(Math.max(index < 0 ? index + size : index, lowest), highest);
  const start = isSet(file.beginMask) ? (step > 0 ? 0 : size - 1) : clip(begin);
  if (isSet(file.shrinkAxisMask)) {
    if (start < 0 || start >= size) {
      throw new ModelError(
        "bad-slice",
        `the slice takes element ${begin} of dimension ${axis} of "${input.name}", which has ${size}; export the model again`,
      );
    }
    return { start, step: 1, size: 1, isDropped: true };
  }
  const past = step > 0 ? size : -1;
  const stop = isSet(file.endMask) ? past : clip(file.offset ? end + start : end);
  const count = Math.ceil((stop - start) / step);
  if (count >= 1) return { start, step, size: count, isDropped: false };
  throw new UnsupportedError(
    "empty-tensor",
    `the slice takes nothing of dimension ${axis} of "${input.name}"; every dimension must keep at least 1 element: export the model again`,
  );
}
