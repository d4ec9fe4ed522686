import { roundHalfAway } from "./fixed-point.ts";
import { scaleInt16 } from "./scale-int16.ts";
import { defineLookup } from "./lookup.ts";

/** RELU6: stored values are clamped, nothing is rescaled. Reference: TFLite Micro kernels/activations.cc, Relu6. */
export const relu6 = defineLookup<undefined>({
  name: "relu6",
  tflite: { builtin: 21, read: () => undefined },
  prepare: () => undefined,
  int16: {
    record: (_attrs, { inputScale }, place) =>
      scaleInt16(place, { range: [0, Math.min(roundHalfAway(Math.fround(6 / inputScale)), 32767)] }),
  },
  functionOf: (_attrs, { inputScale, inputZeroPoint }) => {
    const six = Math.min(inputZeroPoint + roundHalfAway(Math.fround(6 / inputScale)), 127);
    return (q) => Math.min(Math.max(q, inputZeroPoint), six);
  },
});
