import { Conv2dField, View } from "../../src/plan/format.ts";
import { blockHeadBytes, epilogueBytes } from "../micro/epilogue.ts";
import { stagedElementBytes } from "../micro/staging.ts";
import {
  multiplyTiles,
  storeOutputs,
  SUM_BYTES,
  TILES,
  transformedBytes,
  transformTile,
} from "../micro/winograd-tile.ts";
import { address, field, rowAddress } from "../record.ts";
import { prepareRequantization, requantizationOf } from "./requantization.ts";
import { stageRow } from "./stage-row.ts";

/**
 * conv2d (conv2d.ts) of a 3×3 kernel at stride 1, by tiles of 2×2 outputs: bit for bit the same sums by 16 products instead of 36.
 *
 * w     int16, transformed and packed in blocks of channels: src/plan/packing.ts
 *
 * A pair of rows at a time; four tiles are transformed together and multiplied with all weights.
 */
export function conv2dWinograd(record: usize, y0: i32, y1: i32): void {
  prepareRequantization(record);
  const batches = field(record, Conv2dField.batches);
  for (let n = 0; n < batches; n++) {
    const inputBatch = <usize>n * address(record, Conv2dField.inputBatchBytes);
    const outputBatch = <usize>n * address(record, Conv2dField.outputBatchBytes);
    for (let y = y0; y < y1; y += 2) twoRows(record, y, min(y1 - y, 2), inputBatch, outputBatch);
  }
}

function twoRows(record: usize, y: i32, rows: i32, inputBatch: usize, outputBatch: usize): void {
  const input = record + (Conv2dField.inputView << 2);
  const output = record + (Conv2dField.outputView << 2);
  const inDepth = field(input, View.channels);
  const width = field(output, View.width);
  const c0 = field(record, Conv2dField.c0);
  const channels = field(record, Conv2dField.c1) - c0;
  const head = blockHeadBytes(requantizationOf(record));
  const constants = address(record, Conv2dField.scratch);
  // Of 8 input channels; those beyond the last meet weights of 0.
  const pairs = ((inDepth + 7) >> 3) << 2;
  const tiles = (width + 1) >> 1;
  const columns = 2 * tiles + 2;
  const columnBytes = <usize>inDepth * stagedElementBytes();
  const rowBytes = ((<usize>columns * columnBytes + 15) & ~15) + 16;
  const staging = constants + epilogueBytes();
  const transformed = staging + 4 * rowBytes;
  const sums = transformed + transformedBytes(pairs);
  const blockBytes = head + (transformedBytes(pairs) << 1);

  // What the row below would need beside is not there, perhaps, and what is staged instead comes to nothing.
  for (let i = 0; i < rows + 2; i++) {
    stageRow(
      staging + <usize>i * rowBytes,
      input,
      inputBatch,
      y + i - field(record, Conv2dField.padTop),
      -field(record, Conv2dField.padLeft),
      columns,
      field(record, Conv2dField.inputZeroPoint),
    );
  }

  const right = address(output, View.pixelBytes);
  const to = rowAddress(output, y, outputBatch) + c0;
  const below = rows > 1 ? rowAddress(output, y + 1, outputBatch) + c0 - to : 0;
  for (let tile = 0; tile < tiles; tile += TILES) {
    const count = min(tiles - tile, TILES);
    for (let t = 0; t < count; t++) {
      const first = staging + <usize>(2 * (tile + t)) * columnBytes;
      transformTile(first, rowBytes, columnBytes, pairs, transformed + ((<usize>t) << 2));
    }
    let block = address(record, Conv2dField.weights);
    for (let c = 0; c < channels; c += 8) {
      multiplyTiles(transformed, pairs, block + head, sums);
      for (let t = 0; t < count; t++) {
        const x = 2 * (tile + t);
        storeOutputs(
          sums + ((<usize>t) << 5),
          block,
          constants,
          channels - c,
          to + <usize>x * right + c,
          x + 1 < width ? right : 0,
          below,
        );
      }
      block += blockBytes;
    }
  }
}
