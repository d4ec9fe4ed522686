import { CastType, ConvertField as Field } from "../../src/plan/format.ts";
import { elementBytes, loadInteger, storeInteger } from "../element.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field, float } from "../record.ts";

/**
 *   out[i] = clamp(requantize(in[i] − zIn) + zOut)            whole numbers
 *   out[i] = clamp(round(in[i] / scale) + zOut)               of float32, the quotient in float32, halves away from zero; NaN gives zOut
 *   out[i] = float32(scale · (in[i] − zIn))                   to float32, the product in double
 *
 * in, out  `length` elements, dense, apart from each other
 *
 * References: TFLite reference/quantize.h, requantize.h, dequantize.h.
 */
export function convert(record: usize): void {
  const from = field(record, Field.from);
  const to = field(record, Field.to);
  const length = field(record, Field.length);
  let input = address(record, Field.input);
  let output = address(record, Field.output);
  for (let i = 0; i < length; i++) {
    if (to === CastType.float32) {
      const centred = loadInteger(input, from) - field(record, Field.inputZeroPoint);
      store<f32>(output, <f32>(<f64>float(record, Field.scaleBits) * <f64>centred));
    } else if (from === CastType.float32) {
      storeInteger(output, to, quantized(record, input));
    } else {
      storeInteger(output, to, requantized(record, input, from));
    }
    input += elementBytes(from);
    output += elementBytes(to);
  }
}

function quantized(record: usize, at: usize): i32 {
  const quotient = <f64>(load<f32>(at) / float(record, Field.scaleBits));
  const zeroPoint = <f64>field(record, Field.outputZeroPoint);
  const rounded = quotient < 0 ? -Math.floor(0.5 - quotient) : Math.floor(quotient + 0.5);
  const value = rounded === rounded ? rounded + zeroPoint : zeroPoint;
  return <i32>min(max(value, <f64>field(record, Field.least)), <f64>field(record, Field.most));
}

function requantized(record: usize, at: usize, from: i32): i32 {
  const centred = loadInteger(at, from) - field(record, Field.inputZeroPoint);
  const scaled = multiplyByQuantizedMultiplier(
    centred,
    field(record, Field.multiplier),
    field(record, Field.shift),
  );
  return clamp(
    scaled + field(record, Field.outputZeroPoint),
    field(record, Field.least),
    field(record, Field.most),
  );
}
