import { InputField } from "../../src/plan/format.ts";
import { input_row } from "../host.ts";
import { address, field, ringRow } from "../record.ts";
import { flipBytes } from "../micro/flip-bytes.ts";
import { UNSIGNED } from "../storage.ts";

/** Rows [y0, y1) of a model's input, from the host; int8 in storage form afterwards. */
export function input(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) {
    const row = ringRow(record, InputField.output, InputField.rowBytes, y);
    input_row(field(record, InputField.input), y, row);
    if (UNSIGNED) {
      if (field(record, InputField.isInt8) !== 0) flipBytes(row, address(record, InputField.rowBytes));
    }
  }
}
