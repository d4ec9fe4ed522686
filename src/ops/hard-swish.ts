import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { perTensor } from "./check.ts";
import type { Multiplier } from "./fixed-point.ts";
import { quantizeMultiplier, roundingShift } from "./fixed-point.ts";
import { defineLookup } from "./lookup.ts";

/** HARD_SWISH, x · relu6(x + 3) / 6, in int16 arithmetic. Reference: TFLite reference/hard_swish.h. */
export const hardSwish = defineLookup<undefined>({
  name: "hardSwish",
  tflite: { builtin: 117, read: () => undefined },

  prepare(_options, input: Tensor, output: Tensor) {
    const { toOutput } = scalesOf(perTensor(input, "input").scale, perTensor(output, "output").scale);
    if (toOutput.shift > 0) {
      throw new UnsupportedError(
        "hard-swish-scale",
        `the scale of "${output.name}" is too small for that of "${input.name}"; their ratio must be below 128: quantise again`,
      );
    }
    return undefined;
  },

  functionOf(_attrs, { inputScale, inputZeroPoint, outputScale, outputZeroPoint }) {
    const { toOutput, toReluish } = scalesOf(inputScale, outputScale);
    return (q) => {
      const x = (q - inputZeroPoint) * 128;
      const scaled = doublingHighMul16(x, toOutput.multiplier);
      // From −1 … 1 of Q0.15 to 0 … 1, of x / 3.
      let gate = x;
      if (toReluish.shift > 0) gate = saturate16(gate * 2 ** (toReluish.shift - 1));
      gate = doublingHighMul16(gate, toReluish.multiplier);
      if (toReluish.shift > 0) gate = saturate16(gate * 2);
      if (toReluish.shift < 0) gate = roundingShift(gate, -toReluish.shift);
      gate = (gate + 32768) >> 1;
      return roundingShift(Math.trunc((gate * scaled) / 32768), -toOutput.shift) + outputZeroPoint;
    };
  },
});

/** Multipliers with 16 bits; the input has 7 bits more for precision. */
function scalesOf(
  inputScale: number,
  outputScale: number,
): { readonly toOutput: Multiplier; readonly toReluish: Multiplier } {
  const fine = Math.fround(inputScale / 128);
  return {
    toOutput: halved(quantizeMultiplier(Math.fround(fine / outputScale))),
    toReluish: halved(quantizeMultiplier(Math.fround(fine / Math.fround(3 / 32768)))),
  };
}

function halved({ multiplier, shift }: Multiplier): Multiplier {
  return { multiplier: multiplier >= 0x7fff7fff ? 0x7fff : (multiplier + 2 ** 15) >> 16, shift };
}

/** SaturatingRoundingDoublingHighMul of int16. */
function doublingHighMul16(a: number, b: number): number {
  const product = a * b;
  return Math.min(Math.trunc((product + (product >= 0 ? 2 ** 14 : 1 - 2 ** 14)) / 2 ** 15), 32767);
}

function saturate16(x: number): number {
  return Math.min(Math.max(x, -32768), 32767);
}
