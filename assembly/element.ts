/** Elements whose type a record names. */
import { CastType } from "../src/plan/format.ts";
import { loadActivation, storeActivation } from "./storage.ts";

/** Bytes of one element. */
export function elementBytes(type: i32): usize {
  if (type === CastType.int32 || type === CastType.float32) return 4;
  return type === CastType.int16 ? 2 : 1;
}

/** A whole number; int8 from storage form. */
export function loadInteger(at: usize, type: i32): i32 {
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

/** Stores the low bits of a whole number; int8 in storage form. */
export function storeInteger(at: usize, type: i32, value: i32): void {
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
