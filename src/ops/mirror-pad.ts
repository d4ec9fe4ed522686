import { ModelError } from "../errors.ts";
import { listed, requireInput, requireInputCount, requireInts, requireOutput, withShape } from "./check.ts";
import type { Move } from "./move.ts";
import { defineMove, requireMoved, strides } from "./move.ts";

/** Elements before and after each dimension, mirrored with the edge or without. */
export interface MirrorPadAttrs {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** 1 where the edge itself is not repeated (REFLECT), 0 where it is (SYMMETRIC). */
  readonly skipped: 0 | 1;
}

/** Indices `to` … of an output dimension, which come from `from` on in steps of 1 or -1. */
interface Segment {
  readonly to: number;
  readonly from: number;
  readonly step: 1 | -1;
  readonly size: number;
}

const SYMMETRIC = 1;

/** MIRROR_PAD. Reference: TFLite Micro kernels/mirror_pad.cc. */
export const mirrorPad = defineMove<MirrorPadAttrs>({
  name: "mirrorPad",
  tflite: { builtin: 100, read: (options) => options.byte(0, 0) },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    requireMoved(input, outputs);
    const paddings = requireInts(requireInput(inputs, 1, "paddings"), "paddings");
    const { shape } = input;
    const skipped = options === SYMMETRIC ? 0 : 1;
    const fits = (size: number, i: number): boolean =>
      size >= 0 && size <= (shape[Math.floor(i / 2)] ?? 0) - skipped;
    if (paddings.length !== 2 * shape.length || !paddings.every(fits)) {
      throw new ModelError(
        "bad-padding",
        `"${input.name}" [${shape.join(", ")}] cannot be mirrored into paddings ${listed(paddings)}; each may be as ` +
          "long as its dimension, one less without the edge: pad less, or in two steps",
      );
    }
    return {
      before: paddings.filter((_, i) => i % 2 === 0),
      after: paddings.filter((_, i) => i % 2 === 1),
      skipped,
    };
  },

  infer: ([input], { before, after }, outputs) => [
    withShape(
      requireOutput(outputs),
      (input?.shape ?? []).map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0)),
    ),
  ],

  moves({ attrs: { before, after, skipped }, inputs, outputs }) {
    const { shape } = requireInput(inputs, 0, "input");
    const segments = shape.map((size, axis): Segment[] => {
      const [low = 0, high = 0] = [before[axis], after[axis]];
      const all: Segment[] = [
        { to: 0, from: low - 1 + skipped, step: -1, size: low },
        { to: low, from: 0, step: 1, size },
        { to: low + size, from: size - 1 - skipped, step: -1, size: high },
      ];
      return all.filter(({ size }) => size > 0);
    });
    const from = strides(shape);
    const to = strides(requireOutput(outputs).shape);
    // Every combination of a segment per dimension.
    return segments.reduce<Move[]>(
      (moves, choices, axis) =>
        moves.flatMap((move) =>
          choices.map((segment) => ({
            from: move.from + segment.from * (from[axis] ?? 0),
            to: move.to + segment.to * (to[axis] ?? 0),
            loops: [
              ...move.loops,
              { size: segment.size, input: segment.step * (from[axis] ?? 0), output: to[axis] ?? 0 },
            ],
          })),
        ),
      [{ from: 0, to: 0, loops: [] }],
    );
  },
});
