import { ModelError } from "../errors.ts";
import { requireInput, requireOutput, withShape } from "./check.ts";
import { defineMove } from "./move.ts";
import type { SpaceBatchAttrs } from "./space-batch.ts";
import { imageShape, prepareSpaceBatch, spaceBatchMoves } from "./space-batch.ts";

/** BATCH_TO_SPACE_ND. Reference: TFLite reference/batch_to_space_nd.h. */
export const batchToSpaceNd = defineMove<SpaceBatchAttrs>({
  name: "batchToSpaceNd",
  tflite: { builtin: 37, read: () => undefined },

  prepare(inputs, outputs) {
    const attrs = prepareSpaceBatch(inputs, outputs);
    const { shape, name } = requireInput(inputs, 0, "input");
    const [batches, height, width] = imageShape(shape);
    const { rows, columns } = attrs;
    const isSound =
      batches % (rows.block * columns.block) === 0 &&
      height * rows.block > rows.before + rows.after &&
      width * columns.block > columns.before + columns.after;
    if (isSound) return attrs;
    throw new ModelError(
      "bad-block",
      `"${name}" [${shape.join(", ")}] cannot be put together in blocks of ${rows.block} × ${columns.block} less its crops; export the model again`,
    );
  },

  infer: ([input], { rows, columns }, outputs) => {
    const shape = input?.shape ?? [];
    const [batches, height, width, channels] = imageShape(shape);
    const made = [
      batches / (rows.block * columns.block),
      height * rows.block - rows.before - rows.after,
      width * columns.block - columns.before - columns.after,
      channels,
    ];
    return [withShape(requireOutput(outputs), shape.length === 3 ? made.toSpliced(2, 1) : made)];
  },

  moves: ({ attrs, inputs, outputs }) =>
    spaceBatchMoves(requireOutput(outputs).shape, requireInput(inputs, 0, "input").shape, attrs, false),
});
