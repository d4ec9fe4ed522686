import { LogSoftmaxField as Field } from "../../src/plan/format.ts";
import { expOnNegative, logOfSum } from "../fixed-functions.ts";
import { clamp, multiplyByQuantizedMultiplier, roundingShift } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";

/**
 *   out[r, i] = 16 · (x − log Σ_j exp(x_j)) + 127,   x = scale · (in[r, i] − max in[r])
 *
 * in   int8 [rows, depth]
 * out  int8 [rows, depth], scale 1/16, zero point 127; may begin at `in` or below it
 *
 * In fixed point as softmax: differences and the logarithm Q5.26, the sum of exponentials Q12.19. Reference: TFLite
 * reference/log_softmax.h.
 */
export function logSoftmax(record: usize): void {
  const rows = field(record, Field.rows);
  const depth = address(record, Field.depth);
  const multiplier = field(record, Field.multiplier);
  const shift = field(record, Field.shift);
  const diffMin = field(record, Field.diffMin);
  let from = address(record, Field.input);
  let to = address(record, Field.output);
  for (let row = 0; row < rows; row++) {
    let largest = -128;
    for (let i: usize = 0; i < depth; i++) largest = max(largest, loadActivation(from + i));
    let sum = 0;
    for (let i: usize = 0; i < depth; i++) {
      const difference = loadActivation(from + i) - largest;
      if (difference < diffMin) continue;
      sum += roundingShift(expOnNegative(multiplyByQuantizedMultiplier(difference, multiplier, shift)), 12);
    }
    const logarithm = logOfSum(sum);
    // What is further below the maximum would leave Q5.26.
    const least = multiplyByQuantizedMultiplier(
      logarithm + i32.MIN_VALUE,
      field(record, Field.reverseMultiplier),
      field(record, Field.reverseShift),
    );
    const limit = max(diffMin - 1, least);
    for (let i: usize = 0; i < depth; i++) {
      const difference = loadActivation(from + i) - largest;
      let value = -128;
      if (difference > limit) {
        const x = multiplyByQuantizedMultiplier(difference, multiplier, shift);
        value = clamp(roundingShift(x - logarithm, 22) + 127, -128, 127);
      }
      storeActivation(to + i, value);
    }
    from += depth;
    to += depth;
  }
}
