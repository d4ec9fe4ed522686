import { requireInput, requireMovable, requireOutput } from "./check.ts";
import { ANY_TYPE, defineOp } from "./op.ts";
import { floatBits } from "./scale-bits.ts";
import type { ResizeAttrs } from "./resize.ts";
import { readResizeOptions, resize, resizedRows, resizeFields } from "./resize.ts";

const common = resize();

/** RESIZE_NEAREST_NEIGHBOR of any type. Reference: TFLite reference/resize_nearest_neighbor.h. */
export const resizeNearestNeighbor = defineOp<ResizeAttrs>({
  name: "resizeNearestNeighbor",
  tflite: { builtin: 97, read: (options) => readResizeOptions(options, 0) },
  types: ANY_TYPE,
  ...common,

  prepare(inputs, outputs, options) {
    requireMovable(requireInput(inputs, 0, "input"), "input");
    return common.prepare(inputs, outputs, options);
  },

  rows(node) {
    const { shape } = requireInput(node.inputs, 0, "input");
    return resizedRows(node, (y) => {
      const row = nearest(y, shape[1] ?? 1, node.attrs.height, node.attrs);
      return [row, row];
    });
  },

  lower(node, at) {
    const { attrs } = node;
    const { shape } = requireInput(node.inputs, 0, "input");
    const output = requireOutput(node.outputs);
    return {
      op: "resizeNearest",
      ...resizeFields(node, at),
      scaleBitsY: floatBits(scaleOf(shape[1] ?? 1, output.shape[1] ?? 1, attrs)),
      scaleBitsX: floatBits(scaleOf(shape[2] ?? 1, output.shape[2] ?? 1, attrs)),
      offsetBits: floatBits(attrs.halfPixelCenters ? 0.5 : 0),
      rounds: attrs.alignCorners ? 1 : 0,
    };
  },
});

/** Cells of the input per cell of the output, in float32 as the reference has it. */
function scaleOf(input: number, output: number, { alignCorners }: ResizeAttrs): number {
  return Math.fround(alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output);
}

/** The index of the input nearest to index `i` of the output; as assembly/kernels/resize-nearest.ts. */
function nearest(i: number, input: number, output: number, attrs: ResizeAttrs): number {
  const offset = attrs.halfPixelCenters ? 0.5 : 0;
  const x = Math.fround(Math.fround(i + offset) * scaleOf(input, output, attrs));
  const below = Math.floor(x);
  return Math.min(attrs.alignCorners && x - below >= 0.5 ? below + 1 : below, input - 1);
}
