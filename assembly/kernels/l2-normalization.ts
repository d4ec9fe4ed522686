import { L2NormalizationField as Field } from "../../src/plan/format.ts";
import { inverseSquareRoot } from "../fixed-functions.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";

/** Bits behind the point of the output, of scale 1/128. */
const OUTPUT_BITS = 7;

/**
 *   out[r, i] = (in[r, i] − zIn) / √Σ_j (in[r, j] − zIn)²
 *
 * in   int8 [rows, depth]
 * out  int8 [rows, depth], scale 1/128, zero point 0; may begin at `in` or below it
 *
 * No overflow while depth ≤ 2^15: a square is at most 255². Reference: TFLite reference/integer_ops/l2normalization.h.
 */
export function l2Normalization(record: usize): void {
  const rows = field(record, Field.rows);
  const depth = address(record, Field.depth);
  const zeroPoint = field(record, Field.inputZeroPoint);
  let from = address(record, Field.input);
  let to = address(record, Field.output);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i: usize = 0; i < depth; i++) {
      const x = loadActivation(from + i) - zeroPoint;
      squares += x * x;
    }
    const root = inverseSquareRoot(squares);
    const multiplier = <i32>(root & 0xffffffff);
    const shift = <i32>(root >> 32);
    for (let i: usize = 0; i < depth; i++) {
      const x = loadActivation(from + i) - zeroPoint;
      const value = multiplyByQuantizedMultiplier(x, multiplier, shift + OUTPUT_BITS);
      storeActivation(to + i, clamp(value, -128, 127));
    }
    from += depth;
    to += depth;
  }
}
