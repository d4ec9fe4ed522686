/** Operators of whole tensors as the formulas state them; tensors are row-major. */
import { inverseRoot } from "./activations.ts";
import {
  activationBounds,
  clampTo,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  rdbp,
  srdhm,
} from "./fixed-point.ts";
import { expOfNegative, reciprocalOfOnePlus, saturatingLeft } from "./softmax.ts";
import type { Int16Tensor, Int8Output, Int8Tensor } from "./tensor.ts";
import { broadcastAt, coordinates, count } from "./tensor.ts";

const clamp = (x: number): number => Math.min(Math.max(x, -128), 127);

function scaled(x: number, real: number): number {
  const { multiplier, shift } = quantizeMultiplier(real);
  return multiplyByQuantizedMultiplier(x, multiplier, shift);
}

/** The values along the reduced axes, for each output. */
export function reduced(input: Int8Tensor | Int16Tensor, axes: readonly number[]): number[][] {
  const kept = input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const groups = Array.from({ length: count(kept) }, (): number[] => []);
  for (const [i, value] of input.values.entries()) {
    const at = coordinates(input.shape, i);
    const group = kept.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : (at[axis] ?? 0)), 0);
    groups[group]?.push(value);
  }
  return groups;
}

export function sumReference(input: Int8Tensor, axes: readonly number[], output: Int8Output): Int8Array {
  return Int8Array.from(reduced(input, axes), (values) => {
    const sum = values.reduce((a, b) => a + b - input.zeroPoint, 0);
    return clamp(scaled(sum, input.scale / output.scale) + output.zeroPoint);
  });
}

export function extremeReference(input: Int8Tensor, axes: readonly number[], isMaximum: boolean): Int8Array {
  return Int8Array.from(reduced(input, axes), (values) =>
    isMaximum ? Math.max(...values) : Math.min(...values),
  );
}

export function argReference(input: Int8Tensor, axis: number, isMaximum: boolean): Int32Array {
  return Int32Array.from(reduced(input, [axis]), (values) =>
    values.indexOf(isMaximum ? Math.max(...values) : Math.min(...values)),
  );
}

/** Sums begin at minus the zero point, as the oracle's do. */
export function cumsumReference(
  input: Int8Tensor,
  axis: number,
  exclusive: boolean,
  reverse: boolean,
  output: Int8Output,
): Int8Array {
  return Int8Array.from(input.values, (_, i) => {
    const at = coordinates(input.shape, i);
    const here = at[axis] ?? 0;
    let sum = -input.zeroPoint;
    for (let k = 0; k < (input.shape[axis] ?? 1); k++) {
      const isBefore = reverse ? k > here : k < here;
      if (isBefore || (k === here && !exclusive))
        sum += broadcastAt(input, at.with(axis, k)) - input.zeroPoint;
    }
    return clamp(
      scaled((sum * 2 ** 19) | 0, (2 * input.scale) / (2 ** 20 * output.scale)) + output.zeroPoint,
    );
  });
}

/** ADD_N; sums begin at minus the zero point too. */
export function addNReference(inputs: readonly Int8Tensor[], output: Int8Output): Int8Array {
  const [first] = inputs;
  if (first === undefined) throw new Error("nothing to add");
  return first.values.map((_, i) => {
    const sum = inputs.reduce(
      (total, { values }) => total + (values[i] ?? NaN) - first.zeroPoint,
      -first.zeroPoint,
    );
    // Each term is scaled by a half of its own, which is exact.
    const real = (2 * first.scale) / (2 ** 20 * output.scale);
    return clamp(scaled(sum * 2 ** 19, real) + output.zeroPoint);
  });
}

export function l2NormalizationReference(input: Int8Tensor): Int8Array {
  const depth = input.shape.at(-1) ?? 1;
  return Int8Array.from(input.values, (q, i) => {
    const row = input.values.subarray(i - (i % depth), i - (i % depth) + depth);
    const [multiplier, shift] = inverseRoot(row.reduce((sum, x) => sum + (x - input.zeroPoint) ** 2, 0));
    return clamp(multiplyByQuantizedMultiplier(q - input.zeroPoint, multiplier, shift + 7));
  });
}

export function logSoftmaxReference(input: Int8Tensor): Int8Array {
  const depth = input.shape.at(-1) ?? 1;
  const { multiplier, shift } = quantizeMultiplier(Math.min(input.scale * 2 ** 26, 2 ** 31 - 1));
  const reverse = quantizeMultiplier(2 ** (31 - shift) / multiplier);
  const diffMin = -Math.floor((31 * 2 ** 26) / 2 ** shift);
  const inQ5 = (difference: number): number => multiplyByQuantizedMultiplier(difference, multiplier, shift);
  return Int8Array.from(input.values, (q, i) => {
    const row = [...input.values.subarray(i - (i % depth), i - (i % depth) + depth)];
    const largest = Math.max(...row);
    const sum = row.reduce(
      (total, x) => total + (x - largest < diffMin ? 0 : rdbp(expOfNegative(inQ5(x - largest)), 12)),
      0,
    );
    const logarithm = logOf(sum);
    const least = multiplyByQuantizedMultiplier(logarithm - 2 ** 31, reverse.multiplier, reverse.shift);
    if (q - largest <= Math.max(diffMin - 1, least)) return -128;
    return clamp(rdbp(inQ5(q - largest) - logarithm, 22) + 127);
  });
}

/** log x in Q5.26 of x ≥ 1 in Q12.19, by the better of two expansions. */
function logOf(x: number): number {
  const q31 = (real: number): number => Math.round(real * 2 ** 31);
  const root = q31(Math.sqrt(0.5));
  const fourthRoot = q31(Math.sqrt(Math.sqrt(0.5)));
  const two = Math.sqrt(Math.sqrt(2));
  const leading = (value: number): number => 31 - Math.floor(Math.log2(value));
  const a = saturatingLeft(srdhm(saturatingLeft(x, leading(x) - 1), root), 1);
  const powerA = (12 - leading(x)) * 2 ** 25 + 2 ** 23;
  const headroom = leading(srdhm(x, root)) - 1;
  const powerB = (12 - headroom) * 2 ** 25 - 2 ** 23;
  const r = Math.min(a, saturatingLeft(x, headroom));
  const p = Math.floor((r + fourthRoot + 1) / 2);
  const q = 2 * (r - fourthRoot);
  const square = srdhm(q, q);
  const numerator = srdhm(q, r) + srdhm(srdhm(q, square), q31((11 / 240) * two));
  const inner = q31(2 / two - two) + q + srdhm(q31(two / 20), square);
  const denominator = srdhm(p, inner) + srdhm(q31(two / 4), q);
  const quotient = srdhm(rdbp(numerator, 6), reciprocalOfOnePlus(denominator));
  return saturatingLeft(srdhm(Math.max(powerA, powerB), q31(Math.log(2))) + quotient, 1);
}

export function batchMatmulReference(
  lhs: Int8Tensor,
  rhs: Int8Tensor,
  transposeLhs: boolean,
  transposeRhs: boolean,
  output: Int8Output,
): Int8Array {
  const real = Math.fround(lhs.scale * rhs.scale) / output.scale;
  return Int8Array.from(matrixSums(lhs, rhs, transposeLhs, transposeRhs, output), (sum) =>
    clamp(scaled(sum, real) + output.zeroPoint),
  );
}

/** The sums of products, exact below 2^53. */
export function matrixSums(
  lhs: Int8Tensor | Int16Tensor,
  rhs: Int8Tensor | Int16Tensor,
  transposeLhs: boolean,
  transposeRhs: boolean,
  output: Int8Output,
): number[] {
  const depth = lhs.shape.at(transposeLhs ? -2 : -1) ?? 1;
  return Array.from({ length: count(output.shape) }, (_, index) => {
    const at = coordinates(output.shape, index);
    const batch = at.slice(0, -2);
    const [i = 0, j = 0] = at.slice(-2);
    let sum = 0;
    for (let k = 0; k < depth; k++) {
      const left = broadcastAt(lhs, [...batch, ...(transposeLhs ? [k, i] : [i, k])]) - lhs.zeroPoint;
      const right = broadcastAt(rhs, [...batch, ...(transposeRhs ? [j, k] : [k, j])]) - rhs.zeroPoint;
      sum += left * right;
    }
    return sum;
  });
}

/** OHWI, with one scale or one per output channel. */
export interface Filters {
  readonly shape: readonly number[];
  readonly values: Int8Array;
  readonly scales: readonly number[];
}

export interface TransposeGeometry {
  readonly strideY: number;
  readonly strideX: number;
  readonly same: boolean;
  readonly activation: number;
}

export function transposeConvReference(
  input: Int8Tensor,
  weights: Filters,
  bias: Int32Array | undefined,
  output: Int8Output,
  geometry: TransposeGeometry,
): Int8Array {
  const channels = output.shape.at(-1) ?? 1;
  const bounds = activationBounds(geometry.activation, output.scale, output.zeroPoint);
  return Int8Array.from(transposeConvSums(input, weights, output, geometry), (sum, i) => {
    const c = i % channels;
    const scale = weights.scales[c] ?? weights.scales[0] ?? 1;
    const value = scaled(sum + (bias?.[c] ?? 0), (input.scale * scale) / output.scale);
    return clampTo(value + output.zeroPoint, bounds);
  });
}

/** Every input pixel adds its products to the outputs under the kernel; exact below 2^53. */
export function transposeConvSums(
  input: Int8Tensor | Int16Tensor,
  weights: Filters,
  output: Int8Output,
  geometry: TransposeGeometry,
): Float64Array {
  const [batches = 1, height = 1, width = 1, depth = 1] = input.shape;
  const [, outHeight = 1, outWidth = 1, channels = 1] = output.shape;
  const [, kernelHeight = 1, kernelWidth = 1] = weights.shape;
  const padding = (out: number, kernel: number, stride: number): number => {
    const steps = geometry.same ? Math.ceil(out / stride) : Math.trunc((out - kernel + stride) / stride);
    return Math.max(0, Math.trunc(((steps - 1) * stride + kernel - out) / 2));
  };
  const padTop = padding(outHeight, kernelHeight, geometry.strideY);
  const padLeft = padding(outWidth, kernelWidth, geometry.strideX);
  const sums = new Float64Array(count(output.shape));
  for (let n = 0; n < batches; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let ky = 0; ky < kernelHeight; ky++) {
          for (let kx = 0; kx < kernelWidth; kx++) {
            const row = y * geometry.strideY - padTop + ky;
            const column = x * geometry.strideX - padLeft + kx;
            if (row < 0 || row >= outHeight || column < 0 || column >= outWidth) continue;
            for (let o = 0; o < channels; o++) {
              const at = ((n * outHeight + row) * outWidth + column) * channels + o;
              for (let i = 0; i < depth; i++) {
                const value = input.values[((n * height + y) * width + x) * depth + i] ?? NaN;
                const weight =
                  weights.values[((o * kernelHeight + ky) * kernelWidth + kx) * depth + i] ?? NaN;
                sums[at] = (sums[at] ?? NaN) + (value - input.zeroPoint) * weight;
              }
            }
          }
        }
      }
    }
  }
  return sums;
}
