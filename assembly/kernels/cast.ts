import { CastField as Field, CastType } from "../../src/plan/format.ts";
import { address, field, loadActivation, storeActivation } from "../record.ts";

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
    input += bytesOf(from);
    output += bytesOf(to);
  }
}

/** Truncated, and brought within int32; NaN is 0. */
function truncated(value: f32): i32 {
  if (value !== value) return 0;
  if (value >= 2147483648) return i32.MAX_VALUE;
  if (value <= -2147483648) return i32.MIN_VALUE;
  return <i32>value;
}

function bytesOf(type: i32): usize {
  if (type === CastType.int32 || type === CastType.float32) return 4;
  return type === CastType.int16 ? 2 : 1;
}

function loadInteger(at: usize, type: i32): i32 {
  switch (type) {
    case CastType.int8:
      return loadActivation(at);
    case CastType.int16:
      return load<i16>(at);
    case CastType.int32:
      return load<i32>(at);
    default:
      return load<u8>(at);
  }
}

function storeInteger(at: usize, type: i32, value: i32): void {
  switch (type) {
    case CastType.int8:
      storeActivation(at, <i8>value);
      break;
    case CastType.int16:
      store<i16>(at, <i16>value);
      break;
    case CastType.int32:
      store<i32>(at, value);
      break;
    default:
      store<u8>(at, <u8>value);
  }
}
