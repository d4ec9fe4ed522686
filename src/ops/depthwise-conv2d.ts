import { ModelError } from "../errors.ts";
import type { BoundNode } from "../graph/graph.ts";
import type { DepthwiseGeometry, DepthwiseKernel } from "../plan/packing.ts";
import {
  align,
  blockHeadBytes,
  depthwiseBlockBytes,
  depthwisePlaneBytes,
  depthwiseRowGroups,
  depthwiseRowsAtOnce,
  depthwiseRowsTogether,
  depthwiseScratchBytes,
  dotLanes,
  isShared,
  isSliding,
  laneThrees,
} from "../plan/packing.ts";
import { elementCount } from "../plan/shape.ts";
import type { Variant } from "../plan/variant.ts";
import { perTensor, requireInput, requireInputCount, requireOutput, requireRank } from "./check.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import { channelMultipliers, int8Values, outputRange, packBlocks, requireWeights } from "./convolution.ts";
import { lowerInt16, packInt16 } from "./convolution-int16.ts";
import type { WindowOptions } from "./convolution-window.ts";
import { convolutionRows, convolved, prepareWindow } from "./convolution-window.ts";
import type { Multiplier } from "./fixed-point.ts";
import { isInt16, requireActivations } from "./int16.ts";
import type { Addresses, Packed } from "./op.ts";
import { defineOp, NOWHERE } from "./op.ts";
import { placedView } from "./view.ts";
import { rowOverlapDistance } from "./window.ts";

/** As a convolution; output channel c reads input channel c / depthMultiplier. */
export interface DepthwiseAttrs extends ConvolutionAttrs {
  readonly depthMultiplier: number;
}

interface DepthwiseOptions extends WindowOptions {
  readonly depthMultiplier: number;
}

/**
 * DEPTHWISE_CONV_2D: NHWC int8 input, weights int8 [1, kh, kw, outDepth], int32 bias.
 * Reference: TFLite reference/integer_ops/depthwise_conv.h.
 */
export const depthwiseConv2d = defineOp<DepthwiseAttrs>({
  name: "depthwiseConv2d",
  types: ["int8", "int16"],
  tflite: {
    builtin: 4,
    read: (options): DepthwiseOptions => ({
      padding: options.byte(0, 0),
      strideX: options.int(1, 0),
      strideY: options.int(2, 0),
      depthMultiplier: options.int(3, 0),
      activation: options.byte(4, 0),
      dilationX: options.int(5, 1),
      dilationY: options.int(6, 1),
    }),
  },

  prepare(inputs, outputs, options) {
    const { depthMultiplier, ...window } = options as DepthwiseOptions;
    requireInputCount(inputs, 2, 3);
    const input = requireInput(inputs, 0, "input");
    const weights = requireInput(inputs, 1, "weights");
    const output = requireOutput(outputs);
    requireRank(input, "input", 4);
    requireRank(weights, "weights", 4);
    requireActivations([input, output], "operand");
    requireWeights(weights, 3);
    const depth = input.shape[3] ?? 0;
    const [one = 0, , , channels = 0] = weights.shape;
    if (one !== 1 || channels === 0 || channels % depth !== 0) {
      throw new ModelError(
        "depthwise-shape",
        `weights "${weights.name}" have shape [${weights.shape.join(", ")}]; over ${depth} input channels it must ` +
          "be [1, height, width, a multiple of them]: export the model again",
      );
    }
    // The file's multiplier may be 0 (some converters leave it out): the shapes decide, and must agree if it is given.
    if (depthMultiplier !== 0 && depthMultiplier * depth !== channels) {
      throw new ModelError(
        "depth-multiplier",
        `depth multiplier ${depthMultiplier} over ${depth} channels does not give the ${channels} of weights ` +
          `"${weights.name}"; export the model again`,
      );
    }
    return { ...prepareWindow(inputs, output, channels, window), depthMultiplier: channels / depth };
  },

  infer: (inputs, attrs, [output]) => [convolved(inputs, attrs, inputs[1]?.shape[3] ?? 0, output)],

  pitched: (node) => !isInt16(node),
  rows: convolutionRows,

  rowsAtOnce: ({ attrs, inputs }, variant) => {
    const [, kernelHeight = 1] = requireInput(inputs, 1, "weights").shape;
    return depthwiseRowsAtOnce(variant, { kernelHeight, ...attrs });
  },

  macs({ inputs, outputs }) {
    const [, kernelHeight = 1, kernelWidth = 1] = requireInput(inputs, 1, "weights").shape;
    return elementCount(requireOutput(outputs).shape) * kernelHeight * kernelWidth;
  },

  scratchBytes: (node, variant) => (isInt16(node) ? 0 : depthwiseScratchBytes(variant, geometryOf(node))),

  inPlaceScratchBytes(node, variant) {
    const [batches, height = 1, width = 1] = requireInput(node.inputs, 0, "input").shape;
    const [, outputHeight = 1, outputWidth = 1] = requireOutput(node.outputs).shape;
    if (batches !== 1 || node.attrs.depthMultiplier !== 1 || isInt16(node)) return undefined;
    if (outputHeight * outputWidth !== height * width) return undefined;
    return planeOffset(node, variant) + depthwisePlaneBytes(variant, height, width);
  },

  // Rows are written only after their windows have been read, 8 or 16 channels at a time. Streamed weights make several
  // passes over the rows, so the planner asks for no overlap then.
  overlapDistance(node, input, variant) {
    if (input !== 0 || isInt16(node)) return undefined;
    const [from, to] = [requireInput(node.inputs, 0, "input"), requireOutput(node.outputs)];
    return rowOverlapDistance(node.attrs, from, to, depthwiseRowsTogether(variant, geometryOf(node)));
  },

  filterPerChannel: true,

  channelMultipliers: multipliersOf,
  carriesChannels: ({ attrs }) => attrs.depthMultiplier === 1,

  pack(node, variant) {
    if (isInt16(node)) return packDepthwiseInt16(node);
    const input = requireInput(node.inputs, 0, "input");
    const weights = requireInput(node.inputs, 1, "weights");
    const [, kernelHeight = 1, kernelWidth = 1, channels = 1] = weights.shape;
    const values = int8Values(weights);
    const taps = kernelHeight * kernelWidth;
    const lanes = dotLanes(variant);
    const groups = depthwiseRowGroups(variant, kernelHeight);
    const kernel = { kernelHeight, kernelWidth, ...node.attrs };
    const rowsAtOnce = depthwiseRowsAtOnce(variant, kernel);
    return packBlocks(
      {
        name: weights.name,
        channels,
        multipliers: multipliersOf(node),
        bias: node.inputs[2],
        inputZeroPoint: perTensor(input, "input").zeroPoint,
        output: outputRange(node),
        onePixel: false,
        weightsOf(channel) {
          const channelTaps = new Int8Array(taps);
          for (let tap = 0; tap < taps; tap++) channelTaps[tap] = values[tap * channels + channel] ?? 0;
          return channelTaps;
        },
        blockBytes: (method) => depthwiseBlockBytes(variant, method, kernel),
        headBytes: (method) => blockHeadBytes(variant, method),
        writeWeights(bytes, start, lane, channelTaps, method) {
          if (variant === "mcu") {
            if (isSliding(method, kernel)) writeLanes(bytes, start, channelTaps, kernel);
            else bytes.set(channelTaps, start);
            return;
          }
          // int16 in simd: the sign fills the upper byte.
          const width = variant === "simd" ? 2 : 1;
          for (let tap = 0; tap < taps; tap++) {
            const weight = channelTaps[tap] ?? 0;
            for (let row = 0; row < rowsAtOnce; row++) {
              const ky = Math.floor(tap / kernelWidth) + row * node.attrs.strideY;
              const group = (tap % kernelWidth) * groups + Math.floor(ky / lanes);
              const at = start + 32 * (group * rowsAtOnce + row) + 4 * lane + width * (ky % lanes);
              bytes[at] = weight;
              if (width === 2) bytes[at + 1] = weight >> 7;
            }
          }
        },
      },
      variant,
    );
  },

  lower(node, at, variant, packed) {
    if (isInt16(node)) return lowerDepthwiseInt16(node, at, packed);
    const input = requireInput(node.inputs, 0, "input");
    const output = requireOutput(node.outputs);
    const [, kernelHeight = 1, kernelWidth = 1] = requireInput(node.inputs, 1, "weights").shape;
    const { strideY, strideX, dilationY, dilationX, padTop, depthMultiplier } = node.attrs;
    const { padLeft = node.attrs.padLeft } = at;
    const range = outputRange(node);
    const inputView = placedView(at.inputs[0] ?? NOWHERE, input);
    const outputView = placedView(at.outputs[0] ?? NOWHERE, output);
    return {
      op: "depthwiseConv2d",
      inputView,
      outputView,
      y0: 0,
      y1: output.shape[1] ?? 1,
      c0: at.c0,
      c1: at.c1,
      batches: input.shape[0] ?? 1,
      inputBatchBytes: inputView.height * inputView.rowBytes,
      outputBatchBytes: outputView.height * outputView.rowBytes,
      kernelHeight,
      kernelWidth,
      strideY,
      strideX,
      dilationY,
      dilationX,
      padTop,
      padLeft,
      weights: at.packed,
      requantization: packed?.fields["requantization"] ?? 0,
      inputZeroPoint: perTensor(input, "input").zeroPoint,
      outputZeroPoint: range.zeroPoint,
      activationMin: range.min,
      activationMax: range.max,
      scratch: at.scratch,
      depthMultiplier,
      plane: at.inPlace === true ? at.scratch + planeOffset(node, variant) : 0,
    };
  },
});

/**
 * One channel's weights [ky][kx] by threes of the outputs that a column meets, for each phase of the stride: words [phase][three][ky],
 * each with 128 more than the weights in bits 0, 21 and 8 (spread in assembly/micro/lanes.ts), the lowest lane first, which is the
 * phase's last column.
 */
function writeLanes(bytes: Int8Array, start: number, taps: Int8Array, kernel: DepthwiseKernel): void {
  const { kernelHeight, kernelWidth } = kernel;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = start;
  for (const columns of laneColumns(kernel)) {
    for (let ky = 0; ky < kernelHeight; ky++) {
      const [first = 0, second = 0, third = 0] = columns.map(
        (kx) => 128 + (kx < 0 ? 0 : (taps[ky * kernelWidth + kx] ?? 0)),
      );
      view.setUint32(at, first | (second << 21) | (third << 8), true);
      at += 4;
    }
  }
}

/** The kernel's columns of three lanes, negative where there is none, for the words of a row in turn. */
function laneColumns(kernel: DepthwiseKernel): number[][] {
  if (isShared(kernel)) return [[2, 0, 1]];
  const { kernelWidth, strideX } = kernel;
  const threes = laneThrees(kernel);
  return Array.from({ length: strideX * threes }, (_, word) => {
    const last = kernelWidth + Math.floor(word / threes) - (1 + 3 * (word % threes)) * strideX;
    return [last, last - strideX, last - 2 * strideX];
  });
}

/** `isPlane`: of one block at a time. */
function geometryOf(node: BoundNode<DepthwiseAttrs>, isPlane = false): DepthwiseGeometry {
  const { attrs, inputs, outputs } = node;
  const [, kernelHeight = 1, kernelWidth = 1, depth = 1] = requireInput(inputs, 1, "weights").shape;
  const [, , outputWidth = 1] = requireOutput(outputs).shape;
  const { min, zeroPoint } = outputRange(node);
  const channels = isPlane ? 1 : depth;
  return { ...attrs, kernelHeight, kernelWidth, channels, outputWidth, isRelu: min >= zeroPoint };
}

/** Where a copy of one block's channels begins, behind the usual scratch. */
function planeOffset(node: BoundNode<DepthwiseAttrs>, variant: Variant): number {
  return align(depthwiseScratchBytes(variant, geometryOf(node, true)), 16);
}

/** Channels of the weights, which are the last dimension, one after another. */
function packDepthwiseInt16(node: BoundNode<DepthwiseAttrs>): Packed {
  const weights = requireInput(node.inputs, 1, "weights");
  const channels = weights.shape[3] ?? 1;
  const values = int8Values(weights);
  const taps = values.length / channels;
  const weightsOf = (c: number): Int8Array =>
    Int8Array.from({ length: taps }, (_, tap) => values[tap * channels + c] ?? 0);
  return packInt16(node, multipliersOf(node), taps, weightsOf);
}

function multipliersOf({ inputs, outputs }: BoundNode): Multiplier[] {
  const weights = requireInput(inputs, 1, "weights");
  const input = requireInput(inputs, 0, "input");
  return channelMultipliers(input, weights, requireOutput(outputs), weights.shape[3] ?? 0, (a, b) => a * b);
}

function lowerDepthwiseInt16(
  node: BoundNode<DepthwiseAttrs>,
  at: Addresses,
  packed: Packed | undefined,
): ReturnType<typeof lowerInt16> {
  const [, kernelHeight = 1, kernelWidth = 1] = requireInput(node.inputs, 1, "weights").shape;
  const { strideY, strideX, dilationY, dilationX, padTop, padLeft, depthMultiplier } = node.attrs;
  return lowerInt16(node, at, packed, {
    input: requireInput(node.inputs, 0, "input").shape,
    output: requireOutput(node.outputs).shape,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    dilationY,
    dilationX,
    padTop,
    padLeft,
    depth: 1,
    groupChannels: depthMultiplier,
    isWide: true,
  });
}
