import { ModelError } from "../errors.ts";
import { requireInput, requireOutput, withShape } from "./check.ts";
import { defineMove } from "./move.ts";
import type { BlockedDimension, SpaceBatchAttrs } from "./space-batch.ts";
import { imageShape, prepareSpaceBatch, spaceBatchMoves } from "./space-batch.ts";

/**
 * SPACE_TO_BATCH_ND, padded with the output's zero point as TensorFlow Lite does. Reference: TFLite
 * reference/space_to_batch_nd.h.
 */
export const spaceToBatchNd = defineMove<SpaceBatchAttrs>({
  name: "spaceToBatchNd",
  tflite: { builtin: 38, read: () => undefined },

  prepare(inputs, outputs) {
    const attrs = prepareSpaceBatch(inputs, outputs);
    const { shape, name } = requireInput(inputs, 0, "input");
    const [, height, width] = imageShape(shape);
    const divides = (size: number, { block, before, after }: BlockedDimension): boolean =>
      (size + before + after) % block === 0;
    if (divides(height, attrs.rows) && divides(width, attrs.columns)) return attrs;
    throw new ModelError(
      "bad-block",
      `"${name}" [${shape.join(", ")}] with its padding is no multiple of blocks of ${attrs.rows.block} × ${attrs.columns.block}; export the model again`,
    );
  },

  infer: ([input], { rows, columns }, outputs) => {
    const shape = input?.shape ?? [];
    const [batches, height, width, channels] = imageShape(shape);
    const made = [
      batches * rows.block * columns.block,
      (height + rows.before + rows.after) / rows.block,
      (width + columns.before + columns.after) / columns.block,
      channels,
    ];
    return [withShape(requireOutput(outputs), shape.length === 3 ? made.toSpliced(2, 1) : made)];
  },

  background({ attrs: { rows, columns }, outputs }) {
    const isPadded = [rows, columns].some(({ before, after }) => before + after > 0);
    return isPadded ? (requireOutput(outputs).quantization?.zeroPoints[0] ?? 0) : undefined;
  },

  moves: ({ attrs, inputs, outputs }) =>
    spaceBatchMoves(requireInput(inputs, 0, "input").shape, requireOutput(outputs).shape, attrs, true),
});
