import { requireMultiplier, perTensor } from "./check.ts";
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from "./fixed-point.ts";
import { inverseSquareRoot } from "./fixed-functions.ts";
import { defineLookup } from "./lookup.ts";

/** Bits that keep precision between the two multiplications. */
const SHIFT = 20;

/**
 * RSQRT, 1 / √x. The reference stops at values below zero; here they give what zero gives, the largest value. Reference:
 * TFLite Micro kernels/elementwise.cc, RsqrtEvalQuantized.
 */
export const rsqrt = defineLookup<undefined>({
  name: "rsqrt",
  tflite: { builtin: 76, read: () => undefined },

  prepare(_options, input, output) {
    requireMultiplier(scaleOf(perTensor(input, "input").scale, perTensor(output, "output").scale), output);
    return undefined;
  },

  functionOf(_attrs, { inputScale, inputZeroPoint, outputScale, outputZeroPoint }) {
    const output = quantizeMultiplier(scaleOf(inputScale, outputScale));
    return (q) => {
      const x = q - inputZeroPoint;
      if (x <= 0) return 127;
      const root = inverseSquareRoot(x);
      const precise = multiplyByQuantizedMultiplier(1, { ...root, shift: root.shift + SHIFT });
      return (
        multiplyByQuantizedMultiplier(precise, { ...output, shift: output.shift - SHIFT }) + outputZeroPoint
      );
    };
  },
});

/** 1 / (√inputScale · outputScale), the product in float32. */
function scaleOf(inputScale: number, outputScale: number): number {
  return 1 / Math.fround(Math.fround(Math.sqrt(inputScale)) * outputScale);
}
