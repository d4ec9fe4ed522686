import type { Int8Tensor } from "./tensor.ts";

/** DEQUANTIZE: float32(s · (q − z)), the product in double. */
export function dequantizeReference({ values, scale, zeroPoint }: Int8Tensor): Float32Array {
  return Float32Array.from(values, (q) => Math.fround(scale * (q - zeroPoint)));
}
