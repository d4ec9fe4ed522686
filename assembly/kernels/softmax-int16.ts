import { SoftmaxInt16Field as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";

/** Bytes of one table: 513 int16. */
const TABLE: usize = 1026;

/**
 *   out[r, i] = 2^15 · e[i] / Σ_j e[j],   e[j] = exp(beta · scale · (in[r, j] − max in[r]))
 *
 * in, out  int16 [rows, depth], out of scale 1/32768 and zero point 0; it may begin at `in` or below it
 * tables   of exp over [−10, 0], then of 1 / (1 + x) over [0, 1], in Q0.15
 *
 * Exponentials wait in the output for their sum. The sum stays within int32 while depth ≤ 2^16, and is 32767 or nearly so at least;
 * e · reciprocal + half < 2^31. Reference: TFLite reference/softmax.h, SoftmaxInt16.
 */
export function softmaxInt16(record: usize): void {
  const rows = field(record, Field.rows);
  const depth = field(record, Field.depth);
  const multiplier = field(record, Field.multiplier);
  const shift = field(record, Field.shift);
  const exponentials = address(record, Field.weights);
  const reciprocals = exponentials + TABLE;
  let from = address(record, Field.input);
  let to = address(record, Field.output);
  for (let row = 0; row < rows; row++) {
    const end = from + ((<usize>depth) << 1);
    let largest = -32768;
    for (let at = from; at < end; at += 2) largest = max(largest, <i32>load<i16>(at));
    let sum = 0;
    let made = to;
    for (; from < end; from += 2) {
      const difference = multiplyByQuantizedMultiplier(<i32>load<i16>(from) - largest, multiplier, shift);
      const e = interpolated(clamp(difference + 32767, -32768, 32767), exponentials);
      store<i16>(made, <i16>e);
      sum += e;
      made += 2;
    }
    // sum = 2^(31 − headroom) · (1 + fraction), the fraction in Q0.16 less a half.
    const headroom = <i32>clz(sum);
    const fraction = <i32>((((<i64>sum) << (headroom - 1)) + (1 << 13)) >> 14) - 3 * (1 << 15);
    const reciprocal = interpolated(clamp(fraction, -32768, 32767), reciprocals);
    const right = 31 - headroom;
    const half = 1 << (right - 1);
    for (; to < made; to += 2) {
      const share = (<i32>load<i16>(to) * reciprocal + half) >> right;
      store<i16>(to, <i16>clamp(share, 0, 32767));
    }
  }
}

/** The table's function of an int16: between its 512 steps of 2^7. */
function interpolated(x: i32, table: usize): i32 {
  const at = table + ((<usize>(256 + (x >> 7))) << 1);
  const low = <i32>load<i16>(at);
  const slope = <i32>load<i16>(at, 2) - low;
  return low + ((slope * (x & 127) + 64) >> 7);
}
