import { Pool2dInt16Field as Field } from "../../src/plan/format.ts";
import { clamp } from "../fixed-point.ts";
import { address, field } from "../record.ts";

/**
 * As pool2d.ts of int16: the average, rounded to the nearest, or the maximum of the cells of a window that lie in the input.
 *
 * in, out  int16 NHWC, apart. Reference: TFLite reference/integer_ops/pooling.h.
 */
export function pool2dInt16(record: usize): void {
  const batches = field(record, Field.batches);
  const height = field(record, Field.outputHeight);
  const width = field(record, Field.outputWidth);
  const channels = field(record, Field.channels);
  let out = address(record, Field.output);
  for (let n = 0; n < batches; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          store<i16>(out, <i16>window(record, n, y, x, c));
          out += 2;
        }
      }
    }
  }
}

function window(record: usize, n: i32, y: i32, x: i32, c: i32): i32 {
  const height = field(record, Field.inputHeight);
  const width = field(record, Field.inputWidth);
  const channels = field(record, Field.channels);
  const top = y * field(record, Field.strideY) - field(record, Field.padTop);
  const left = x * field(record, Field.strideX) - field(record, Field.padLeft);
  const firstRow = max(top, 0);
  const endRow = min(top + field(record, Field.kernelHeight), height);
  const firstColumn = max(left, 0);
  const endColumn = min(left + field(record, Field.kernelWidth), width);
  let sum = 0;
  let greatest = -32768;
  for (let row = firstRow; row < endRow; row++) {
    for (let column = firstColumn; column < endColumn; column++) {
      const index = <usize>(((n * height + row) * width + column) * channels + c);
      const value = <i32>load<i16>(address(record, Field.input) + (index << 1));
      sum += value;
      greatest = max(greatest, value);
    }
  }
  let value = greatest;
  if (field(record, Field.maximum) === 0) {
    const cells = (endRow - firstRow) * (endColumn - firstColumn);
    value = cells > 0 ? (sum > 0 ? sum + cells / 2 : sum - cells / 2) / cells : 0;
  }
  return clamp(value, field(record, Field.activationMin), field(record, Field.activationMax));
}
