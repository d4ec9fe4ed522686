import { ScaleInt16Field as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";

/**
 *   out[i] = clamp(x ≥ 0 ? requantize(x) : ±requantize'(x)),   x = in[i], or |in[i]|
 *
 * in, out  int16, zero point 0; the output may be the input, or begin below it
 *
 * RELU, RELU6, LEAKY_RELU and ABS. References: TFLite Micro kernels/activations_common.cc, leaky_relu.cc, elementwise.cc.
 */
export function scaleInt16(record: usize): void {
  const length = field(record, Field.length);
  const absolute = field(record, Field.absolute) !== 0;
  const negates = field(record, Field.negates) !== 0;
  const lower = field(record, Field.activationMin);
  const upper = field(record, Field.activationMax);
  let from = address(record, Field.input);
  let to = address(record, Field.output);
  for (let i = 0; i < length; i++) {
    const stored = <i32>load<i16>(from);
    const x = absolute ? abs(stored) : stored;
    let value: i32;
    if (x >= 0) {
      value = multiplyByQuantizedMultiplier(x, field(record, Field.multiplier), field(record, Field.shift));
    } else {
      value = multiplyByQuantizedMultiplier(
        x,
        field(record, Field.negativeMultiplier),
        field(record, Field.negativeShift),
      );
      if (negates) value = -value;
    }
    store<i16>(to, <i16>clamp(value, lower, upper));
    from += 2;
    to += 2;
  }
}
