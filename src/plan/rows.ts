import type { Access, Range, Region } from "./access.ts";
import type { AnyRecord } from "./fields.ts";
import { LIMIT, product, refusal } from "./fields.ts";

/**
 * Rows [y0, y1) of an operand whose rows have `bytes` bytes, each `rowBytes` after the last in a ring of `ringRows`; with
 * rowBytes 0 there is one, which operands of elementwise operators may repeat.
 */
export function rowsOf(
  record: AnyRecord & Readonly<Record<"y0" | "y1", number>>,
  address: number,
  bytes: number,
  rowBytes: number,
  ringRows: number,
  operand: string,
): Region | Range {
  const { y0, y1 } = record;
  const isRepeated = operand === "lhs" || operand === "rhs";
  const sound =
    rowBytes === 0
      ? ringRows === 1 && (isRepeated || y1 - y0 === 1)
      : ringRows >= 1 && rowBytes >= bytes && y1 - y0 <= ringRows;
  if (!(y0 >= 0 && y0 < y1 && y1 < LIMIT && sound && ringRows * rowBytes < LIMIT)) {
    throw refusal(
      "plan-field",
      record,
      `runs rows ${y0} to ${y1}, its ${operand} has ${bytes} bytes every ${rowBytes} in a ring of ${ringRows}`,
    );
  }
  if (rowBytes === 0) return { address, bytes };
  const view = {
    address,
    pixelBytes: bytes,
    rowBytes,
    ringRows,
    height: y1,
    width: 1,
    channels: bytes,
  };
  return { view, y0, y1, c0: 0, c1: bytes, batches: 1, batchBytes: 0 };
}

/** The accesses of one row after another; one by one, because a damaged record may have any number of rows. */
export function* rowByRow(
  accessesOf: (y: number) => readonly Access[],
  y0: number,
  y1: number,
): Generator<Access> {
  for (let y = y0; y < y1; y++) {
    for (const { kind, operand, region } of accessesOf(y)) {
      yield { kind, operand, region: oneRow(region, y) };
    }
  }
}

/** Row `y` of an operand that has rows, or all of one that has none. */
export function oneRow<R extends Access["region"]>(region: R, y: number): R {
  return "view" in region ? { ...region, y0: y, y1: y + 1 } : region;
}

/** Bytes from the first to the last element of nested loops over single bytes. */
export function stridedBytes(
  record: AnyRecord,
  sizes: readonly number[],
  strides: readonly number[],
): number {
  if (strides.some((stride) => stride < 0)) {
    throw refusal("plan-field", record, `has strides ${strides.join(", ")}`);
  }
  return product(
    record,
    sizes.reduce((sum, size, i) => sum + (size - 1) * (strides[i] ?? 0), 1),
  );
}

/** As stridedBytes, for loops that come to each byte once: memory bounds how long they take. */
export function distinctBytes(
  record: AnyRecord,
  sizes: readonly number[],
  strides: readonly number[],
): number {
  const bytes = stridedBytes(record, sizes, strides);
  if (product(record, ...sizes) <= bytes) return bytes;
  throw refusal("plan-field", record, `has sizes ${sizes.join(" × ")} and strides ${strides.join(", ")}`);
}
