import { UnsupportedError } from "../errors.ts";
import { perTensor, requireMultiplier } from "./check.ts";
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from "./fixed-point.ts";
import { defineLookup } from "./lookup.ts";
import { ratioOf, scaleInt16 } from "./scale-int16.ts";
import { requireRescaling, rescaled } from "./rescale.ts";

export interface LeakyReluAttrs {
  /** Slope below zero, float32. */
  readonly alpha: number;
}

/** LEAKY_RELU. Reference: TFLite reference/leaky_relu.h, QuantizeLeakyRelu. */
export const leakyRelu = defineLookup<LeakyReluAttrs>({
  name: "leakyRelu",
  tflite: { builtin: 98, read: (options) => options.float(0, 0) },

  prepare(options, input, output) {
    const alpha = options as number;
    if (!Number.isFinite(alpha)) {
      throw new UnsupportedError(
        "leaky-relu-alpha",
        `the slope before "${output.name}" is ${alpha}; it must be finite: export the model again`,
      );
    }
    requireRescaling(options, input, output);
    const [from, to] = [perTensor(input, "input").scale, perTensor(output, "output").scale];
    requireMultiplier(Math.abs(slope(from, to, alpha)), output);
    return { alpha };
  },

  int16: {
    record({ alpha }, sides, place) {
      const scale = slope(sides.inputScale, sides.outputScale, alpha);
      return scaleInt16(place, {
        above: ratioOf(sides),
        below: quantizeMultiplier(Math.abs(scale)),
        negates: scale < 0,
      });
    },
  },

  functionOf({ alpha }, sides) {
    const { inputScale, inputZeroPoint, outputScale, outputZeroPoint } = sides;
    const rescale = rescaled(sides);
    const scale = slope(inputScale, outputScale, alpha);
    const multiplier = quantizeMultiplier(Math.abs(scale));
    const sign = scale < 0 ? -1 : 1;
    return (q) => {
      const x = q - inputZeroPoint;
      return x >= 0 ? rescale(q) : sign * multiplyByQuantizedMultiplier(x, multiplier) + outputZeroPoint;
    };
  },
});

/** All in float32. */
function slope(inputScale: number, outputScale: number, alpha: number): number {
  return Math.fround(Math.fround(inputScale * alpha) / outputScale);
}
