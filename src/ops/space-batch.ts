import { ModelError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import { listed, requireInput, requireInputCount, requireInts, requireRank } from "./check.ts";
import type { CopyLoop } from "./copy.ts";
import type { Move } from "./move.ts";
import { requireMoved, strides } from "./move.ts";

/** One of the two spatial dimensions. */
export interface BlockedDimension {
  /** Neighbours that lie in different batches. */
  readonly block: number;
  /** Elements around the image: padding that is added, or crops that are taken off. */
  readonly before: number;
  readonly after: number;
}

export interface SpaceBatchAttrs {
  readonly rows: BlockedDimension;
  readonly columns: BlockedDimension;
}

const WHOLE: BlockedDimension = { block: 1, before: 0, after: 0 };

/** Larger borders are none of an image. */
const MAX_SIZE = 2 ** 15;
/** Elements of a block: each has a record of its own. */
const MAX_BLOCK = 1024;

/**
 * Attributes of SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: an image of one spatial dimension has one column.
 * @throws ModelError bad-block, and as requireInts
 */
export function prepareSpaceBatch(
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
): SpaceBatchAttrs {
  requireInputCount(inputs, 3, 3);
  const input = requireInput(inputs, 0, "input");
  requireMoved(input, outputs);
  requireRank(input, "input", 3, 4);
  const blocks = requireInts(requireInput(inputs, 1, "block shape"), "block shape");
  const borders = requireInts(requireInput(inputs, 2, "borders"), "borders");
  const spatial = input.shape.length - 2;
  const isSound =
    blocks.length === spatial &&
    borders.length === 2 * spatial &&
    blocks.every((block) => block >= 1) &&
    elementCount(blocks) <= MAX_BLOCK &&
    borders.every((size) => size >= 0 && size < MAX_SIZE);
  if (!isSound) {
    throw new ModelError(
      "bad-block",
      `"${input.name}" [${input.shape.join(", ")}] has blocks ${listed(blocks)} and borders ${listed(borders)}; ` +
        `one block and two borders per spatial dimension are needed, blocks of at most ${MAX_BLOCK} elements: export the model again`,
    );
  }
  const [rows = WHOLE, columns = WHOLE] = blocks.map((block, i) => ({
    block,
    before: borders[2 * i] ?? 0,
    after: borders[2 * i + 1] ?? 0,
  }));
  return { rows, columns };
}

/** [batches, height, width, channels], of rank 3 with a width of 1. */
export function imageShape(shape: readonly number[]): readonly [number, number, number, number] {
  const [batches = 1, height = 1, width = 1, channels = 1] =
    shape.length === 3 ? [shape[0], shape[1], 1, shape[2]] : shape;
  return [batches, height, width, channels];
}

/**
 * Pixel (y, x) of the image, counted with its border, is pixel (y / block, x / block) of the batch that its place in the block
 * names. One move per place, of those pixels that lie in the image.
 */
export function spaceBatchMoves(
  image: readonly number[],
  blocked: readonly number[],
  { rows, columns }: SpaceBatchAttrs,
  toBatch: boolean,
): Move[] {
  const [batches, height, width, channels] = imageShape(image);
  const [, blockedHeight, blockedWidth] = imageShape(blocked);
  const [imageBatch = 0, imageRow = 0, imagePixel = 0] = strides([batches, height, width, channels]);
  const [blockedBatch = 0, blockedRow = 0, blockedPixel = 0] = strides([
    1,
    blockedHeight,
    blockedWidth,
    channels,
  ]);
  const moves: Move[] = [];
  for (let y = 0; y < rows.block; y++) {
    for (let x = 0; x < columns.block; x++) {
      const row = inside(y, rows, height, blockedHeight);
      const column = inside(x, columns, width, blockedWidth);
      if (row.count <= 0 || column.count <= 0) continue;
      const loops: (readonly [number, number, number])[] = [
        [batches, imageBatch, blockedBatch],
        [row.count, imageRow * rows.block, blockedRow],
        [column.count, imagePixel * columns.block, blockedPixel],
        [channels, 1, 1],
      ];
      const inImage = row.image * imageRow + column.image * imagePixel;
      const inBlocked =
        (y * columns.block + x) * batches * blockedBatch +
        row.blocked * blockedRow +
        column.blocked * blockedPixel;
      moves.push({
        from: toBatch ? inImage : inBlocked,
        to: toBatch ? inBlocked : inImage,
        loops: loops.map(([size, image, blocked]): CopyLoop => ({
          size,
          input: toBatch ? image : blocked,
          output: toBatch ? blocked : image,
        })),
      });
    }
  }
  return moves;
}

/** Of the indices i · block + place − before: the first that lies in the image, as i and there, and how many do. */
function inside(
  place: number,
  { block, before }: BlockedDimension,
  size: number,
  blockedSize: number,
): { readonly blocked: number; readonly image: number; readonly count: number } {
  const first = Math.max(Math.ceil((before - place) / block), 0);
  const image = first * block + place - before;
  return { blocked: first, image, count: Math.min(Math.ceil((size - image) / block), blockedSize - first) };
}
