import { CELL_PARTS } from "../plan/format.ts";
import { requireInput, requireInt8, requireOutput } from "./check.ts";
import { defineOp } from "./op.ts";
import type { ResizeAttrs } from "./resize.ts";
import { readResizeOptions, resize, resizedRows, resizeFields } from "./resize.ts";

const common = resize();

/** RESIZE_BILINEAR of int8. Reference: TFLite reference/resize_bilinear.h, ResizeBilinearInteger. */
export const resizeBilinear = defineOp<ResizeAttrs>({
  name: "resizeBilinear",
  // Two fields that are no longer used come first.
  tflite: { builtin: 23, read: (options) => readResizeOptions(options, 2) },
  ...common,

  prepare(inputs, outputs, options) {
    requireInt8(requireInput(inputs, 0, "input"), "input");
    return common.prepare(inputs, outputs, options);
  },

  rows(node) {
    const [, size = 1] = requireInput(node.inputs, 0, "input").shape;
    const { scale, offset } = stepsOf(size, node.attrs.height, node.attrs);
    return resizedRows(node, (y) => {
      const position = y * scale + offset;
      const low = Math.min(Math.max(Math.trunc(position / CELL_PARTS), 0), size - 1);
      return [low, Math.max(Math.min(Math.trunc((position + CELL_PARTS - 1) / CELL_PARTS), size - 1), low)];
    });
  },

  lower(node, at) {
    const [, height = 1, width = 1] = requireInput(node.inputs, 0, "input").shape;
    const [, outputHeight = 1, outputWidth = 1] = requireOutput(node.outputs).shape;
    const rows = stepsOf(height, outputHeight, node.attrs);
    const columns = stepsOf(width, outputWidth, node.attrs);
    return {
      op: "resizeBilinear",
      ...resizeFields(node, at),
      scaleY: rows.scale,
      scaleX: columns.scale,
      offsetY: rows.offset,
      offsetX: columns.offset,
    };
  },
});

/** The position of index i of the output is i · scale + offset, in parts of a cell. */
function stepsOf(
  input: number,
  output: number,
  { alignCorners, halfPixelCenters }: ResizeAttrs,
): { readonly scale: number; readonly offset: number } {
  const [cells, steps] = alignCorners && output > 1 ? [input - 1, output - 1] : [input, output];
  const scale = Math.floor((CELL_PARTS * cells + Math.floor(steps / 2)) / steps);
  return { scale, offset: halfPixelCenters ? Math.floor(scale / 2) - CELL_PARTS / 2 : 0 };
}
