import { ResizeNearestField as Field, View } from "../../src/plan/format.ts";
import { copyRun } from "../micro/copy-run.ts";
import { address, field, float, rowAddress } from "../record.ts";

/**
 *   out[n, y, x] = in[n, nearest(y), nearest(x)]
 *   nearest(i) = (i + offset) · scale in float32, rounded down or to the nearest, and no more than the last
 *
 * in   [batches, height, width] pixels of any bytes, rows perhaps in a ring
 * out  [batches, outHeight, outWidth] pixels, rows [y0, y1) of it
 *
 * Reference: TFLite reference/resize_nearest_neighbor.h.
 */
export function resizeNearest(record: usize, y0: i32, y1: i32): void {
  const input = record + (Field.inputView << 2);
  const output = record + (Field.outputView << 2);
  const batches = field(record, Field.batches);
  const scaleX = float(record, Field.scaleBitsX);
  const width = field(output, View.width);
  const bytes = address(output, View.channels);
  const fromBytes = address(input, View.pixelBytes);
  const toBytes = address(output, View.pixelBytes);
  const lastRow = field(input, View.height) - 1;
  const lastColumn = field(input, View.width) - 1;
  for (let n = 0; n < batches; n++) {
    const inputBatch = <usize>n * address(record, Field.inputBatchBytes);
    const outputBatch = <usize>n * address(record, Field.outputBatchBytes);
    for (let y = y0; y < y1; y++) {
      const row = nearest(record, y, float(record, Field.scaleBitsY), lastRow);
      const from = rowAddress(input, row, inputBatch);
      let to = rowAddress(output, y, outputBatch);
      for (let x = 0; x < width; x++) {
        copyRun(to, from + <usize>nearest(record, x, scaleX, lastColumn) * fromBytes, bytes);
        to += toBytes;
      }
    }
  }
}

function nearest(record: usize, i: i32, scale: f32, last: i32): i32 {
  const x = (<f32>i + float(record, Field.offsetBits)) * scale;
  let below = <i32>Mathf.floor(x);
  if (field(record, Field.rounds) !== 0 && x - <f32>below >= 0.5) below++;
  return max(min(below, last), 0);
}
