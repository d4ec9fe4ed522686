import { UnsupportedError } from "../errors.ts";
import type { BoundNode, TensorType } from "../graph/graph.ts";
import { elementCount } from "../graph/graph.ts";
import type { SpatialGeometry } from "../plan/packing.ts";
import {
  blockChannels,
  blockHeadBytes,
  convBlockBytes,
  convPixelsAtOnce,
  convScratchBytes,
  convSegments,
  dotLanes,
  isPointwise,
  pointwiseRowsAtOnce,
} from "../plan/packing.ts";
import type { RecordOf } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import {
  perTensor,
  requireActivation,
  requireInput,
  requireInputCount,
  requireInt8,
  requireOutput,
  requireRank,
  requireWindow,
  withShape,
} from "./check.ts";
import type { Multiplier } from "./fixed-point.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import {
  channelMultipliers,
  convolvedSize,
  int8Values,
  outputRange,
  packBlocks,
  requireBias,
  requireWeights,
} from "./convolution.ts";
import type { Addresses, Packed, Window } from "./op.ts";
import { defineOp, NOWHERE } from "./op.ts";
import { resolvePadding } from "./padding.ts";
import { denseView } from "./view.ts";
import { rowOverlapDistance, windowRows } from "./window.ts";

interface ConvOptions {
  readonly padding: number;
  readonly strideX: number;
  readonly strideY: number;
  readonly activation: number;
  readonly dilationX: number;
  readonly dilationY: number;
}

/** CONV_2D: NHWC int8 input, OHWI int8 weights, int32 bias. Reference: TFLite reference/integer_ops/conv.h. */
export const conv2d = defineOp<ConvolutionAttrs>({
  name: "conv2d",
  tflite: {
    builtin: 3,
    read: (options): ConvOptions => ({
      padding: options.byte(0, 0),
      strideX: options.int(1, 0),
      strideY: options.int(2, 0),
      activation: options.byte(3, 0),
      dilationX: options.int(4, 1),
      dilationY: options.int(5, 1),
    }),
  },

  prepare(inputs, outputs, options) {
    const { padding, strideX, strideY, activation, dilationX, dilationY } = options as ConvOptions;
    requireInputCount(inputs, 2, 3);
    const input = requireInput(inputs, 0, "input");
    const weights = requireInput(inputs, 1, "weights");
    const output = requireOutput(outputs);
    requireRank(input, "input", 4);
    requireRank(weights, "weights", 4);
    requireInt8(input, "input");
    requireInt8(output, "output");
    requireWeights(weights, 0);
    const [, height = 0, width = 0, depth = 0] = input.shape;
    const [channels = 0, kernelHeight = 0, kernelWidth = 0, filterDepth = 0] = weights.shape;
    if (filterDepth !== depth) {
      throw new UnsupportedError(
        "grouped-convolution",
        `weights "${weights.name}" take ${filterDepth} channels, input "${input.name}" has ${depth}; ` +
          "grouped convolutions are not run yet: split the operator",
      );
    }
    requireBias(inputs[2], channels);
    requireWindow(
      input,
      padding,
      { kernel: kernelHeight, stride: strideY, dilation: dilationY },
      { kernel: kernelWidth, stride: strideX, dilation: dilationX },
    );
    channelMultipliers(input, weights, output, channels, (a, b) => a * b);
    return {
      ...paddingAttrs(padding, height, width, kernelHeight, kernelWidth, {
        strideY,
        strideX,
        dilationY,
        dilationX,
      }),
      activation: requireActivation(activation, output),
    };
  },

  infer([input, weights], attrs, [output]) {
    const [batches = 0, height = 0, width = 0] = input?.shape ?? [];
    const [channels = 0, kernelHeight = 0, kernelWidth = 0] = weights?.shape ?? [];
    return [
      withShape(output ?? { shape: [], type: "int8" }, [
        batches,
        convolvedSize(height, attrs.padTop + attrs.padBottom, kernelHeight, attrs.strideY, attrs.dilationY),
        convolvedSize(width, attrs.padLeft + attrs.padRight, kernelWidth, attrs.strideX, attrs.dilationX),
        channels,
      ]),
    ];
  },

  window: windowOf,

  rows: (node) => windowRows(windowOf(node), requireOutput(node.outputs), node.inputs.length),

  macs({ inputs, outputs }) {
    const [, kernelHeight = 1, kernelWidth = 1, depth = 1] = requireInput(inputs, 1, "weights").shape;
    return requireOutput(outputs).shape.reduce((a, b) => a * b, kernelHeight * kernelWidth * depth);
  },

  scratchBytes: (node, variant) => convScratchBytes(variant, geometry(node)),

  // A row's input is staged before the row is written; a 1×1 kernel goes pixel by pixel, or tile by tile.
  overlapDistance(node, input, variant) {
    if (input !== 0) return undefined;
    const [from, to] = [requireInput(node.inputs, 0, "input"), requireOutput(node.outputs)];
    const { strideY, strideX } = node.attrs;
    const { pointwise, outputWidth } = geometry(node);
    if (!pointwise) return rowOverlapDistance(node.attrs, from, to);
    if (strideY * strideX !== 1)
      return rowOverlapDistance(node.attrs, from, to, pointwiseRowsAtOnce(outputWidth));
    // Pixel by pixel: each is a row of its own.
    const pixels = ({
      shape: [batches = 1, height = 1, width = 1, channels = 1],
    }: TensorType): TensorType => ({
      shape: [batches, height * width, 1, channels],
      type: "int8",
    });
    return rowOverlapDistance({ strideY: 1, padTop: 0 }, pixels(from), pixels(to), convPixelsAtOnce(variant));
  },

  pack(node, variant) {
    const input = requireInput(node.inputs, 0, "input");
    const weights = requireInput(node.inputs, 1, "weights");
    const output = requireOutput(node.outputs);
    const [channels = 0] = weights.shape;
    return packConvolution(node, variant, {
      multipliers: channelMultipliers(input, weights, output, channels, (a, b) => a * b),
      kernelHeight: weights.shape[1] ?? 1,
      kernelWidth: weights.shape[2] ?? 1,
      depth: weights.shape[3] ?? 1,
      dilationX: node.attrs.dilationX,
    });
  },

  lower(node, at, _variant, packed) {
    const { strideY, strideX, dilationY, dilationX, padTop } = node.attrs;
    const { padLeft = node.attrs.padLeft } = at;
    const { kernelHeight, kernelWidth } = geometry(node);
    return lowerConvolution(node, at, packed, {
      input: requireInput(node.inputs, 0, "input").shape,
      output: requireOutput(node.outputs).shape,
      window: { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft },
    });
  },
});

/** The window of a convolution, whose weights are [channels, or 1 where depthwise, height, width, …]. */
export function windowOf({ attrs, inputs }: BoundNode<ConvolutionAttrs>): Window {
  const [, kernelHeight = 1, kernelWidth = 1] = requireInput(inputs, 1, "weights").shape;
  return { kernelHeight, kernelWidth, ...attrs };
}

/** Padding of the file as numbers, for both dimensions. */
export function paddingAttrs(
  padding: number,
  height: number,
  width: number,
  kernelHeight: number,
  kernelWidth: number,
  steps: Pick<ConvolutionAttrs, "strideY" | "strideX" | "dilationY" | "dilationX">,
): Omit<ConvolutionAttrs, "activation"> {
  const { strideY, strideX, dilationY, dilationX } = steps;
  const rows = resolvePadding(padding, height, kernelHeight, strideY, dilationY);
  const columns = resolvePadding(padding, width, kernelWidth, strideX, dilationX);
  const after = (before: number, output: number, stride: number, extent: number, size: number): number =>
    Math.max(0, (output - 1) * stride + extent - size - before);
  return {
    ...steps,
    padTop: rows.before,
    padLeft: columns.before,
    padBottom: after(rows.before, rows.output, strideY, (kernelHeight - 1) * dilationY + 1, height),
    padRight: after(columns.before, columns.output, strideX, (kernelWidth - 1) * dilationX + 1, width),
  };
}

function geometry(node: BoundNode<ConvolutionAttrs>): SpatialGeometry {
  const [, height = 1, width = 1, channels = 1] = requireInput(node.inputs, 0, "input").shape;
  const [, kernelHeight = 1, kernelWidth = 1] = requireInput(node.inputs, 1, "weights").shape;
  const [, outputHeight = 1, outputWidth = 1] = requireOutput(node.outputs).shape;
  const window = { kernelHeight, kernelWidth, ...node.attrs };
  return {
    kernelHeight,
    kernelWidth,
    channels,
    strideX: node.attrs.strideX,
    dilationX: node.attrs.dilationX,
    outputHeight,
    outputWidth,
    pointwise: isPointwise(window, { height, width }, { height: outputHeight, width: outputWidth }),
    dense: window.strideX === 1,
  };
}

/** How `packConvolution` sees the weights: OHWI, with a multiplier per output channel. */
export interface ConvolutionWeights {
  readonly multipliers: readonly Multiplier[];
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly depth: number;
  readonly dilationX: number;
}

/** Blocks for the conv2d record: [segment][step][channel][lane], zero where a segment's last step has no input. */
export function packConvolution(
  node: BoundNode<Pick<ConvolutionAttrs, "activation">>,
  variant: Variant,
  { multipliers, kernelHeight, kernelWidth, depth, dilationX }: ConvolutionWeights,
): Packed {
  const weights = int8Values(requireInput(node.inputs, 1, "weights"));
  const patch = convSegments(kernelHeight, kernelWidth, depth, dilationX);
  const size = kernelHeight * kernelWidth * depth;
  const lanes = dotLanes(variant);
  const perBlock = blockChannels(variant);
  const steps = Math.ceil(patch.length / lanes);
  return packBlocks(
    {
      channels: multipliers.length,
      multipliers,
      bias: node.inputs[2],
      inputZeroPoint: perTensor(requireInput(node.inputs, 0, "input"), "input").zeroPoint,
      output: outputRange(node),
      foldZeroPoint: true,
      weightsOf: (channel) => weights.subarray(channel * size, (channel + 1) * size),
      blockBytes: (method) => convBlockBytes(variant, method, patch),
      headBytes: (method) => blockHeadBytes(variant, method),
      writeWeights(bytes, start, lane, values) {
        let from = 0;
        for (let segment = 0; segment < patch.segments; segment++) {
          let at = start + (segment * steps * perBlock + lane) * lanes;
          for (let i = 0; i < patch.length; i += lanes, at += perBlock * lanes) {
            const end = Math.min(lanes, patch.length - i);
            for (let j = 0; j < end; j++) bytes[at + j] = values[from++] ?? 0;
          }
        }
      },
    },
    variant,
  );
}

/** The conv2d record of one range of output channels; shapes are NHWC. */
export function lowerConvolution(
  node: BoundNode<Pick<ConvolutionAttrs, "activation">>,
  at: Addresses,
  packed: Packed | undefined,
  { input, output, window }: ConvolutionShapes,
): RecordOf<"conv2d"> {
  const range = outputRange(node);
  return {
    op: "conv2d",
    inputView: denseView(at.inputs[0] ?? NOWHERE, { shape: input, type: "int8" }),
    outputView: denseView(at.outputs[0] ?? NOWHERE, { shape: output, type: "int8" }),
    y0: 0,
    y1: output[1] ?? 1,
    c0: at.c0,
    c1: at.c1,
    batches: input[0] ?? 1,
    inputBatchBytes: elementCount(input.slice(1)),
    outputBatchBytes: elementCount(output.slice(1)),
    ...window,
    weights: at.packed,
    requantization: packed?.fields["requantization"] ?? 0,
    requantizationShift: packed?.fields["requantizationShift"] ?? 0,
    inputZeroPoint: perTensor(requireInput(node.inputs, 0, "input"), "input").zeroPoint,
    outputZeroPoint: range.zeroPoint,
    activationMin: range.min,
    activationMax: range.max,
    scratch: at.scratch,
  };
}

/** NHWC shapes and window of a conv2d record. */
export interface ConvolutionShapes {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly window: Pick<
    RecordOf<"conv2d">,
    "kernelHeight" | "kernelWidth" | "strideY" | "strideX" | "dilationY" | "dilationX" | "padTop" | "padLeft"
  >;
}
