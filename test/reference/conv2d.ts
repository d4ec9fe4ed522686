import {
  activationBounds,
  clampTo,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
} from "./fixed-point.ts";
import { coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/** Weights with one scale, or one per output channel. */
export interface Weights {
  readonly shape: readonly number[];
  readonly scales: readonly number[];
  readonly values: Int8Array;
}

/** Both dimensions of a convolution's window. */
export interface ConvWindow {
  readonly padTop: number;
  readonly padLeft: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly activation: number;
}

/** Accumulator → int8 of output channel `channel`. The accumulator wraps as int32. */
export function requantized(
  sum: number,
  input: Int8Tensor,
  weights: Weights,
  output: Int8Output,
  channel: number,
  activation: number,
): number {
  const scale = weights.scales[weights.scales.length === 1 ? 0 : channel] ?? 1;
  const { multiplier, shift } = quantizeMultiplier((input.scale * scale) / output.scale);
  const value = multiplyByQuantizedMultiplier(sum | 0, multiplier, shift) + output.zeroPoint;
  return clampTo(value, activationBounds(activation, output.scale, output.zeroPoint));
}

/** CONV_2D: NHWC input, OHWI weights. */
export function conv2dReference(
  input: Int8Tensor,
  weights: Weights,
  bias: Int32Array | undefined,
  output: Int8Output,
  window: ConvWindow,
): Int8Array {
  const [, height = 1, width = 1, depth = 1] = input.shape;
  const [, kernelHeight = 1, kernelWidth = 1] = weights.shape;
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const [n = 0, y = 0, x = 0, o = 0] = coordinates(output.shape, i);
    let sum = bias?.[o] ?? 0;
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++) {
        const row = y * window.strideY + ky * window.dilationY - window.padTop;
        const column = x * window.strideX + kx * window.dilationX - window.padLeft;
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        for (let c = 0; c < depth; c++) {
          const value = input.values[((n * height + row) * width + column) * depth + c] ?? 0;
          const weight = weights.values[((o * kernelHeight + ky) * kernelWidth + kx) * depth + c] ?? 0;
          sum += (value - input.zeroPoint) * weight;
        }
      }
    }
    return requantized(sum, input, weights, output, o, window.activation);
  });
}
