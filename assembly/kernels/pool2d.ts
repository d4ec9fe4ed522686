import { AveragePool2dField as Field, View } from "../../src/plan/format.ts";
import { clamp } from "../fixed-point.ts";
import { averages, MAX_CELLS } from "../micro/average.ts";
import { loadEight, loadValues, splatStored, storeEight } from "../micro/eight.ts";
import { address, field, rowAddress } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";

/**
 * Average and maximum pools: their records have the same fields, only what becomes of a window differs. Windows are
 * clipped to the input, so every one has at least one cell.
 *
 * in   int8 [batches, height, width, channels], rows perhaps in a ring
 * out  int8 [batches, outHeight, outWidth, channels], rows [y0, y1) and channels [c0, c1) of it
 */
export function pool2d(record: usize, y0: i32, y1: i32, maximum: bool): void {
  const batches = field(record, Field.batches);
  for (let n = 0; n < batches; n++) {
    const inputBatch = <usize>n * address(record, Field.inputBatchBytes);
    const outputBatch = <usize>n * address(record, Field.outputBatchBytes);
    for (let y = y0; y < y1; y++) {
      poolRow(record, y, inputBatch, outputBatch, maximum);
    }
  }
}

function poolRow(record: usize, y: i32, inputBatch: usize, outputBatch: usize, maximum: bool): void {
  const input = record + (Field.inputView << 2);
  const output = record + (Field.outputView << 2);
  const top = y * field(record, Field.strideY) - field(record, Field.padTop);
  const firstRow = max(top, 0);
  const rows = min(top + field(record, Field.kernelHeight), field(input, View.height)) - firstRow;
  const rowBytes = address(input, View.rowBytes);
  const pixelBytes = address(input, View.pixelBytes);
  const row = rowAddress(input, firstRow, inputBatch);
  const ringBytes = address(input, View.ringRows) * rowBytes;
  const ringEnd = rowAddress(input, 0, inputBatch) + ringBytes;
  const inputWidth = field(input, View.width);
  const kernelWidth = field(record, Field.kernelWidth);
  const strideX = field(record, Field.strideX);
  const c0 = address(record, Field.c0);
  const c1 = address(record, Field.c1);
  const activationMin = field(record, Field.activationMin);
  const activationMax = field(record, Field.activationMax);
  const width = field(output, View.width);
  const outputPixelBytes = address(output, View.pixelBytes);

  let out = rowAddress(output, y, outputBatch);
  let left = -field(record, Field.padLeft);
  for (let x = 0; x < width; x++) {
    const firstColumn = max(left, 0);
    const columns = min(left + kernelWidth, inputWidth) - firstColumn;
    const window = row + <usize>firstColumn * pixelBytes;
    let c = c0;
    if (ASC_FEATURE_SIMD && (maximum || rows * columns <= MAX_CELLS)) {
      for (; c + 8 <= c1; c += 8) {
        const at = window + c;
        const values = maximum
          ? windowMaxima(at, rows, columns, rowBytes, pixelBytes, ringEnd, ringBytes)
          : windowAverages(at, rows, columns, rowBytes, pixelBytes, ringEnd, ringBytes);
        storeEight(out + c, values, splatStored(activationMin), splatStored(activationMax));
      }
    }
    for (; c < c1; c++) {
      const at = window + c;
      const value = maximum
        ? windowMaximum(at, rows, columns, rowBytes, pixelBytes, ringEnd, ringBytes)
        : windowAverage(at, rows, columns, rowBytes, pixelBytes, ringEnd, ringBytes);
      storeActivation(out + c, clamp(value, activationMin, activationMax));
    }
    out += outputPixelBytes;
    left += strideX;
  }
}

/** One channel of a window that begins at `at`; a row at or past `ringEnd` lies `ringBytes` before. */
function windowAverage(
  at: usize,
  rows: i32,
  columns: i32,
  rowBytes: usize,
  pixelBytes: usize,
  ringEnd: usize,
  ringBytes: usize,
): i32 {
  let sum = 0;
  let row = at;
  for (let y = 0; y < rows; y++) {
    let pixel = row;
    for (let x = 0; x < columns; x++) {
      sum += loadActivation(pixel);
      pixel += pixelBytes;
    }
    row += rowBytes;
    if (row >= ringEnd) row -= ringBytes;
  }
  const count = rows * columns;
  const half = count >> 1;
  return (sum > 0 ? sum + half : sum - half) / count;
}

/** As windowAverage. */
function windowMaximum(
  at: usize,
  rows: i32,
  columns: i32,
  rowBytes: usize,
  pixelBytes: usize,
  ringEnd: usize,
  ringBytes: usize,
): i32 {
  let greatest = -128;
  let row = at;
  for (let y = 0; y < rows; y++) {
    let pixel = row;
    for (let x = 0; x < columns; x++) {
      greatest = max(greatest, loadActivation(pixel));
      pixel += pixelBytes;
    }
    row += rowBytes;
    if (row >= ringEnd) row -= ringBytes;
  }
  return greatest;
}

/** As windowAverage, of eight channels as int16 in storage form; at most MAX_CELLS cells. */
function windowAverages(
  at: usize,
  rows: i32,
  columns: i32,
  rowBytes: usize,
  pixelBytes: usize,
  ringEnd: usize,
  ringBytes: usize,
): v128 {
  let low = i32x4.splat(0);
  let high = i32x4.splat(0);
  let row = at;
  for (let y = 0; y < rows; y++) {
    let pixel = row;
    for (let x = 0; x < columns; x++) {
      const values = loadValues(pixel);
      low = i32x4.add(low, i32x4.extend_low_i16x8_s(values));
      high = i32x4.add(high, i32x4.extend_high_i16x8_s(values));
      pixel += pixelBytes;
    }
    row += rowBytes;
    if (row >= ringEnd) row -= ringBytes;
  }
  return averages(low, high, rows * columns);
}

/** As windowMaximum, of eight channels as int16 in storage form. */
function windowMaxima(
  at: usize,
  rows: i32,
  columns: i32,
  rowBytes: usize,
  pixelBytes: usize,
  ringEnd: usize,
  ringBytes: usize,
): v128 {
  let greatest = loadEight(at);
  let row = at;
  for (let y = 0; y < rows; y++) {
    let pixel = row;
    for (let x = 0; x < columns; x++) {
      greatest = i16x8.max_s(greatest, loadEight(pixel));
      pixel += pixelBytes;
    }
    row += rowBytes;
    if (row >= ringEnd) row -= ringBytes;
  }
  return greatest;
}
