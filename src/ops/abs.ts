import { multiplyByQuantizedMultiplier, quantizeMultiplier } from "./fixed-point.ts";
import { defineLookup } from "./lookup.ts";
import { ratioOf, scaleInt16 } from "./scale-int16.ts";
import { requireRescaling } from "./rescale.ts";

/** ABS. Reference: TFLite Micro kernels/elementwise.cc, AbsEvalQuantized. */
export const abs = defineLookup<undefined>({
  name: "abs",
  tflite: { builtin: 101, read: () => undefined },
  prepare: requireRescaling,
  int16: {
    record: (_attrs, sides, place) =>
      scaleInt16(place, {
        absolute: true,
        ...(sides.inputScale !== sides.outputScale && { above: ratioOf(sides) }),
      }),
  },
  functionOf: (_attrs, { inputScale, inputZeroPoint, outputScale, outputZeroPoint }) => {
    const multiplier = quantizeMultiplier(Math.fround(inputScale / outputScale));
    return (q) => {
      const magnitude = Math.abs(q - inputZeroPoint);
      const scaled =
        inputScale === outputScale ? magnitude : multiplyByQuantizedMultiplier(magnitude, multiplier);
      return scaled + outputZeroPoint;
    };
  },
});
