/** Every export of the kernels. */
import { Head, Op, PLAN_VERSION, Rows } from "../src/plan/format.ts";
import { execute } from "./execute.ts";
import { stream } from "./kernels/stream.ts";
import { tiles } from "./kernels/tiles.ts";
import { relaxedProbe } from "./micro/dot.ts";
import { quantizeValues } from "./micro/quantize-values.ts";
import { address, field } from "./record.ts";

/** PLAN_VERSION that these kernels were compiled with. */
export function planVersion(): i32 {
  return PLAN_VERSION;
}

/** 1 if this engine's instructions do what the variant's arithmetic relies on; uses 64 bytes at `scratch`. */
export function probe(scratch: usize): i32 {
  return i32(relaxedProbe(scratch));
}

/**
 * For the host: `length` float32 values at `source` to int8, not in storage form, at `destination`, which is at `source` or below, or where none of
 * them is.
 */
export function quantizeInput(
  source: usize,
  destination: usize,
  length: i32,
  scale: f32,
  zeroPoint: i32,
): void {
  quantizeValues(source, destination, length, scale, zeroPoint, 0);
}

/**
 * Executes one record, or a stream or tiles with all that belongs to them. Returns the address of the next, or `record` itself at the
 * end and where the operator is unknown.
 */
export function step(record: usize): usize {
  if (field(record, Head.op) === Op.stream) return stream(record);
  if (field(record, Head.op) === Op.tiles) return tiles(record);
  const known = execute(record, field(record, Rows.y0), field(record, Rows.y1));
  return known ? record + (address(record, Head.words) << 2) : record;
}

/** Executes records from `entry` to the end record. Returns 0, or the address of the record that could not be executed. */
export function run(entry: usize): usize {
  let record = entry;
  while (true) {
    const next = step(record);
    if (next === record) return field(record, Head.op) === Op.end ? 0 : record;
    record = next;
  }
}
