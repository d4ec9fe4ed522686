import { View } from "../../src/plan/format.ts";
import { stage, stagedElementBytes, stageZeroPoint } from "../micro/staging.ts";
import { address, field, rowAddress } from "../record.ts";

/** Stages columns [first, first + count) of an input row, zIn where they or the row lie outside. */
export function stageRow(
  destination: usize,
  input: usize,
  inputBatch: usize,
  row: i32,
  first: i32,
  count: i32,
  zeroPoint: i32,
): void {
  const depth = field(input, View.channels);
  const begin = min(max(-first, 0), count);
  const end = min(field(input, View.width) - first, count);
  if (row < 0 || row >= field(input, View.height) || begin >= end) {
    stageZeroPoint(destination, zeroPoint, count * depth);
    return;
  }
  const element = stagedElementBytes();
  stageZeroPoint(destination, zeroPoint, begin * depth);
  const pixelBytes = address(input, View.pixelBytes);
  let from = rowAddress(input, row, inputBatch) + <usize>(first + begin) * pixelBytes;
  if (pixelBytes === <usize>depth) {
    stage(destination + <usize>(begin * depth) * element, from, (end - begin) * depth);
  } else {
    for (let column = begin; column < end; column++) {
      stage(destination + <usize>(column * depth) * element, from, depth);
      from += pixelBytes;
    }
  }
  stageZeroPoint(destination + <usize>(end * depth) * element, zeroPoint, (count - end) * depth);
}
