import { ModelError, UnsupportedError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { convScratchBytes, isPointwise } from "../plan/packing.ts";
import { elementCount } from "../plan/shape.ts";
import {
  listed,
  requireActivation,
  requireInput,
  requireInputCount,
  requireInts,
  requireOutput,
  requireRank,
  withShape,
} from "./check.ts";
import { channelMultipliers, int8Values, requireBias, requireWeights } from "./convolution.ts";
import type { Int16Geometry } from "./convolution-int16.ts";
import { lowerInt16, packInt16, requireWideMultipliers, WIDE_BIAS_TYPES } from "./convolution-int16.ts";
import type { ConvolutionPart } from "./convolution-parts.ts";
import { lowerParts, MAX_PARTS, packParts } from "./convolution-parts.ts";
import { MIN_STAGED_CHANNELS } from "./convolution-window.ts";
import type { FusedActivation } from "./fixed-point.ts";
import { isInt16, requireActivations } from "./int16.ts";
import { defineOp, NOWHERE } from "./op.ts";
import { Padding } from "./padding.ts";
import { placedView } from "./view.ts";

export interface TransposeConvAttrs {
  /** [batches, height, width, channels] of the output. */
  readonly shape: readonly number[];
  readonly strideY: number;
  readonly strideX: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly activation: FusedActivation;
}

interface FileOptions {
  readonly padding: number;
  readonly strideX: number;
  readonly strideY: number;
  readonly activation: number;
}

/** Largest side of an image. */
const MAX_SIZE = 2 ** 15;

/**
 * TRANSPOSE_CONV: NHWC int8 or int16 input, OHWI int8 weights, int32 bias (of int16: int64, or a shorter one). Output rows that are
 * `stride` apart see the same taps of the kernel, so that of int8 it runs as stride² ordinary convolutions of stride 1, each with its
 * share of the weights and every stride-th pixel of the output; of int16 as one, of the input spread out by the stride and with the
 * kernel turned round. Reference: TFLite reference/integer_ops/transpose_conv.h.
 */
export const transposeConv = defineOp<TransposeConvAttrs>({
  name: "transposeConv",
  types: ["int8", "int16"],
  tflite: {
    builtin: 67,
    read: (options): FileOptions => ({
      padding: options.byte(0, 0),
      strideX: options.int(1, 0),
      strideY: options.int(2, 0),
      activation: options.byte(3, 0),
    }),
  },

  prepare(inputs, outputs, options) {
    const { padding, strideX, strideY, activation } = options as FileOptions;
    requireInputCount(inputs, 3, 4);
    const shape = requireInts(requireInput(inputs, 0, "output shape"), "output shape");
    const weights = requireInput(inputs, 1, "weights");
    const input = requireInput(inputs, 2, "input");
    const output = requireOutput(outputs);
    requireRank(input, "input", 4);
    requireRank(weights, "weights", 4);
    requireActivations([input, output], "operand");
    requireWeights(weights, 0);
    const [channels = 0, kernelHeight = 0, kernelWidth = 0, depth = 0] = weights.shape;
    const [batches, , , inputDepth] = input.shape;
    const [shapeBatches, height = 0, width = 0, shapeChannels] = shape;
    if (
      shape.length !== 4 ||
      shapeBatches !== batches ||
      shapeChannels !== channels ||
      depth !== inputDepth ||
      [height, width, kernelHeight, kernelWidth].some((size) => size < 1 || size >= MAX_SIZE)
    ) {
      throw new ModelError(
        "shape-mismatch",
        `output shape ${listed(shape)} and weights "${weights.name}" [${weights.shape.join(", ")}] do not fit input ` +
          `"${input.name}" [${input.shape.join(", ")}]; export the model again`,
      );
    }
    if (!(strideY >= 1 && strideX >= 1 && strideY * strideX <= MAX_PARTS) || Padding[padding] === undefined) {
      throw new UnsupportedError(
        "bad-window",
        `the transposed convolution of "${input.name}" has strides ${strideY} × ${strideX} and padding ${padding}; strides from ` +
          `1, at most ${MAX_PARTS} together, and SAME (0) or VALID (1) are run: upsample in several steps`,
      );
    }
    const isWide = output.type === "int16";
    requireBias(inputs[3], channels, isWide ? ["int16", ...WIDE_BIAS_TYPES] : undefined);
    const multipliers = channelMultipliers(input, weights, output, channels, (a, b) => a * b);
    if (isWide) requireWideMultipliers(multipliers, output);
    return {
      shape,
      strideY,
      strideX,
      padTop: paddingBefore(padding, height, kernelHeight, strideY),
      padLeft: paddingBefore(padding, width, kernelWidth, strideX),
      activation: requireActivation(activation, output),
    };
  },

  infer: (_inputs, { shape }, outputs) => [withShape(requireOutput(outputs), shape)],

  macs({ inputs }) {
    const [, ...kernel] = requireInput(inputs, 1, "weights").shape;
    const [channels = 1] = requireInput(inputs, 1, "weights").shape;
    const [batches = 1, height = 1, width = 1] = requireInput(inputs, 2, "input").shape;
    return elementCount(kernel) * batches * height * width * channels;
  },

  pitched(node, isRead) {
    if (isInt16(node)) return false;
    const [, height = 1, width = 1, depth = 1] = requireInput(node.inputs, 1, "weights").shape;
    const { strideY, strideX } = node.attrs;
    return !isRead || (height <= strideY && width <= strideX) || depth >= MIN_STAGED_CHANNELS;
  },

  scratchBytes(node, variant, isPitched) {
    if (isInt16(node)) return 0;
    const whole = placedView(NOWHERE, requireInput(node.inputs, 2, "input"));
    const scratch = partsOf(node).map(({ depth, window, inputView, outputView }) => {
      const made = outputView(whole);
      const pointwise = isPointwise(window, inputView(whole), made);
      const geometry = { ...window, channels: depth, outputHeight: made.height, outputWidth: made.width };
      return convScratchBytes(variant, { ...geometry, pointwise, dense: isPitched !== true });
    });
    return Math.max(...scratch);
  },

  pack(node, variant) {
    const weights = requireInput(node.inputs, 1, "weights");
    const input = requireInput(node.inputs, 2, "input");
    const [channels = 0] = weights.shape;
    const multipliers = channelMultipliers(
      input,
      weights,
      requireOutput(node.outputs),
      channels,
      (a, b) => a * b,
    );
    if (isInt16(node)) {
      const size = elementCount(weights.shape) / channels;
      return packInt16(asConvolution(node), multipliers, size, (c) => turned(weights, c));
    }
    return packParts(asConvolution(node), variant, multipliers, partsOf(node));
  },

  lower(node, at, _variant, packed) {
    const places = { ...at, inputs: [at.inputs[2] ?? NOWHERE] };
    const records = isInt16(node)
      ? [{ record: lowerInt16(asConvolution(node), places, packed, geometryOf(node)) }]
      : lowerParts(asConvolution(node), places, packed, partsOf(node));
    return records.map((lowered) => ({ ...lowered, input: 2 }));
  },
});

/** The same node with activation, weights and bias in the order of a convolution. */
function asConvolution(node: BoundNode<TransposeConvAttrs>): BoundNode<TransposeConvAttrs> {
  const [, weights, input, bias] = node.inputs;
  return { ...node, inputs: [input, weights, bias] };
}

/** Of int16: a convolution of the input with stride − 1 empty pixels after each. */
function geometryOf({ attrs, inputs, outputs }: BoundNode<TransposeConvAttrs>): Int16Geometry {
  const [channels = 1, kernelHeight = 1, kernelWidth = 1, depth = 1] = requireInput(
    inputs,
    1,
    "weights",
  ).shape;
  return {
    input: requireInput(inputs, 2, "input").shape,
    output: requireOutput(outputs).shape,
    kernelHeight,
    kernelWidth,
    strideY: 1,
    strideX: 1,
    dilationY: 1,
    dilationX: 1,
    // Never negative: at most half of the kernel is padding.
    padTop: kernelHeight - 1 - attrs.padTop,
    padLeft: kernelWidth - 1 - attrs.padLeft,
    depth,
    groupChannels: channels,
    isWide: true,
    inputDilationY: attrs.strideY,
    inputDilationX: attrs.strideX,
  };
}

/** The weights of an output channel, taps from last to first. */
function turned(weights: Tensor, channel: number): Int8Array {
  const [, kernelHeight = 1, kernelWidth = 1, depth = 1] = weights.shape;
  const taps = kernelHeight * kernelWidth;
  const values = int8Values(weights).subarray(channel * taps * depth, (channel + 1) * taps * depth);
  return Int8Array.from(
    values,
    (_, i) => values[(taps - 1 - Math.floor(i / depth)) * depth + (i % depth)] ?? 0,
  );
}

/** Of the padding of the convolution that this transposes, what lies before; from the output's size. */
function paddingBefore(padding: number, output: number, kernel: number, stride: number): number {
  const steps =
    padding === (Padding.same as number)
      ? Math.ceil(output / stride)
      : Math.trunc((output - kernel + stride) / stride);
  return Math.max(0, Math.trunc(((steps - 1) * stride + kernel - output) / 2));
}

/** Output indices first, first + stride, …, and the taps that they see, as a correlation of stride 1. */
interface Phase {
  readonly first: number;
  readonly count: number;
  /** Indices into the kernel, in the order of the input; none where only the bias is seen. */
  readonly taps: readonly number[];
  /** Input indices before the first window; negative where windows begin within the input. */
  readonly padding: number;
}

function phasesOf(output: number, kernel: number, stride: number, padding: number): Phase[] {
  return Array.from({ length: Math.min(stride, output) }, (_, first): Phase => {
    const residue = (first + padding) % stride;
    const taps: number[] = [];
    for (let tap = residue; tap < kernel; tap += stride) taps.unshift(tap);
    const position = (first + padding - residue) / stride;
    return { first, count: Math.ceil((output - first) / stride), taps, padding: taps.length - 1 - position };
  });
}

function partsOf({ attrs, inputs }: BoundNode<TransposeConvAttrs>): ConvolutionPart[] {
  const weights = requireInput(inputs, 1, "weights");
  const [channels = 1, kernelHeight = 1, kernelWidth = 1, depth = 1] = weights.shape;
  const { shape, strideY, strideX, padTop, padLeft } = attrs;
  const [, height = 1, width = 1] = shape;
  const input = requireInput(inputs, 2, "input");
  const rows = phasesOf(height, kernelHeight, strideY, padTop);
  const columns = phasesOf(width, kernelWidth, strideX, padLeft);
  return rows.flatMap((row) =>
    columns.map((column): ConvolutionPart => {
      const isEmpty =
        row.taps.length === 0 ||
        column.taps.length === 0 ||
        isBeyond(row, input, 1) ||
        isBeyond(column, input, 2);
      const [y, x] = isEmpty ? [NO_TAPS, NO_TAPS] : [row, column];
      return {
        weights: isEmpty ? new Int8Array(channels * depth) : tapsOf(weights, y.taps, x.taps),
        firstChannel: 0,
        channels,
        depth,
        window: {
          kernelHeight: Math.max(y.taps.length, 1),
          kernelWidth: Math.max(x.taps.length, 1),
          strideY: 1,
          strideX: 1,
          dilationY: 1,
          dilationX: 1,
          padTop: Math.max(y.padding, 0),
          padLeft: Math.max(x.padding, 0),
        },
        inputView(view) {
          const [above, left] = [Math.max(-y.padding, 0), Math.max(-x.padding, 0)];
          return {
            ...view,
            address: view.address + above * view.rowBytes + left * view.pixelBytes,
            height: view.height - above,
            width: view.width - left,
            ringRows: view.height - above,
          };
        },
        outputView: (view) => ({
          ...view,
          address: view.address + row.first * view.rowBytes + column.first * view.pixelBytes,
          pixelBytes: strideX * view.pixelBytes,
          rowBytes: strideY * view.rowBytes,
          height: row.count,
          width: column.count,
          ringRows: row.count,
        }),
      };
    }),
  );
}

/** A window over nothing: one tap of weight 0. */
const NO_TAPS: Pick<Phase, "taps" | "padding"> = { taps: [], padding: 0 };

/** All windows begin behind the input. */
function isBeyond({ padding }: Phase, { shape }: Tensor, axis: number): boolean {
  return -padding >= (shape[axis] ?? 1);
}

/** OHWI weights of these rows and columns of the kernel. */
function tapsOf(weights: Tensor, rows: readonly number[], columns: readonly number[]): Int8Array {
  const [channels = 1, kernelHeight = 1, kernelWidth = 1, depth = 1] = weights.shape;
  const values = int8Values(weights);
  const taken = new Int8Array(channels * rows.length * columns.length * depth);
  let at = 0;
  for (let o = 0; o < channels; o++) {
    for (const y of rows) {
      for (const x of columns) {
        const from = ((o * kernelHeight + y) * kernelWidth + x) * depth;
        taken.set(values.subarray(from, from + depth), at);
        at += depth;
      }
    }
  }
  return taken;
}
