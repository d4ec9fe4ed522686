import { clampTo, multiplyByQuantizedMultiplier, quantizeMultiplier, roundC } from "./fixed-point.ts";
import type { Int8Output, Int8Tensor } from "./tensor.ts";

/** QUANTIZE of float32: clamp(round(x / s) + z), the quotient in float32. NaN becomes the zero point. */
export function quantizeReference(values: Float32Array, { scale, zeroPoint }: Int8Output): Int8Array {
  return Int8Array.from(values, (x) => {
    const quotient = Math.fround(x / scale);
    return clampTo((Number.isNaN(quotient) ? 0 : roundC(quotient)) + zeroPoint, [-128, 127]);
  });
}

/** QUANTIZE of int8: clamp(MBQM(q − z, QM(s / s')) + z'). */
export function requantizeReference(input: Int8Tensor, { scale, zeroPoint }: Int8Output): Int8Array {
  const { multiplier, shift } = quantizeMultiplier(input.scale / scale);
  return Int8Array.from(input.values, (q) =>
    clampTo(multiplyByQuantizedMultiplier(q - input.zeroPoint, multiplier, shift) + zeroPoint, [-128, 127]),
  );
}
