import { activationRange, FusedActivation } from "./fixed-point.ts";
import { defineLookup } from "./lookup.ts";
import { requireRescaling, rescaled } from "./rescale.ts";

/** RELU_N1_TO_1, rescaled and clamped as the fused activation is. Reference: TFLite kernels/activations.cc, QuantizedReluX. */
export const reluN1To1 = defineLookup<undefined>({
  name: "reluN1To1",
  tflite: { builtin: 20, read: () => undefined },
  prepare: requireRescaling,
  functionOf: (_attrs, sides) => {
    const rescale = rescaled(sides);
    const { min, max } = activationRange(FusedActivation.reluN1To1, sides.outputScale, sides.outputZeroPoint);
    return (q) => Math.min(Math.max(rescale(q), min), max);
  },
});
