import type { Tensor } from "../graph/graph.ts";
import { perTensor, requireMultiplier } from "./check.ts";
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from "./fixed-point.ts";
import type { Sides } from "./lookup.ts";

/**
 * The input's scale over the output's can be a multiplier.
 * @throws UnsupportedError multiplier-too-large
 */
export function requireRescaling(_options: unknown, input: Tensor, output: Tensor): undefined {
  requireMultiplier(perTensor(input, "input").scale / perTensor(output, "output").scale, output);
  return undefined;
}

/** A value of the input's quantisation in the output's, not clamped; the ratio is taken in float32. */
export function rescaled({
  inputScale,
  inputZeroPoint,
  outputScale,
  outputZeroPoint,
}: Sides): (q: number) => number {
  const multiplier = quantizeMultiplier(Math.fround(inputScale / outputScale));
  return (q) => multiplyByQuantizedMultiplier(q - inputZeroPoint, multiplier) + outputZeroPoint;
}
