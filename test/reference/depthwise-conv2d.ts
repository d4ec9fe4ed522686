import type { ConvWindow, Weights } from "./conv2d.ts";
import { requantized } from "./conv2d.ts";
import { coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/** DEPTHWISE_CONV_2D: NHWC input, weights [1, kh, kw, outDepth]. */
export function depthwiseConv2dReference(
  input: Int8Tensor,
  weights: Weights,
  bias: Int32Array | undefined,
  output: Int8Output,
  window: ConvWindow,
): Int8Array {
  const [, height = 1, width = 1, depth = 1] = input.shape;
  const [, kernelHeight = 1, kernelWidth = 1, channels = 1] = weights.shape;
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const [n = 0, y = 0, x = 0, c = 0] = coordinates(output.shape, i);
    const from = Math.floor(c / (channels / depth));
    let sum = bias?.[c] ?? 0;
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++) {
        const row = y * window.strideY + ky * window.dilationY - window.padTop;
        const column = x * window.strideX + kx * window.dilationX - window.padLeft;
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const value = input.values[((n * height + row) * width + column) * depth + from] ?? 0;
        sum += (value - input.zeroPoint) * (weights.values[(ky * kernelWidth + kx) * channels + c] ?? 0);
      }
    }
    return requantized(sum, input, weights, output, c, window.activation);
  });
}
