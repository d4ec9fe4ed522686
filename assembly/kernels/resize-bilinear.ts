import { ResizeBilinearField as Field, View } from "../../src/plan/format.ts";
import { blendPixels } from "../micro/blend.ts";
import { address, field, rowAddress } from "../record.ts";

/** Positions have 10 bits behind the point. */
const ONE = 1024;

/**
 *   out[n, y, x, c] = (Σ of the four cells around (y, x), each times its weights) / 2^20, rounded to the nearest, halves away from 0
 *
 * in   int8 [batches, height, width, channels], rows perhaps in a ring
 * out  int8 [batches, outHeight, outWidth, channels], rows [y0, y1) of it; input and output share scale and zero point
 *
 * A weight is below 1536 and above −512, and the four sum to 2^20: partial sums stay within 128 · 2^22.
 * Reference: TFLite reference/resize_bilinear.h, ResizeBilinearInteger.
 */
export function resizeBilinear(record: usize, y0: i32, y1: i32): void {
  const batches = field(record, Field.batches);
  for (let n = 0; n < batches; n++) {
    for (let y = y0; y < y1; y++) resizeRow(record, y, <usize>n);
  }
}

function resizeRow(record: usize, y: i32, batch: usize): void {
  const input = record + (Field.inputView << 2);
  const output = record + (Field.outputView << 2);
  const lastRow = field(input, View.height) - 1;
  const lastColumn = field(input, View.width) - 1;
  const position = y * field(record, Field.scaleY) + field(record, Field.offsetY);
  const low = lowCell(position, lastRow);
  const high = highCell(position, lastRow, low);
  const inputBatch = batch * address(record, Field.inputBatchBytes);
  const upper = rowAddress(input, low, inputBatch);
  const lower = rowAddress(input, high, inputBatch);
  const downWeight = position - ONE * low;
  const pixelBytes = address(input, View.pixelBytes);
  const channels = address(output, View.channels);
  const width = field(output, View.width);
  const scaleX = field(record, Field.scaleX);
  let column = field(record, Field.offsetX);
  let to = rowAddress(output, y, batch * address(record, Field.outputBatchBytes));
  for (let x = 0; x < width; x++) {
    const left = lowCell(column, lastColumn);
    const right = highCell(column, lastColumn, left);
    const leftBytes = <usize>left * pixelBytes;
    const rightBytes = <usize>right * pixelBytes;
    blendPixels(
      to,
      upper + leftBytes,
      upper + rightBytes,
      lower + leftBytes,
      lower + rightBytes,
      channels,
      column - ONE * left,
      downWeight,
    );
    column += scaleX;
    to += address(output, View.pixelBytes);
  }
}

/** The cell at or before a position, of those that there are. */
function lowCell(position: i32, last: i32): i32 {
  return min(max(position / ONE, 0), last);
}

/** The cell at or behind a position. */
function highCell(position: i32, last: i32, low: i32): i32 {
  return max(min((position + ONE - 1) / ONE, last), low);
}
