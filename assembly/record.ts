import { View } from "../src/plan/format.ts";

/** Word `index` of a record or view. */
export function field(record: usize, index: i32): i32 {
  return load<i32>(record + ((<usize>index) << 2));
}

/** Word `index` of a record, as an address or a byte count. */
export function address(record: usize, index: i32): usize {
  return <usize>load<u32>(record + ((<usize>index) << 2));
}

/** A float32 kept in word `index` of a record. */
export function float(record: usize, index: i32): f32 {
  return load<f32>(record + ((<usize>index) << 2));
}

/** Address of row `row` of the view at `view`, for the batch that starts `batchBytes` after the first. */
export function rowAddress(view: usize, row: i32, batchBytes: usize): usize {
  const ring = ringSlot(row, field(view, View.ringRows));
  return address(view, View.address) + batchBytes + <usize>ring * address(view, View.rowBytes);
}

/** Address of row `row` of the operand at word `operand` of a record, whose ring's rows and length are words `rowBytes` and the next. */
export function ringRow(record: usize, operand: i32, rowBytes: i32, row: i32): usize {
  return (
    address(record, operand) + <usize>ringSlot(row, field(record, rowBytes + 1)) * address(record, rowBytes)
  );
}

/**
 * row mod ringRows. Most tensors are no rings: a branch that is foreseen takes no time, a division a dozen cycles. In mcu, where it is one
 * operation of an interpreter, it is that.
 */
function ringSlot(row: i32, ringRows: i32): i32 {
  if (ASC_FEATURE_SIMD && row < ringRows) return row;
  return row % ringRows;
}
