import { roundHalfAway } from "./fixed-point.ts";
import { defineLookup } from "./lookup.ts";

const f = Math.fround;

/** ELU, x or e^x − 1, in float32. Reference: TFLite Micro kernels/elu.cc. */
export const elu = defineLookup<undefined>({
  name: "elu",
  tflite: { builtin: 111, read: () => undefined },
  prepare: () => undefined,
  functionOf: (_attrs, { inputScale, inputZeroPoint, outputScale, outputZeroPoint }) => {
    const inverse = f(1 / outputScale);
    return (q) => {
      const x = f(inputScale * (q - inputZeroPoint));
      const y = x < 0 ? f(f(Math.exp(x)) - 1) : x;
      return roundHalfAway(f(y * inverse)) + outputZeroPoint;
    };
  },
});
