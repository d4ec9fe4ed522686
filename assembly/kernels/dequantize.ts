import { DequantizeField } from "../../src/plan/format.ts";
import { address, field, float } from "../record.ts";
import { loadActivation } from "../storage.ts";

/**
 *   out[i] = float32(scale · (in[i] − zeroPoint)), the product in double
 *
 * in   int8 [length]
 * out  float32 [length]
 *
 * Reference: TFLite reference/dequantize.h.
 */
export function dequantize(record: usize): void {
  const input = address(record, DequantizeField.input);
  const output = address(record, DequantizeField.output);
  const length = field(record, DequantizeField.length);
  const scale = <f64>float(record, DequantizeField.scaleBits);
  const zeroPoint = field(record, DequantizeField.zeroPoint);
  for (let i: usize = 0; i < <usize>length; i++) {
    store<f32>(output + (i << 2), <f32>(scale * <f64>(loadActivation(input + i) - zeroPoint)));
  }
}
