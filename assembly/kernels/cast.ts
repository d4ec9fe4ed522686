import { CastField as Field, CastType } from "../../src/plan/format.ts";
import { elementBytes, loadInteger, storeInteger } from "../element.ts";
import { address, field } from "../record.ts";

/**
 *   out[i] = in[i] as another type, as C converts it; scales and zero points are ignored
 *
 * in, out  `length` elements, dense, apart from each other
 *
 * Whole numbers lose their high bits; float32 is truncated toward zero, and saturates where C leaves it undefined. Reference:
 * TFLite Micro kernels/cast.cc.
 */
export function cast(record: usize): void {
  const from = field(record, Field.from);
  const to = field(record, Field.to);
  const length = field(record, Field.length);
  let input = address(record, Field.input);
  let output = address(record, Field.output);
  for (let i = 0; i < length; i++) {
    if (from === CastType.float32) {
      const value = load<f32>(input);
      if (to === CastType.float32) store<f32>(output, value);
      else storeInteger(output, to, truncated(value));
    } else {
      const value = loadInteger(input, from);
      if (to === CastType.float32) store<f32>(output, <f32>value);
      else storeInteger(output, to, value);
    }
    input += elementBytes(from);
    output += elementBytes(to);
  }
}

/** Truncated, and brought within int32; NaN is 0. */
function truncated(value: f32): i32 {
  if (value !== value) return 0;
  if (value >= 2147483648) return i32.MAX_VALUE;
  if (value <= -2147483648) return i32.MIN_VALUE;
  return <i32>value;
}
