import { roundingShift } from "./fixed-point.ts";
import { tanh as tanhOf } from "./fixed-functions.ts";
import { saturating } from "./logistic.ts";
import { packSigmoidTable, requireSigmoidScale, sigmoidInt16 } from "./sigmoid-int16.ts";
import { defineLookup } from "./lookup.ts";

/** TANH of int8, taken to have scale 1/128 and zero point 0. Reference: TFLite reference/integer_ops/tanh.h. */
export const tanh = defineLookup<undefined>({
  name: "tanh",
  tflite: { builtin: 28, read: () => undefined },
  prepare(_options, input) {
    requireSigmoidScale(input, true);
    return undefined;
  },

  int16: { record: (_attrs, sides, place) => sigmoidInt16(sides, place, true), pack: packSigmoidTable },

  functionOf(_attrs, { inputScale, inputZeroPoint }) {
    const { scaled, radius } = saturating(inputScale);
    return (q) => {
      const x = q - inputZeroPoint;
      if (Math.abs(x) >= radius) return x > 0 ? 127 : -128;
      return roundingShift(tanhOf(scaled(x)), 24);
    };
  },
});
