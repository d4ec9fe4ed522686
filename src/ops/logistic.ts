import { UnsupportedError } from "../errors.ts";
import { perTensor } from "./check.ts";
import { multiplyByQuantizedMultiplier, quantizeMultiplier, roundingShift } from "./fixed-point.ts";
import { logistic as logisticOf } from "./fixed-functions.ts";
import { packSigmoidTable, requireSigmoidScale, sigmoidInt16 } from "./sigmoid-int16.ts";
import { defineLookup } from "./lookup.ts";

/** LOGISTIC of int8, to scale 1/256 and zero point −128. Reference: TFLite reference/integer_ops/logistic.h. */
export const logistic = defineLookup<undefined>({
  name: "logistic",
  tflite: { builtin: 14, read: () => undefined },

  prepare(_options, input, output) {
    requireSigmoidScale(input, false);
    const { zeroPoint } = perTensor(output, "output");
    if (zeroPoint === -128 || output.type === "int16") return undefined;
    throw new UnsupportedError(
      "logistic-output",
      `output "${output.name}" has zero point ${zeroPoint}; the logistic function gives -128: quantise the model again`,
    );
  },

  int16: { record: (_attrs, sides, place) => sigmoidInt16(sides, place, false), pack: packSigmoidTable },

  functionOf(_attrs, { inputScale, inputZeroPoint }) {
    const { scaled, radius } = saturating(inputScale);
    return (q) => {
      const x = q - inputZeroPoint;
      if (Math.abs(x) >= radius) return x > 0 ? 127 : -128;
      return roundingShift(logisticOf(scaled(x)), 23) - 128;
    };
  },
});

/** Inputs as Q4.27, and from where on the function is as good as its limit. */
export function saturating(inputScale: number): {
  readonly scaled: (x: number) => number;
  readonly radius: number;
} {
  const multiplier = quantizeMultiplier(inputScale * 2 ** 27);
  return {
    scaled: (x) => multiplyByQuantizedMultiplier(x, multiplier),
    radius: Math.floor((15 * 2 ** 27) / 2 ** multiplier.shift),
  };
}
