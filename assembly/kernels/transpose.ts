import { TransposeField } from "../../src/plan/format.ts";
import { address, field } from "../record.ts";

/**
 *   out[i0, i1, i2, i3, i4] = in[i0·stride0 + i1·stride1 + i2·stride2 + i3·stride3 + i4·stride4]
 *
 * out  int8 [n0, n1, n2, n3, n4], dense; strides in bytes
 *
 * Storage form is moved as it is. Reference: TFLite reference/transpose.h.
 */
export function transpose(record: usize): void {
  const n0 = field(record, TransposeField.n0);
  const n1 = field(record, TransposeField.n1);
  const n2 = field(record, TransposeField.n2);
  const n3 = field(record, TransposeField.n3);
  const n4 = field(record, TransposeField.n4);
  const stride3 = address(record, TransposeField.stride3);
  const stride4 = address(record, TransposeField.stride4);
  let to = address(record, TransposeField.output);
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      for (let i2 = 0; i2 < n2; i2++) {
        let run =
          address(record, TransposeField.input) +
          <usize>i0 * address(record, TransposeField.stride0) +
          <usize>i1 * address(record, TransposeField.stride1) +
          <usize>i2 * address(record, TransposeField.stride2);
        for (let i3 = 0; i3 < n3; i3++) {
          if (stride4 === 1) {
            memory.copy(to, run, n4);
          } else {
            let from = run;
            for (let i4 = 0; i4 < n4; i4++) {
              store<u8>(to + i4, load<u8>(from));
              from += stride4;
            }
          }
          to += n4;
          run += stride3;
        }
      }
    }
  }
}
