import { ModelError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { requireInput, requireInputCount, requireOutput, requireRank, withShape } from "./check.ts";
import type { CopyLoop } from "./copy.ts";
import type { MovingDefinition } from "./move.ts";
import { requireMoved, strides } from "./move.ts";

/** Pixels of a square block, along each side. */
export interface BlockSizeAttrs {
  readonly blockSize: number;
}

/**
 * SPACE_TO_DEPTH and DEPTH_TO_SPACE are each other's inverse: the pixels of a block of the larger image are the channels of one
 * pixel of the other. `toDepth` says which is made. References: TFLite reference/space_to_depth.h, depth_to_space.h.
 */
export function blocksAndDepth(
  toDepth: boolean,
): Pick<MovingDefinition<BlockSizeAttrs>, "prepare" | "infer" | "moves"> {
  return {
    prepare(inputs, outputs, options) {
      requireInputCount(inputs, 1, 1);
      const input = requireInput(inputs, 0, "input");
      requireMoved(input, outputs);
      requireRank(input, "input", 4);
      const blockSize = options as number;
      const [, height = 1, width = 1, channels = 1] = input.shape;
      const divides = toDepth
        ? height % blockSize === 0 && width % blockSize === 0
        : channels % (blockSize * blockSize) === 0;
      if (!(blockSize >= 1 && blockSize < 2 ** 15) || !divides) {
        throw new ModelError(
          "bad-block",
          `"${input.name}" [${input.shape.join(", ")}] has no blocks of ${blockSize} × ${blockSize}; export the model again`,
        );
      }
      return { blockSize };
    },

    infer: ([input], { blockSize }, outputs) => {
      const [batches = 1, height = 1, width = 1, channels = 1] = input?.shape ?? [];
      return [
        withShape(
          requireOutput(outputs),
          toDepth
            ? [batches, height / blockSize, width / blockSize, channels * blockSize * blockSize]
            : [batches, height * blockSize, width * blockSize, channels / (blockSize * blockSize)],
        ),
      ];
    },

    moves({ attrs: { blockSize }, inputs, outputs }) {
      const [input, output] = [requireInput(inputs, 0, "input"), requireOutput(outputs)];
      const [spread, deep] = toDepth ? [input, output] : [output, input];
      const loops = blockLoops(spread, deep, blockSize).map(({ size, spread, deep }): CopyLoop => ({
        size,
        input: toDepth ? spread : deep,
        output: toDepth ? deep : spread,
      }));
      return [{ from: 0, to: 0, loops }];
    },
  };
}

/** Over batches, blocks, and the pixels and channels within one. */
function blockLoops(
  { shape: spreadShape }: Tensor,
  { shape: deepShape }: Tensor,
  blockSize: number,
): { readonly size: number; readonly spread: number; readonly deep: number }[] {
  const [batches = 1, rows = 1, columns = 1] = deepShape;
  const channels = spreadShape[3] ?? 1;
  const [spreadBatch = 0, spreadRow = 0, spreadPixel = 0] = strides(spreadShape);
  const [deepBatch = 0, deepRow = 0, deepPixel = 0] = strides(deepShape);
  return [
    { size: batches, spread: spreadBatch, deep: deepBatch },
    { size: rows, spread: spreadRow * blockSize, deep: deepRow },
    { size: blockSize, spread: spreadRow, deep: blockSize * channels },
    { size: columns, spread: spreadPixel * blockSize, deep: deepPixel },
    { size: blockSize * channels, spread: 1, deep: 1 },
  ];
}
