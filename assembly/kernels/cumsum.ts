import { CumsumField as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";

/** Bits that a sum is shifted left by: 20, less one because operands are halved, which is exact. */
const SHIFT = 19;

/**
 *   out[o, k, i] = clamp(zOut + requantize((−zIn + Σ_{j ≤ k} (in[o, j, i] − zIn)) << 19))
 *
 * in, out  int8 [outer, size, inner], dense, apart from each other
 *
 * The sum begins at −zIn, as the reference's does; it wraps as an int32. With `exclusive` j < k, with `reverse` from the end.
 * Reference: TFLite reference/cumsum.h.
 */
export function cumsum(record: usize): void {
  const outer = field(record, Field.outer);
  const size = field(record, Field.size);
  const inner = address(record, Field.inner);
  const exclusive = field(record, Field.exclusive) !== 0;
  const reverse = field(record, Field.reverse) !== 0;
  const zeroPoint = field(record, Field.inputZeroPoint);
  const outputZeroPoint = field(record, Field.outputZeroPoint);
  const multiplier = field(record, Field.multiplier);
  const shift = field(record, Field.shift);
  const first = reverse ? <usize>(size - 1) * inner : 0;
  const step = reverse ? 0 - inner : inner;
  for (let o = 0; o < outer; o++) {
    const base = <usize>o * <usize>size * inner + first;
    for (let i: usize = 0; i < inner; i++) {
      let from = address(record, Field.input) + base + i;
      let to = address(record, Field.output) + base + i;
      let sum = -zeroPoint;
      for (let j = 0; j < size; j++) {
        const before = sum;
        sum += loadActivation(from) - zeroPoint;
        const scaled = multiplyByQuantizedMultiplier((exclusive ? before : sum) << SHIFT, multiplier, shift);
        storeActivation(to, clamp(scaled + outputZeroPoint, -128, 127));
        from += step;
        to += step;
      }
    }
  }
}
