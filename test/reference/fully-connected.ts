import type { Weights } from "./conv2d.ts";
import {
  activationBounds,
  clampTo,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
} from "./fixed-point.ts";
import { count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/** FULLY_CONNECTED: input of any shape as rows of weights' inDepth; weights [outDepth, inDepth]. */
export function fullyConnectedReference(
  input: Int8Tensor,
  weights: Weights,
  bias: Int32Array | undefined,
  output: Int8Output,
  activation: number,
): Int8Array {
  const [channels = 1, depth = 1] = weights.shape;
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const row = Math.floor(i / channels);
    const o = i % channels;
    let sum = bias?.[o] ?? 0;
    for (let c = 0; c < depth; c++) {
      sum += ((input.values[row * depth + c] ?? 0) - input.zeroPoint) * (weights.values[o * depth + c] ?? 0);
    }
    // One scale: its product with the input's is taken in float32. One per channel: in double.
    const [first = 1] = weights.scales;
    const product =
      weights.scales.length === 1 ? Math.fround(input.scale * first) : input.scale * (weights.scales[o] ?? 1);
    const { multiplier, shift } = quantizeMultiplier(product / output.scale);
    const value = multiplyByQuantizedMultiplier(sum | 0, multiplier, shift) + output.zeroPoint;
    return clampTo(value, activationBounds(activation, output.scale, output.zeroPoint));
  });
}
