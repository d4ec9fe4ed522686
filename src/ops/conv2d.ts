import { ModelError } from "../errors.ts";
import type { BoundNode, TensorType } from "../graph/graph.ts";
import type { Segments, SpatialGeometry } from "../plan/packing.ts";
import type { RecordOf } from "../plan/record.ts";
import {
  convPixelsAtOnce,
  convScratchBytes,
  convSegments,
  isPointwise,
  methodOf,
  pointwiseRowsAtOnce,
  requantizationWord,
  shiftOf,
  SINGLE,
  SINGLE_COLUMNS,
  WINOGRAD_ROWS,
} from "../plan/packing.ts";
import type { Variant } from "../plan/variant.ts";
import { elementCount } from "../plan/shape.ts";
import { requireInput, requireInputCount, requireOutput, requireRank } from "./check.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import {
  isWinograd,
  packWinograd,
  winogradOverlapDistance,
  winogradScratch,
  winogradWork,
} from "./conv2d-winograd.ts";
import { channelMultipliers, int8Values, requireWeights } from "./convolution.ts";
import { isWideSum, lowerInt16, packInt16 } from "./convolution-int16.ts";
import type { ConvolutionPart } from "./convolution-parts.ts";
import { lowerParts, MAX_PARTS, packParts } from "./convolution-parts.ts";
import type { WindowOptions } from "./convolution-window.ts";
import { convolutionRows, convolved, MIN_STAGED_CHANNELS, prepareWindow } from "./convolution-window.ts";
import { isInt16, requireActivations } from "./int16.ts";
import type { Multiplier } from "./fixed-point.ts";
import type { OpDefinition } from "./op.ts";
import { defineOp } from "./op.ts";
import { isVectorProduct, vectorWork } from "./vector-product.ts";
import { rowOverlapDistance } from "./window.ts";

interface ConvOptions extends WindowOptions {
  readonly biasType: number;
}

/** CONV_2D: NHWC int8 or int16 input, OHWI int8 weights, int32 bias. Reference: TFLite reference/integer_ops/conv.h. */
export const conv2d: OpDefinition = defineOp<ConvolutionAttrs>({
  name: "conv2d",
  types: ["int8", "int16"],
  tflite: {
    builtin: 3,
    read: (options): ConvOptions => ({
      padding: options.byte(0, 0),
      strideX: options.int(1, 0),
      strideY: options.int(2, 0),
      activation: options.byte(3, 0),
      dilationX: options.int(4, 1),
      dilationY: options.int(5, 1),
      biasType: options.byte(6, 0),
    }),
  },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 2, 3);
    const input = requireInput(inputs, 0, "input");
    const weights = requireInput(inputs, 1, "weights");
    const output = requireOutput(outputs);
    requireRank(input, "input", 4);
    requireRank(weights, "weights", 4);
    requireActivations([input, output], "operand");
    requireWeights(weights, 0);
    const depth = input.shape[3] ?? 0;
    const [channels = 0, , , filterDepth = 0] = weights.shape;
    const groups = depth / filterDepth;
    if (!Number.isInteger(groups) || channels % groups !== 0 || groups > MAX_PARTS) {
      throw new ModelError(
        "bad-groups",
        `weights "${weights.name}" take ${filterDepth} channels to ${channels}, input "${input.name}" has ${depth}; a whole number ` +
          `of groups, at most ${MAX_PARTS}, is needed: export the model again`,
      );
    }
    const { biasType, ...window } = options as ConvOptions;
    const attrs = prepareWindow(inputs, output, channels, window);
    return output.type === "int16" ? { ...attrs, biasType } : attrs;
  },

  infer: (inputs, attrs, [output]) => [convolved(inputs, attrs, inputs[1]?.shape[0] ?? 0, output)],

  pitched(node, isRead) {
    if (isInt16(node)) return false;
    const [, , , depth = 1] = requireInput(node.inputs, 0, "input").shape;
    return !isRead || geometry(node).pointwise || depth >= MIN_STAGED_CHANNELS;
  },

  rows: convolutionRows,

  macs: macsOf,

  scratchBytes(node, variant, isPitched) {
    if (isInt16(node)) return 0;
    const { dense, ...shapes } = geometry(node);
    return convScratchBytes(variant, { ...shapes, dense: dense && isPitched !== true });
  },

  // A row's input is staged before the row is written; a 1×1 kernel goes pixel by pixel, or tile by tile.
  overlapDistance(node, input, variant) {
    if (input !== 0 || groupsOf(node) > 1 || isInt16(node)) return undefined;
    const [from, to] = [requireInput(node.inputs, 0, "input"), requireOutput(node.outputs)];
    const { strideY, strideX } = node.attrs;
    const { pointwise, outputWidth } = geometry(node);
    if (!pointwise) return rowOverlapDistance(node.attrs, from, to);
    if (strideY * strideX !== 1)
      return rowOverlapDistance(node.attrs, from, to, pointwiseRowsAtOnce(variant, outputWidth));
    // Pixel by pixel: each is a row of its own.
    const pixels = ({
      shape: [batches = 1, height = 1, width = 1, channels = 1],
    }: TensorType): TensorType => ({
      shape: [batches, height * width, 1, channels],
      type: "int8",
    });
    return rowOverlapDistance({ strideY: 1, padTop: 0 }, pixels(from), pixels(to), convPixelsAtOnce(variant));
  },

  faster(node, variant) {
    const groups = groupsOf(node);
    if (isWinograd(node, variant, groups) && winogradWork(node) < macsOf(node)) return conv2dWinograd;
    if (groups > 1) return undefined;
    if (isVectorProduct(node, variant, patchOf(node))) return conv2dVector;
    return slidesDown(node, variant) ? conv2dColumns : undefined;
  },

  channelMultipliers: multipliersOf,

  pack(node, variant) {
    const weights = requireInput(node.inputs, 1, "weights");
    const [channels = 0] = weights.shape;
    const multipliers = multipliersOf(node);
    if (isInt16(node)) {
      const values = int8Values(weights);
      const size = values.length / channels;
      return packInt16(node, multipliers, size, (c) => values.subarray(c * size, (c + 1) * size));
    }
    return packParts(node, variant, multipliers, partsOf(node));
  },

  lower(node, at, _variant, packed) {
    if (!isInt16(node)) return lowerParts(node, at, packed, partsOf(node));
    const weights = requireInput(node.inputs, 1, "weights");
    const [channels = 1, kernelHeight = 1, kernelWidth = 1, depth = 1] = weights.shape;
    const { strideY, strideX, dilationY, dilationX, padTop, padLeft, biasType = 0 } = node.attrs;
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
      depth,
      groupChannels: channels / groupsOf(node),
      isWide: isWideSum(node.inputs[2], biasType),
    });
  },
});

type Convolution = BoundNode<ConvolutionAttrs>;

/** By Winograd's minimal filtering, where `faster` has it. */
export const conv2dWinograd: OpDefinition = {
  ...conv2d,
  work: winogradWork,
  rowsAtOnce: () => WINOGRAD_ROWS,
  scratchBytes: winogradScratch,
  overlapDistance: (node: Convolution, input) => (input === 0 ? winogradOverlapDistance(node) : undefined),
  pack: (node: Convolution, variant) => packWinograd(node, variant, multipliersOf(node)),
  lower: (node: Convolution, at, _variant, packed) =>
    lowerParts(node, at, packed, partsOf(node)).map(({ record }) => ({
      record: { ...(record as RecordOf<"conv2d">), op: "conv2dWinograd" },
    })),
};

/** Of one pixel, as vector-product.ts has it. */
export const conv2dVector: OpDefinition = {
  ...conv2d,
  work: (node: Convolution) => vectorWork(node, patchOf(node).length),
  scratchBytes: (node: Convolution, variant) =>
    convScratchBytes(variant, { ...geometry(node), isVector: true }),
  pack: (node: Convolution, variant) => packParts(node, variant, multipliersOf(node), partsOf(node), true),
};

/** Channels up to which packing pixels counts. */
const MAX_COLUMN_CHANNELS = 32;
/** The time of packing an element of a pixel, in that of a product. */
const PACK = 1.7;

/** By columns, where `faster` has it: where half the rows at least that an output row reads serve the next one too. */
export const conv2dColumns: OpDefinition = {
  ...conv2d,
  overlapDistance: () => undefined,
  work(node: Convolution) {
    const [channels = 1, kernelHeight = 1] = requireInput(node.inputs, 1, "weights").shape;
    const packed = node.attrs.strideY / kernelHeight;
    return (macsOf(node) * (channels + PACK * packed)) / (channels + PACK);
  },
  scratchBytes: (node: Convolution, variant) =>
    convScratchBytes(variant, { ...geometry(node), isColumns: true }),
  pack(node: Convolution, variant) {
    const packed = packParts(node, variant, multipliersOf(node), partsOf(node));
    const { requantization = 0 } = packed.fields;
    const byColumns = requantizationWord(SINGLE_COLUMNS, shiftOf({ requantization }));
    return { ...packed, fields: { ...packed.fields, requantization: byColumns } };
  },
};

/** Whether all its sums are requantised in one shift, as columns are. */
function isSingle(node: Convolution, variant: Variant): boolean {
  const { requantization = 0 } = packParts(node, variant, multipliersOf(node), partsOf(node)).fields;
  return methodOf({ requantization }) === SINGLE;
}

function slidesDown(node: Convolution, variant: Variant): boolean {
  const { strideY, dilationY, dilationX } = node.attrs;
  const [channels = 1, kernelHeight = 1] = requireInput(node.inputs, 1, "weights").shape;
  const [, height = 1, width = 1] = requireOutput(node.outputs).shape;
  return (
    variant === "mcu" &&
    !isInt16(node) &&
    dilationY * dilationX === 1 &&
    channels <= MAX_COLUMN_CHANNELS &&
    kernelHeight >= 2 * strideY &&
    height > 1 &&
    width > 1 &&
    isSingle(node, variant)
  );
}

/** As `mcu` cuts it, which alone has vector products. */
function patchOf({ inputs, attrs }: Convolution): Segments {
  const [, kernelHeight = 1, kernelWidth = 1, depth = 1] = requireInput(inputs, 1, "weights").shape;
  return convSegments("mcu", kernelHeight, kernelWidth, depth, attrs.dilationX);
}

function macsOf({ inputs, outputs }: BoundNode): number {
  const [, kernelHeight = 1, kernelWidth = 1, depth = 1] = requireInput(inputs, 1, "weights").shape;
  return elementCount(requireOutput(outputs).shape) * kernelHeight * kernelWidth * depth;
}

function groupsOf({ inputs }: BoundNode): number {
  const [, , , depth = 1] = requireInput(inputs, 0, "input").shape;
  const [, , , filterDepth = 1] = requireInput(inputs, 1, "weights").shape;
  return depth / filterDepth;
}

/** One part, or one per group: channels of the input that make channels of the output. */
function partsOf(node: BoundNode<ConvolutionAttrs>): ConvolutionPart[] {
  const weights = requireInput(node.inputs, 1, "weights");
  const [channels = 1, kernelHeight = 1, kernelWidth = 1, depth = 1] = weights.shape;
  const groups = groupsOf(node);
  const perGroup = channels / groups;
  const { strideY, strideX, dilationY, dilationX, padTop, padLeft } = node.attrs;
  const window = { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft };
  const values = int8Values(weights);
  const size = kernelHeight * kernelWidth * depth * perGroup;
  return Array.from({ length: groups }, (_, group) => ({
    weights: values.subarray(group * size, (group + 1) * size),
    firstChannel: group * perGroup,
    channels: perGroup,
    depth,
    window,
    inputView: (view) => ({ ...view, address: view.address + group * depth, channels: depth }),
    outputView: (view) => ({ ...view, address: view.address + group * perGroup, channels: perGroup }),
  }));
}

function geometry(node: BoundNode<ConvolutionAttrs>): SpatialGeometry {
  const [, height = 1, width = 1] = requireInput(node.inputs, 0, "input").shape;
  const [, kernelHeight = 1, kernelWidth = 1, channels = 1] = requireInput(node.inputs, 1, "weights").shape;
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
    dense: window.strideX === 1 && groupsOf(node) === 1,
  };
}

function multipliersOf({ inputs, outputs }: BoundNode): Multiplier[] {
  const weights = requireInput(inputs, 1, "weights");
  const [channels = 0] = weights.shape;
  const input = requireInput(inputs, 0, "input");
  return channelMultipliers(input, weights, requireOutput(outputs), channels, (a, b) => a * b);
}
