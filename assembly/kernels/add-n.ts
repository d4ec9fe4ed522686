import { AddNField as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";

/** Bits that a sum is shifted left by: 20, less one because operands are halved, which is exact. */
const SHIFT = 19;

/**
 *   out[i] = clamp(zOut + requantize((−zIn + Σ_k (in_k[i] − zIn)) << 19))
 *
 * in_k, out  int8 [length], all inputs of one scale; the output may be any of them, or begin below it
 *
 * The sum begins at −zIn, as the reference's does. No overflow with up to 15 inputs: 16 · 255 < 2^12. Reference: TFLite
 * reference/add_n.h, int8.
 */
export function addN(record: usize): void {
  const length = address(record, Field.length);
  const count = field(record, Field.count);
  const outputZeroPoint = field(record, Field.outputZeroPoint);
  const multiplier = field(record, Field.multiplier);
  const shift = field(record, Field.shift);
  const start = -(count + 1) * field(record, Field.inputZeroPoint);
  const out = address(record, Field.output);
  for (let i: usize = 0; i < length; i++) {
    let sum = start;
    for (let k = 0; k < count; k++) sum += loadActivation(address(record, Field.input0 + k) + i);
    const scaled = multiplyByQuantizedMultiplier(sum << SHIFT, multiplier, shift);
    storeActivation(out + i, clamp(scaled + outputZeroPoint, -128, 127));
  }
}
