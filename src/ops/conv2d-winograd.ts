/** CONV_2D of 3×3 kernels at stride 1 by Winograd's minimal filtering: assembly/kernels/conv2d-winograd.ts. */
import type { BoundNode } from "../graph/graph.ts";
import {
  align,
  blockHeadBytes,
  WINOGRAD_POSITIONS,
  WINOGRAD_ROWS,
  WINOGRAD_TILES,
  winogradPairs,
  winogradScratchBytes,
  winogradWeightBytes,
} from "../plan/packing.ts";
import type { Variant } from "../plan/variant.ts";
import { perTensor, requireInput, requireOutput } from "./check.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import { int8Values, outputRange, packBlocks } from "./convolution.ts";
import type { Multiplier } from "./fixed-point.ts";
import type { Packed } from "./op.ts";
import { rowOverlapDistance } from "./window.ts";

type Convolution = BoundNode<ConvolutionAttrs>;

/** Whether the node may run so. Sums are four times the convolution's, and must not wrap before they are divided. */
export function isWinograd(node: Convolution, variant: Variant, groups: number): boolean {
  const input = requireInput(node.inputs, 0, "input");
  const [, kernelHeight, kernelWidth, depth = 0] = requireInput(node.inputs, 1, "weights").shape;
  const { strideY, strideX, dilationY, dilationX } = node.attrs;
  return (
    variant === "simd" &&
    input.type === "int8" &&
    groups === 1 &&
    [kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX].join() === "3,3,1,1,1,1" &&
    4 * 9 * depth * 2 ** 14 < 2 ** 31
  );
}

export function winogradScratch({ inputs, outputs }: Convolution, variant: Variant): number {
  const [, , , depth = 1] = requireInput(inputs, 0, "input").shape;
  const [, , width = 1] = requireOutput(outputs).shape;
  return winogradScratchBytes(variant, depth, width);
}

export function winogradOverlapDistance(node: Convolution): number | undefined {
  return rowOverlapDistance(
    node.attrs,
    requireInput(node.inputs, 0, "input"),
    requireOutput(node.outputs),
    WINOGRAD_ROWS,
  );
}

/** Blocks for the conv2dWinograd record: int16 [position][pair of input channels][channel][2], of kernels transformed by 2 G. */
export function packWinograd(
  node: Convolution,
  variant: Variant,
  multipliers: readonly Multiplier[],
): Packed {
  const weights = requireInput(node.inputs, 1, "weights");
  const values = int8Values(weights);
  const [, , , depth = 1] = weights.shape;
  const size = 9 * depth;
  const pairs = winogradPairs(depth);
  return packBlocks(
    {
      name: weights.name,
      channels: multipliers.length,
      multipliers,
      bias: node.inputs[2],
      inputZeroPoint: perTensor(requireInput(node.inputs, 0, "input"), "input").zeroPoint,
      output: outputRange(node),
      onePixel: false,
      weightsOf: (channel) => values.subarray(channel * size, (channel + 1) * size),
      blockBytes: (method) => blockHeadBytes(variant, method) + winogradWeightBytes(depth),
      headBytes: (method) => blockHeadBytes(variant, method),
      writeWeights(bytes, start, lane, kernel) {
        // Blocks begin at even bytes, and hosts are little-endian.
        const out = new Int16Array(bytes.buffer, bytes.byteOffset);
        for (let i = 0; i < depth; i++) {
          transformKernel(kernel, i, depth, out, start / 2 + 16 * (i >> 1) + 2 * lane + (i & 1), 16 * pairs);
        }
      },
    },
    variant,
  );
}

/**
 * (2 G) g (2 G)ᵀ of input channel `channel` of a kernel [3, 3, depth], 2 G of F(2×2, 3×3) being
 *
 *   2  0  0
 *   1  1  1
 *   1 −1  1
 *   0  0  2
 *
 * written to `out`, `stride` elements apart from element `at` on. Spelled out, for loading runs it thousands of times before V8 compiles it.
 */
function transformKernel(
  kernel: Int8Array,
  channel: number,
  depth: number,
  out: Int16Array,
  at: number,
  stride: number,
): void {
  for (let row = 0; row < 4; row++) {
    const a = columnSum(row, kernel, channel, depth);
    const b = columnSum(row, kernel, channel + depth, depth);
    const c = columnSum(row, kernel, channel + 2 * depth, depth);
    for (let column = 0; column < 4; column++, at += stride) out[at] = weighted(column, a, b, c);
  }
}

/** Row `row` of 2 G times a column of the kernel, which begins at element `first`. */
function columnSum(row: number, kernel: Int8Array, first: number, depth: number): number {
  return weighted(row, kernel[first] ?? 0, kernel[first + 3 * depth] ?? 0, kernel[first + 6 * depth] ?? 0);
}

/** Row `row` of 2 G times three values. */
function weighted(row: number, a: number, b: number, c: number): number {
  if (row === 0) return 2 * a;
  if (row === 3) return 2 * c;
  return row === 1 ? a + b + c : a - b + c;
}

/** What transforming a tile's inputs and its outputs takes, in multiply-accumulates per channel; measured (docs/performance.md). */
const INPUT_TRANSFORM = 65;
const OUTPUT_TRANSFORM = 115;
/** Multiply-accumulates of a usual layer that take as long. */
export function winogradWork({ inputs, outputs }: Convolution): number {
  const [, , , depth = 1] = requireInput(inputs, 0, "input").shape;
  const [batches = 1, height = 1, width = 1, channels = 1] = requireOutput(outputs).shape;
  const rows = batches * Math.ceil(height / 2);
  const tiles = Math.ceil(width / 2);
  const transforms = rows * tiles * (INPUT_TRANSFORM * depth + OUTPUT_TRANSFORM * channels);
  return transforms + rows * align(tiles, WINOGRAD_TILES) * WINOGRAD_POSITIONS * align(depth, 8) * channels;
}
