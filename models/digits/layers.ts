/**
 * Layers that learn: forward for one picture at a time, backward by the chain rule, gradients summed until they are applied.
 * Activations are NHWC without the N. Doubles, which JavaScript computes
 * in: float32 would be converted at every step. Indices are within bounds by construction, hence `as number` and no check in
 * the innermost loops.
 */
import type { Random } from "./random.ts";

/** Weights with their summed gradient and Adam's two moments. */
export interface Parameters {
  readonly value: Float64Array;
  readonly gradient: Float64Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

export interface Layer {
  readonly parameters: readonly Parameters[];
  /** The result is the layer's own and lasts until its next call. */
  forward(input: Float64Array): Float64Array;
  /** The loss's gradient by the output → by the input of the last `forward`; adds to the parameters' gradients. */
  backward(gradient: Float64Array): Float64Array;
}

/** What a convolution slides over; SAME padding. */
export interface Convolution {
  readonly size: number;
  readonly depth: number;
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
}

function parameters(size: number, spread: number, random: Random): Parameters {
  return {
    value: Float64Array.from({ length: size }, () => spread * random.normal()),
    gradient: new Float64Array(size),
    mean: new Float64Array(size),
    variance: new Float64Array(size),
  };
}

/** He et al., 2015: variance 2 / fan-in before a ReLU. */
function heSpread(fanIn: number): number {
  return Math.sqrt(2 / fanIn);
}

/** First input row or column of a window, which padding may put before 0. */
function padding({ size, kernel, stride }: Convolution): number {
  return Math.floor(Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size) / 2);
}

/** CONV_2D with ReLU: weights OHWI, square input of `size`, a multiple of four channels. */
export function conv2d(shape: Convolution, random: Random): Layer {
  const { size, depth, channels, kernel, stride } = shape;
  const outSize = Math.ceil(size / stride);
  const pad = padding(shape);
  const filter = kernel * kernel * depth;
  const weights = parameters(channels * filter, heSpread(filter), random);
  const bias = parameters(channels, 0, random);
  const [w, dw] = [weights.value, weights.gradient];
  const b = bias.value;
  const patch = new Float64Array(filter);
  const patchGradient = new Float64Array(filter);
  const output = new Float64Array(outSize * outSize * channels);
  const inputGradient = new Float64Array(size * size * depth);
  let input: Float64Array = inputGradient;

  /** Calls with the place in the input and in the filter of each pixel of a window that lies in the input. */
  const visit = (y: number, x: number, see: (inputAt: number, filterAt: number) => void): void => {
    for (let ky = 0; ky < kernel; ky++) {
      const row = y * stride - pad + ky;
      for (let kx = 0; kx < kernel; kx++) {
        const column = x * stride - pad + kx;
        if (row < 0 || row >= size || column < 0 || column >= size) continue;
        see((row * size + column) * depth, (ky * kernel + kx) * depth);
      }
    }
  };
  const gather = (y: number, x: number): void => {
    patch.fill(0);
    visit(y, x, (inputAt, filterAt) => {
      for (let c = 0; c < depth; c++) patch[filterAt + c] = input[inputAt + c] as number;
    });
  };

  return {
    parameters: [weights, bias],
    forward(x) {
      input = x;
      for (let pixel = 0; pixel < outSize * outSize; pixel++) {
        gather(Math.floor(pixel / outSize), pixel % outSize);
        // Four sums at once: one alone would wait for each addition.
        for (let o = 0; o < channels; o += 4) {
          let [sum0, sum1, sum2, sum3] = [b[o], b[o + 1], b[o + 2], b[o + 3]] as [
            number,
            number,
            number,
            number,
          ];
          for (let i = 0, at = o * filter; i < filter; i++, at++) {
            const x = patch[i] as number;
            sum0 += x * (w[at] as number);
            sum1 += x * (w[at + filter] as number);
            sum2 += x * (w[at + 2 * filter] as number);
            sum3 += x * (w[at + 3 * filter] as number);
          }
          const at = pixel * channels + o;
          output[at] = Math.max(sum0, 0);
          output[at + 1] = Math.max(sum1, 0);
          output[at + 2] = Math.max(sum2, 0);
          output[at + 3] = Math.max(sum3, 0);
        }
      }
      return output;
    },
    backward(gradient) {
      inputGradient.fill(0);
      for (let pixel = 0; pixel < outSize * outSize; pixel++) {
        const [y, x] = [Math.floor(pixel / outSize), pixel % outSize];
        gather(y, x);
        patchGradient.fill(0);
        for (let o = 0; o < channels; o++) {
          if (output[pixel * channels + o] === 0) continue;
          const g = gradient[pixel * channels + o] as number;
          bias.gradient[o] = (bias.gradient[o] as number) + g;
          for (let i = 0, at = o * filter; i < filter; i++) {
            dw[at + i] = (dw[at + i] as number) + g * (patch[i] as number);
            patchGradient[i] = (patchGradient[i] as number) + g * (w[at + i] as number);
          }
        }
        visit(y, x, (inputAt, filterAt) => {
          for (let c = 0; c < depth; c++)
            inputGradient[inputAt + c] =
              (inputGradient[inputAt + c] as number) + (patchGradient[filterAt + c] as number);
        });
      }
      return inputGradient;
    },
  };
}

/** DEPTHWISE_CONV_2D with ReLU and multiplier 1: weights [1, kernel, kernel, depth], square input of `size`. */
export function depthwiseConv2d(shape: Convolution, random: Random): Layer {
  const { size, depth, kernel, stride } = shape;
  const outSize = Math.ceil(size / stride);
  const pad = padding(shape);
  const weights = parameters(kernel * kernel * depth, heSpread(kernel * kernel), random);
  const bias = parameters(depth, 0, random);
  const [w, dw] = [weights.value, weights.gradient];
  const output = new Float64Array(outSize * outSize * depth);
  const inputGradient = new Float64Array(size * size * depth);
  let input: Float64Array = inputGradient;

  const visit = (see: (outputAt: number, inputAt: number, weightAt: number) => void): void => {
    for (let y = 0; y < outSize; y++) {
      for (let ky = 0; ky < kernel; ky++) {
        const row = y * stride - pad + ky;
        if (row < 0 || row >= size) continue;
        for (let x = 0; x < outSize; x++) {
          for (let kx = 0; kx < kernel; kx++) {
            const column = x * stride - pad + kx;
            if (column < 0 || column >= size) continue;
            see((y * outSize + x) * depth, (row * size + column) * depth, (ky * kernel + kx) * depth);
          }
        }
      }
    }
  };

  return {
    parameters: [weights, bias],
    forward(x) {
      input = x;
      for (let at = 0; at < output.length; at += depth) output.set(bias.value, at);
      visit((outputAt, inputAt, weightAt) => {
        for (let c = 0; c < depth; c++) {
          const product = (x[inputAt + c] as number) * (w[weightAt + c] as number);
          output[outputAt + c] = (output[outputAt + c] as number) + product;
        }
      });
      for (let i = 0; i < output.length; i++) if ((output[i] as number) < 0) output[i] = 0;
      return output;
    },
    backward(gradient) {
      inputGradient.fill(0);
      const passed = Float64Array.from(gradient, (g, i) => (output[i] === 0 ? 0 : g));
      for (let i = 0; i < passed.length; i++) {
        bias.gradient[i % depth] = (bias.gradient[i % depth] as number) + (passed[i] as number);
      }
      const x = input;
      visit((outputAt, inputAt, weightAt) => {
        for (let c = 0; c < depth; c++) {
          const g = passed[outputAt + c] as number;
          dw[weightAt + c] = (dw[weightAt + c] as number) + g * (x[inputAt + c] as number);
          inputGradient[inputAt + c] =
            (inputGradient[inputAt + c] as number) + g * (w[weightAt + c] as number);
        }
      });
      return inputGradient;
    },
  };
}

/** MEAN over all pixels of `depth` channels. */
export function globalMean(pixels: number, depth: number): Layer {
  const output = new Float64Array(depth);
  const inputGradient = new Float64Array(pixels * depth);
  return {
    parameters: [],
    forward(input) {
      output.fill(0);
      for (let i = 0; i < input.length; i++)
        output[i % depth] = (output[i % depth] as number) + (input[i] as number) / pixels;
      return output;
    },
    backward(gradient) {
      for (let i = 0; i < inputGradient.length; i++)
        inputGradient[i] = (gradient[i % depth] as number) / pixels;
      return inputGradient;
    },
  };
}

/** FULLY_CONNECTED: weights [channels, depth], no activation. */
export function fullyConnected(depth: number, channels: number, random: Random): Layer {
  const weights = parameters(channels * depth, Math.sqrt(1 / depth), random);
  const bias = parameters(channels, 0, random);
  const output = new Float64Array(channels);
  const inputGradient = new Float64Array(depth);
  let input: Float64Array = inputGradient;
  return {
    parameters: [weights, bias],
    forward(x) {
      input = x;
      for (let o = 0; o < channels; o++) {
        let sum = bias.value[o] as number;
        for (let i = 0; i < depth; i++) sum += (x[i] as number) * (weights.value[o * depth + i] as number);
        output[o] = sum;
      }
      return output;
    },
    backward(gradient) {
      inputGradient.fill(0);
      for (let o = 0; o < channels; o++) {
        const g = gradient[o] as number;
        bias.gradient[o] = (bias.gradient[o] as number) + g;
        for (let i = 0; i < depth; i++) {
          const at = o * depth + i;
          weights.gradient[at] = (weights.gradient[at] as number) + g * (input[i] as number);
          inputGradient[i] = (inputGradient[i] as number) + g * (weights.value[at] as number);
        }
      }
      return inputGradient;
    },
  };
}

/** Softmax's cross-entropy against class `label`: the loss, and its gradient by the logits in `gradient`. */
export function crossEntropy(logits: Float64Array, label: number, gradient: Float64Array): number {
  const highest = Math.max(...logits);
  const exponentials = Array.from(logits, (value) => Math.exp(value - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  for (const [i, value] of exponentials.entries()) gradient[i] = value / sum - (i === label ? 1 : 0);
  return Math.log(sum) - ((logits[label] ?? NaN) - highest);
}

/** One step of Adam (Kingma and Ba, 2015) on the mean of `count` gradients, which are then zero again. `step` counts from 1. */
export function applyAdam(layers: readonly Layer[], count: number, step: number, rate: number): void {
  const [decay, squareDecay] = [0.9, 0.999];
  const scaled = (rate * Math.sqrt(1 - squareDecay ** step)) / (1 - decay ** step);
  for (const { value, gradient, mean, variance } of layers.flatMap(({ parameters }) => parameters)) {
    for (let i = 0; i < value.length; i++) {
      const g = (gradient[i] as number) / count;
      const m = decay * (mean[i] as number) + (1 - decay) * g;
      const v = squareDecay * (variance[i] as number) + (1 - squareDecay) * g * g;
      mean[i] = m;
      variance[i] = v;
      value[i] = (value[i] as number) - (scaled * m) / (Math.sqrt(v) + 1e-8);
      gradient[i] = 0;
    }
  }
}
