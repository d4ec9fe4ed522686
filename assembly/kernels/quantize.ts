import { QuantizeField } from "../../src/plan/format.ts";
import { address, field, float, storeActivation } from "../record.ts";

/**
 *   out[i] = clamp(round(in[i] / scale) + zeroPoint)
 *
 * in   float32 [length]      NaN becomes the zero point
 * out  int8 [length]         may begin at `in` or below it
 *
 * The quotient is float32; halves round away from zero. Reference: TFLite reference/quantize.h.
 */
export function quantize(record: usize): void {
  const input = address(record, QuantizeField.input);
  const output = address(record, QuantizeField.output);
  const length = field(record, QuantizeField.length);
  const scale = float(record, QuantizeField.scaleBits);
  const zeroPoint = <f64>field(record, QuantizeField.zeroPoint);
  for (let i: usize = 0; i < <usize>length; i++) {
    const quotient = <f64>(load<f32>(input + (i << 2)) / scale);
    // The double holds quotient + ½ exactly, so that the floor is that of the float.
    const rounded = quotient < 0 ? -Math.floor(0.5 - quotient) : Math.floor(quotient + 0.5);
    const value = rounded === rounded ? rounded + zeroPoint : zeroPoint;
    storeActivation(output + i, <i32>min(max(value, -128.0), 127.0));
  }
}
