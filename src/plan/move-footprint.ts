import type { Access, Footprint } from "./access.ts";
import { read, write } from "./access.ts";
import type { Placed } from "./fields.ts";
import { atLeast, product, refusal, zeroPoints } from "./fields.ts";
import type { RecordOf } from "./record.ts";
import { distinctBytes, oneRow, rowsOf, stridedBytes } from "./rows.ts";

const AXES = [0, 1, 2, 3, 4] as const;

/** Of a record that moves bytes. Its operands must not meet: in each row all is written before anything is read. */
export function copyFootprint(record: RecordOf<"copy"> & Placed): Footprint {
  for (const i of AXES) atLeast(record, 1, [`n${i}`]);
  atLeast(record, 0, ["y0", "input", "output", "inputRowBytes", "outputRowBytes"]);
  const sizes = AXES.map((i) => record[`n${i}`]);
  const from = AXES.map((i) => record[`inputStride${i}`]);
  const to = AXES.map((i) => record[`outputStride${i}`]);
  // From the lowest byte on, which is not the first where a stride is negative.
  const below = from.reduce((sum, stride, i) => sum + Math.min(stride, 0) * ((sizes[i] ?? 1) - 1), 0);
  const first = record.input + below;
  if (first < 0) throw refusal("plan-field", record, `reads from ${first} on`);
  const readBytes = stridedBytes(record, sizes, from.map(Math.abs));
  const input = rowsOf(record, first, readBytes, record.inputRowBytes, record.inputRingRows, "input");
  const { output: address, outputRowBytes, outputRingRows } = record;
  const output = rowsOf(
    record,
    address,
    distinctBytes(record, sizes, to),
    outputRowBytes,
    outputRingRows,
    "output",
  );
  function* accesses(): Generator<Access> {
    for (let y = record.y0; y < record.y1; y++) {
      const row = address + (y % outputRingRows) * outputRowBytes;
      const lap = "view" in output ? Math.floor(y / outputRingRows) : 0;
      yield write("output", { address: row, sizes, strides: to, lap });
      yield read("input", oneRow(input, y));
    }
  }
  return { accesses: accesses() };
}

/** Of a record of PAD. */
export function padFootprint(record: RecordOf<"pad"> & Placed): Footprint {
  for (const i of AXES) {
    atLeast(record, 1, [`n${i}`]);
    atLeast(record, 0, [`before${i}`, `after${i}`]);
  }
  atLeast(record, 0, ["y0", "input", "output", "beforeRows", "inputRowBytes", "outputRowBytes"]);
  atLeast(record, 1, ["rows"]);
  zeroPoints(record, ["value"]);
  const { y0, y1, input, output, beforeRows, rows } = record;
  const sizes = AXES.map((i) => record[`n${i}`]);
  const padded = AXES.map((i) => record[`before${i}`] + record[`n${i}`] + record[`after${i}`]);
  const made = product(record, ...padded);
  const { outputRowBytes, outputRingRows, inputRowBytes, inputRingRows } = record;
  const written = rowsOf(record, output, made, outputRowBytes, outputRingRows, "output");
  const inside = { ...record, y0: Math.max(y0 - beforeRows, 0), y1: Math.min(y1 - beforeRows, rows) };
  if (inside.y0 >= inside.y1) return { accesses: [write("output", written)] };
  const source = rowsOf(inside, input, product(record, ...sizes), inputRowBytes, inputRingRows, "input");
  function* accesses(): Generator<Access> {
    for (let y = y0; y < y1; y++) {
      yield write("output", oneRow(written, y));
      const row = y - beforeRows;
      if (row >= inside.y0 && row < inside.y1) yield read("input", oneRow(source, row));
    }
  }
  return { accesses: accesses() };
}
