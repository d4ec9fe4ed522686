import { SelectField as Field } from "../../src/plan/format.ts";
import { copyRun } from "../micro/copy-run.ts";
import { address, field } from "../record.ts";

/**
 *   out[i] = condition[i] ? chosen[i] : other[i]
 *
 * condition  bool; chosen, other any type; strides 0 where repeated
 * out        [n0, n1, n2, n3, n4], dense; no operand may meet it
 *
 * Reference: TFLite reference/select.h.
 */
export function select(record: usize): void {
  const elements =
    field(record, Field.n0) *
    field(record, Field.n1) *
    field(record, Field.n2) *
    field(record, Field.n3) *
    field(record, Field.n4);
  const bytes = address(record, Field.elementBytes);
  let to = address(record, Field.output);
  for (let i = 0; i < elements; i++) {
    const chosen = load<u8>(address(record, Field.condition) + offsetOf(record, i, Field.conditionStride0));
    const from =
      chosen !== 0
        ? address(record, Field.chosen) + bytes * offsetOf(record, i, Field.chosenStride0)
        : address(record, Field.other) + bytes * offsetOf(record, i, Field.otherStride0);
    copyRun(to, from, bytes);
    to += bytes;
  }
}

/** Elements from an operand's first to that of output `index`. */
function offsetOf(record: usize, index: i32, strides: i32): usize {
  let rest = index;
  let offset = 0;
  for (let d = 4; d >= 0; d--) {
    const size = field(record, Field.n0 + d);
    offset += (rest % size) * field(record, strides + d);
    rest /= size;
  }
  return <usize>offset;
}
