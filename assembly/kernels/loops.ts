import { field } from "../record.ts";

/**
 * Offset of iteration `index` of four nested loops, the last innermost: the digits of `index` in the radices n0..n3 at
 * word `sizes` of the record, times the strides at word `strides`.
 */
export function loopOffset(record: usize, index: i32, sizes: i32, strides: i32): usize {
  let rest = index;
  let offset = 0;
  for (let d = 3; d >= 0; d--) {
    const size = field(record, sizes + d);
    offset += (rest % size) * field(record, strides + d);
    rest /= size;
  }
  return <usize>offset;
}
