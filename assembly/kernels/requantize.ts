import { RequantizeField } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";

/**
 *   out[i] = clamp(requantize(in[i] − zIn) + zOut)
 *
 * in   int8 [length]
 * out  int8 [length]         may begin at `in` or below it
 *
 * Reference: TFLite reference/requantize.h.
 */
export function requantize(record: usize): void {
  const input = address(record, RequantizeField.input);
  const output = address(record, RequantizeField.output);
  const length = field(record, RequantizeField.length);
  const inputZeroPoint = field(record, RequantizeField.inputZeroPoint);
  const outputZeroPoint = field(record, RequantizeField.outputZeroPoint);
  const multiplier = field(record, RequantizeField.multiplier);
  const shift = field(record, RequantizeField.shift);
  for (let i: usize = 0; i < <usize>length; i++) {
    const centred = loadActivation(input + i) - inputZeroPoint;
    const scaled = multiplyByQuantizedMultiplier(centred, multiplier, shift);
    storeActivation(output + i, clamp(scaled + outputZeroPoint, -128, 127));
  }
}
