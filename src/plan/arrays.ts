import type { PortType } from "./port-type.ts";

/** Typed arrays by element type: what `run` takes and gives. A bool is a byte, 0 or 1. */
const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
} as const satisfies Record<PortType, unknown>;

/** The values of an input or output. */
export type TensorArray = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;

/** A view of `length` elements in `buffer`. */
export function viewOf(type: PortType, buffer: ArrayBuffer, address: number, length: number): TensorArray {
  return new ARRAYS[type](buffer, address, length);
}

/** An array of zeros. */
export function arrayOf(type: PortType, length: number): TensorArray {
  return new ARRAYS[type](length);
}

/** The name of the array's class. */
export function arrayName(type: PortType): string {
  return ARRAYS[type].name;
}
