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
  const pixels = outSize * outSize;
  const pad = padding(shape);
  const filter = kernel * kernel * depth;
  const weights = parameters(channels * filter, heSpread(filter), random);
  const bias = parameters(channels, 0, random);
  const output = new Float64Array(pixels * channels);
  const passed = new Float64Array(pixels * channels);
  const inputGradient = new Float64Array(size * size * depth);
  // The window of every pixel, one below the other; a 1×1 kernel's is the input.
  const isInput = kernel === 1 && stride === 1;
  const ownPatches = new Float64Array(isInput ? 0 : pixels * filter);
  const patchGradients = isInput ? inputGradient : new Float64Array(pixels * filter);
  let patches: Float64Array = ownPatches;

  /** Calls with the place in the patches and in the input of each pixel of a window that lies in the input. */
  const visit = (see: (patchAt: number, inputAt: number) => void): void => {
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let k = 0; k < kernel * kernel; k++) {
        const row = Math.floor(pixel / outSize) * stride - pad + Math.floor(k / kernel);
        const column = (pixel % outSize) * stride - pad + (k % kernel);
        if (row < 0 || row >= size || column < 0 || column >= size) continue;
        see(pixel * filter + k * depth, (row * size + column) * depth);
      }
    }
  };

  return {
    parameters: [weights, bias],
    forward(input) {
      patches = isInput ? input : ownPatches;
      if (!isInput) {
        visit((patchAt, inputAt) => {
          for (let c = 0; c < depth; c++) patches[patchAt + c] = input[inputAt + c] as number;
        });
      }
      for (let at = 0; at < output.length; at += channels) output.set(bias.value, at);
      addDots(output, patches, weights.value, filter);
      for (let i = 0; i < output.length; i++) if ((output[i] as number) < 0) output[i] = 0;
      return output;
    },
    backward(gradient) {
      for (let i = 0; i < passed.length; i++) {
        const g = output[i] === 0 ? 0 : (gradient[i] as number);
        passed[i] = g;
        bias.gradient[i % channels] = (bias.gradient[i % channels] as number) + g;
      }
      // By the weights: Σ over pixels; by the patches: Σ over channels.
      addProduct(
        weights.gradient,
        passed,
        { rows: channels, inner: pixels, rowStride: 1, innerStride: channels },
        patches,
      );
      patchGradients.fill(0);
      addProduct(
        patchGradients,
        passed,
        { rows: pixels, inner: channels, rowStride: channels, innerStride: 1 },
        weights.value,
      );
      if (isInput) return inputGradient;
      inputGradient.fill(0);
      visit((patchAt, inputAt) => {
        for (let c = 0; c < depth; c++) {
          inputGradient[inputAt + c] =
            (inputGradient[inputAt + c] as number) + (patchGradients[patchAt + c] as number);
        }
      });
      return inputGradient;
    },
  };
}

/** out[r, c] += Σ_i left[r, i] · right[c, i]. Four sums at once: one alone would wait for each addition. */
function addDots(out: Float64Array, left: Float64Array, right: Float64Array, length: number): void {
  const columns = right.length / length;
  for (let at = 0; at < out.length; at += 4) {
    const row = ((at - (at % columns)) / columns) * length;
    const column = (at % columns) * length;
    let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
    for (let i = 0; i < length; i++) {
      const x = left[row + i] as number;
      sum0 += x * (right[column + i] as number);
      sum1 += x * (right[column + length + i] as number);
      sum2 += x * (right[column + 2 * length + i] as number);
      sum3 += x * (right[column + 3 * length + i] as number);
    }
    out[at] = (out[at] as number) + sum0;
    out[at + 1] = (out[at + 1] as number) + sum1;
    out[at + 2] = (out[at + 2] as number) + sum2;
    out[at + 3] = (out[at + 3] as number) + sum3;
  }
}

/** Sizes and strides of a matrix. */
interface Matrix {
  readonly rows: number;
  readonly inner: number;
  readonly rowStride: number;
  readonly innerStride: number;
}

/** out[r, c] += Σ_i left[r, i] · right[i, c]. Four of i at once: each result is loaded and stored a quarter as often. */
function addProduct(out: Float64Array, left: Float64Array, matrix: Matrix, right: Float64Array): void {
  const { rows, inner, rowStride, innerStride } = matrix;
  const columns = out.length / rows;
  for (let r = 0; r < rows; r++) {
    const to = r * columns;
    for (let i = 0; i < inner; i += 4) {
      const at = r * rowStride + i * innerStride;
      // Past the end of an odd number of pixels: 0 times what is there.
      const x0 = left[at] as number;
      const x1 = i + 1 < inner ? (left[at + innerStride] as number) : 0;
      const x2 = i + 2 < inner ? (left[at + 2 * innerStride] as number) : 0;
      const x3 = i + 3 < inner ? (left[at + 3 * innerStride] as number) : 0;
      if (x0 === 0 && x1 === 0 && x2 === 0 && x3 === 0) continue;
      const from0 = i * columns;
      const from1 = i + 1 < inner ? from0 + columns : from0;
      const from2 = i + 2 < inner ? from1 + columns : from0;
      const from3 = i + 3 < inner ? from2 + columns : from0;
      for (let c = 0; c < columns; c++) {
        out[to + c] =
          (out[to + c] as number) +
          x0 * (right[from0 + c] as number) +
          x1 * (right[from1 + c] as number) +
          x2 * (right[from2 + c] as number) +
          x3 * (right[from3 + c] as number);
      }
    }
  }
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
  const passed = new Float64Array(output.length);
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
      for (let i = 0; i < passed.length; i++) {
        const g = output[i] === 0 ? 0 : (gradient[i] as number);
        passed[i] = g;
        bias.gradient[i % depth] = (bias.gradient[i % depth] as number) + g;
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

/**
 * Softmax's cross-entropy against class `label`, of which `smoothing` is spread over all classes (Szegedy et al., 2016): the loss,
 * and its gradient by the logits in `gradient`.
 */
export function crossEntropy(
  logits: Float64Array,
  label: number,
  smoothing: number,
  gradient: Float64Array,
): number {
  const highest = Math.max(...logits);
  const exponentials = Array.from(logits, (value) => Math.exp(value - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  let wanted = 0;
  for (const [i, value] of exponentials.entries()) {
    const target = (i === label ? 1 - smoothing : 0) + smoothing / logits.length;
    gradient[i] = value / sum - target;
    wanted += target * ((logits[i] as number) - highest);
  }
  return Math.log(sum) - wanted;
}

/**
 * One step of AdamW (Loshchilov and Hutter, 2019) on the mean of `count` gradients, which are then zero again. `step` counts from
 * 1. A layer's weights decay, its bias does not.
 */
export function applyAdamW(layers: readonly Layer[], count: number, step: number, rate: number): void {
  const [decay, squareDecay, weightDecay] = [0.9, 0.999, 0.02];
  const scaled = (rate * Math.sqrt(1 - squareDecay ** step)) / (1 - decay ** step);
  const all = layers.flatMap(({ parameters }) => [...parameters.entries()]);
  for (const [at, { value, gradient, mean, variance }] of all) {
    const kept = at === 0 ? 1 - rate * weightDecay : 1;
    for (let i = 0; i < value.length; i++) {
      const g = (gradient[i] as number) / count;
      const m = decay * (mean[i] as number) + (1 - decay) * g;
      const v = squareDecay * (variance[i] as number) + (1 - squareDecay) * g * g;
      mean[i] = m;
      variance[i] = v;
      value[i] = kept * (value[i] as number) - (scaled * m) / (Math.sqrt(v) + 1e-8);
      gradient[i] = 0;
    }
  }
}
