import { defineLookup } from "./lookup.ts";
import { ratioOf, scaleInt16 } from "./scale-int16.ts";
import { requireRescaling, rescaled } from "./rescale.ts";

/** RELU, rescaled to the output. Reference: TFLite Micro kernels/activations_common.cc, ReluQuantized. */
export const relu = defineLookup<undefined>({
  name: "relu",
  tflite: { builtin: 19, read: () => undefined },
  prepare: requireRescaling,
  int16: {
    record: (_attrs, sides, place) => scaleInt16(place, { above: ratioOf(sides), range: [0, 32767] }),
  },
  functionOf: (_attrs, sides) => {
    const rescale = rescaled(sides);
    return (q) => Math.max(rescale(q), sides.outputZeroPoint);
  },
});
