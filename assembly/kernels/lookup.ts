import { LookupField as Field } from "../../src/plan/format.ts";
import { address, ringRow } from "../record.ts";

/**
 *   out[i] = table[in[i]]
 *
 * in, out  one byte an element, rows dense; the output may be the input, or begin below it
 * table    256 bytes, by the input's byte unsigned
 *
 * Any function of one int8: it is computed once, by the host. Storage form is part of the table.
 */
export function lookup(record: usize, y0: i32, y1: i32): void {
  const table = address(record, Field.weights);
  const length = address(record, Field.length);
  for (let y = y0; y < y1; y++) {
    let from = ringRow(record, Field.input, Field.inputRowBytes, y);
    let to = ringRow(record, Field.output, Field.outputRowBytes, y);
    const end = to + length;
    // Four at a time, so that the loop costs less than the loads.
    while (to + 4 <= end) {
      const a = load<u8>(table + load<u8>(from));
      const b = load<u8>(table + load<u8>(from, 1));
      const c = load<u8>(table + load<u8>(from, 2));
      const d = load<u8>(table + load<u8>(from, 3));
      store<u8>(to, a);
      store<u8>(to, b, 1);
      store<u8>(to, c, 2);
      store<u8>(to, d, 3);
      from += 4;
      to += 4;
    }
    while (to < end) {
      store<u8>(to, load<u8>(table + load<u8>(from)));
      from++;
      to++;
    }
  }
}
