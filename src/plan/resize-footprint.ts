import type { Footprint } from "./access.ts";
import { read, write } from "./access.ts";
import type { Placed } from "./fields.ts";
import { atLeast, LIMIT, refusal } from "./fields.ts";
import { CELL_PARTS } from "./format.ts";
import type { RecordOf } from "./record.ts";
import { checkView } from "./spatial-footprint.ts";

type Resize = (RecordOf<"resizeBilinear"> | RecordOf<"resizeNearest">) & Placed;

export function resizeBilinearFootprint(record: RecordOf<"resizeBilinear"> & Placed): Footprint {
  const { inputView, outputView, scaleY, scaleX, offsetY, offsetX } = record;
  atLeast(record, 0, ["scaleY", "scaleX"]);
  // Weights stay small, and positions within int32.
  const reach = [outputView.height * scaleY, outputView.width * scaleX].map(Math.abs);
  if (
    Math.max(...reach) >= LIMIT / 2 ||
    Math.min(offsetY, offsetX) < -CELL_PARTS ||
    Math.max(offsetY, offsetX) >= LIMIT / 2
  ) {
    throw refusal(
      "plan-field",
      record,
      `has positions up to ${reach.join(" × ")} from ${offsetY}, ${offsetX} on`,
    );
  }
  const last = inputView.height - 1;
  return resizeFootprint(record, (y) => {
    const position = y * scaleY + offsetY;
    const low = Math.min(Math.max(Math.trunc(position / CELL_PARTS), 0), last);
    return [low, Math.max(Math.min(Math.trunc((position + CELL_PARTS - 1) / CELL_PARTS), last), low)];
  });
}

export function resizeNearestFootprint(record: RecordOf<"resizeNearest"> & Placed): Footprint {
  const [scaleY = NaN, scaleX = NaN, offset = NaN] = new Float32Array(
    Int32Array.of(record.scaleBitsY, record.scaleBitsX, record.offsetBits).buffer,
  );
  const { inputView, outputView, rounds } = record;
  const isSmall = (scale: number, size: number): boolean => scale >= 0 && scale * (size + 1) < 2 ** 30;
  if (!(
    isSmall(scaleY, outputView.height) &&
    isSmall(scaleX, outputView.width) &&
    offset >= 0 &&
    offset < 1
  )) {
    throw refusal("plan-field", record, `has scales ${scaleY} × ${scaleX} from ${offset} on`);
  }
  const last = inputView.height - 1;
  return resizeFootprint(record, (y) => {
    const x = Math.fround(Math.fround(y + offset) * scaleY);
    const below = Math.floor(x);
    const row = Math.max(Math.min(rounds !== 0 && x - below >= 0.5 ? below + 1 : below, last), 0);
    return [row, row];
  });
}

/** All rows are written before any is read; a row of a ring is read and written once. */
function resizeFootprint(record: Resize, sources: (y: number) => readonly [number, number]): Footprint {
  atLeast(record, 1, ["batches"]);
  atLeast(record, 0, ["y0", "inputBatchBytes", "outputBatchBytes"]);
  checkView(record, "inputView", record.inputBatchBytes);
  checkView(record, "outputView", record.outputBatchBytes);
  const { inputView, outputView, y0, y1, batches } = record;
  const [first] = sources(y0);
  const [, last] = sources(y1 - 1);
  const sound =
    y0 < y1 &&
    y1 <= outputView.height &&
    y1 - y0 <= outputView.ringRows &&
    last - first < inputView.ringRows &&
    inputView.channels === outputView.channels;
  if (!sound) {
    throw refusal(
      "plan-field",
      record,
      `makes rows ${y0} to ${y1} of ${outputView.height} from rows ${first} to ${last}`,
    );
  }
  const { channels } = outputView;
  const made = {
    view: outputView,
    y0,
    y1,
    c0: 0,
    c1: channels,
    batches,
    batchBytes: record.outputBatchBytes,
  };
  const from = {
    view: inputView,
    y0: first,
    y1: last + 1,
    c0: 0,
    c1: channels,
    batches,
    batchBytes: record.inputBatchBytes,
  };
  return { accesses: [write("output", made), read("input", from)] };
}
