import { PadField } from "../../src/plan/format.ts";
import { field, ringRow } from "../record.ts";
import { storedActivation } from "../storage.ts";

/**
 *   out[y + beforeRows, i + before] = in[y, i], everything else `value`
 *
 * in   int8 rows of [n0, n1, n2, n3, n4], dense
 * out  int8 rows of [before + n + after in each dimension], dense
 *
 * Reference: TFLite reference/pad.h.
 */
export function pad(record: usize, y0: i32, y1: i32): void {
  const beforeRows = field(record, PadField.beforeRows);
  const rows = field(record, PadField.rows);
  for (let y = y0; y < y1; y++) {
    const to = ringRow(record, PadField.output, PadField.outputRowBytes, y);
    const row = y - beforeRows;
    const inside = row >= 0 && row < rows;
    padRow(record, inside, inside ? ringRow(record, PadField.input, PadField.inputRowBytes, row) : 0, to);
  }
}

/** One row, of `value` alone where it is not `inside` the input. */
function padRow(record: usize, inside: bool, from: usize, to: usize): void {
  const value = <u8>storedActivation(field(record, PadField.value));
  const size0 = paddedSize(record, 0);
  const size1 = paddedSize(record, 1);
  const size2 = paddedSize(record, 2);
  const size3 = paddedSize(record, 3);
  const row = field(record, PadField.n4);
  const before = field(record, PadField.before4);
  const after = field(record, PadField.after4);
  for (let i0 = 0; i0 < size0; i0++) {
    const inside0 = inside && isInside(record, 0, i0);
    for (let i1 = 0; i1 < size1; i1++) {
      const inside1 = inside0 && isInside(record, 1, i1);
      for (let i2 = 0; i2 < size2; i2++) {
        const inside2 = inside1 && isInside(record, 2, i2);
        for (let i3 = 0; i3 < size3; i3++) {
          if (inside2 && isInside(record, 3, i3)) {
            memory.fill(to, value, before);
            memory.copy(to + before, from, row);
            memory.fill(to + before + row, value, after);
            from += row;
          } else {
            memory.fill(to, value, before + row + after);
          }
          to += before + row + after;
        }
      }
    }
  }
}

/** Output size of dimension `axis` < 4. */
function paddedSize(record: usize, axis: i32): i32 {
  return (
    field(record, PadField.before0 + axis) +
    field(record, PadField.n0 + axis) +
    field(record, PadField.after0 + axis)
  );
}

/** Whether index `i` of output dimension `axis` is one of the input. */
function isInside(record: usize, axis: i32, i: i32): bool {
  const index = i - field(record, PadField.before0 + axis);
  return index >= 0 && index < field(record, PadField.n0 + axis);
}
