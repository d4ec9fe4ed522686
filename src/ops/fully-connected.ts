import { ModelError, UnsupportedError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { convScratchBytes } from "../plan/packing.ts";
import { elementCount } from "../plan/shape.ts";
import type { Variant } from "../plan/variant.ts";
import {
  requireActivation,
  requireInput,
  requireInputCount,
  requireOutput,
  requireRank,
  withShape,
} from "./check.ts";
import { lowerConvolution, packConvolution } from "./convolution-record.ts";
import { channelMultipliers, int8Values, requireBias, requireWeights } from "./convolution.ts";
import type { FusedActivation, Multiplier } from "./fixed-point.ts";
import {
  isWideSum,
  lowerInt16,
  packInt16,
  requireWideMultipliers,
  WIDE_BIAS_TYPES,
} from "./convolution-int16.ts";
import { isInt16, requireActivations } from "./int16.ts";
import type { OpDefinition, Packed } from "./op.ts";
import { defineOp } from "./op.ts";
import { isVectorProduct, vectorWork } from "./vector-product.ts";

interface FullyConnectedAttrs {
  readonly activation: FusedActivation;
  /** Of the output: the file may keep leading dimensions. */
  readonly shape: readonly number[];
  /** As of a convolution. */
  readonly biasType?: number;
}

interface FullyConnectedOptions {
  readonly activation: number;
  readonly weightsFormat: number;
  readonly biasType: number;
}

/**
 * FULLY_CONNECTED: int8 [batch, inDepth] · weights [outDepth, inDepth]. It runs as a 1×1 convolution over a row of `batch`
 * pixels. Per-tensor multipliers come from a float32 product of scales, as in the reference; per-channel ones from a
 * double. Reference: TFLite reference/integer_ops/fully_connected.h.
 */
export const fullyConnected: OpDefinition = defineOp<FullyConnectedAttrs>({
  name: "fullyConnected",
  types: ["int8", "int16"],
  tflite: {
    builtin: 9,
    read: (options): FullyConnectedOptions => ({
      activation: options.byte(0, 0),
      weightsFormat: options.byte(1, 0),
      biasType: options.byte(4, 0),
    }),
  },

  prepare(inputs, outputs, options) {
    const { activation, weightsFormat, biasType } = options as FullyConnectedOptions;
    requireInputCount(inputs, 2, 3);
    const input = requireInput(inputs, 0, "input");
    const weights = requireInput(inputs, 1, "weights");
    const output = requireOutput(outputs);
    requireRank(weights, "weights", 2);
    requireActivations([input, output], "operand");
    requireWeights(weights, 0);
    if (weightsFormat !== 0) {
      throw new UnsupportedError(
        "shuffled-weights",
        `weights "${weights.name}" are in format ${weightsFormat}; only the default layout is run: convert without shuffled weights`,
      );
    }
    const [channels = 0, depth = 0] = weights.shape;
    const elements = elementCount(input.shape);
    if (channels === 0 || depth === 0 || elements % depth !== 0) {
      throw new ModelError(
        "fully-connected-shape",
        `weights "${weights.name}" of shape [${weights.shape.join(", ")}] do not fit input "${input.name}" of shape ` +
          `[${input.shape.join(", ")}]; export the model again`,
      );
    }
    const rows = elements / depth;
    if (elementCount(output.shape) !== rows * channels || output.shape.at(-1) !== channels) {
      throw new ModelError(
        "output-shape",
        `output "${output.name}" has shape [${output.shape.join(", ")}]; ${rows} rows of ${channels} are computed; export the model again`,
      );
    }
    const isWide = output.type === "int16";
    requireBias(inputs[2], channels, isWide ? WIDE_BIAS_TYPES : undefined);
    const multipliers = multipliersOf(inputs, output);
    if (isWide) requireWideMultipliers(multipliers, output);
    const attrs = { activation: requireActivation(activation, output), shape: output.shape };
    return isWide ? { ...attrs, biasType } : attrs;
  },

  infer: (_inputs, attrs, [output]) => [withShape(output ?? { shape: [], type: "int8" }, attrs.shape)],

  macs: macsOf,

  scratchBytes: (node, variant) => scratchOf(node, variant, false),

  faster: (node, variant) =>
    isVectorProduct(node, variant, { segments: 1, length: depthOf(node) }) ? fullyConnectedVector : undefined,

  channelMultipliers: ({ inputs, outputs }) => multipliersOf(inputs, requireOutput(outputs)),

  pack(node, variant) {
    if (!isInt16(node)) return packInt8(node, variant, false);
    const depth = depthOf(node);
    const values = int8Values(requireInput(node.inputs, 1, "weights"));
    const multipliers = multipliersOf(node.inputs, requireOutput(node.outputs));
    return packInt16(node, multipliers, depth, (c) => values.subarray(c * depth, (c + 1) * depth));
  },

  lower(node, at, _variant, packed) {
    const [channels = 1, depth = 1] = requireInput(node.inputs, 1, "weights").shape;
    const rows = elementCount(requireOutput(node.outputs).shape) / channels;
    if (isInt16(node)) {
      return lowerInt16(node, at, packed, {
        ...ONE_TAP,
        input: [1, 1, rows, depth],
        output: [1, 1, rows, channels],
        depth,
        groupChannels: channels,
        isWide: isWideSum(node.inputs[2], node.attrs.biasType ?? 0),
      });
    }
    return lowerConvolution(node, at, packed, {
      input: [1, 1, rows, depth],
      output: [1, 1, rows, channels],
      window: ONE_TAP,
    });
  },
});

type FullyConnected = BoundNode<FullyConnectedAttrs>;

/** As vector-product.ts has it. */
export const fullyConnectedVector: OpDefinition = {
  ...fullyConnected,
  work: (node) => vectorWork(node, depthOf(node)),
  scratchBytes: (node, variant) => scratchOf(node, variant, true),
  pack: (node: FullyConnected, variant) => packInt8(node, variant, true),
};

function depthOf({ inputs }: BoundNode): number {
  const [, depth = 1] = requireInput(inputs, 1, "weights").shape;
  return depth;
}

function macsOf(node: BoundNode): number {
  return elementCount(requireOutput(node.outputs).shape) * depthOf(node);
}

function scratchOf(node: BoundNode, variant: Variant, isVector: boolean): number {
  if (isInt16(node)) return 0;
  const [channels = 1, depth = 1] = requireInput(node.inputs, 1, "weights").shape;
  return convScratchBytes(variant, {
    kernelHeight: 1,
    kernelWidth: 1,
    channels: depth,
    strideX: 1,
    dilationX: 1,
    outputHeight: 1,
    outputWidth: elementCount(requireOutput(node.outputs).shape) / channels,
    pointwise: true,
    dense: true,
    isVector,
  });
}

function packInt8(node: FullyConnected, variant: Variant, isVector: boolean): Packed {
  return packConvolution(node, variant, {
    weights: int8Values(requireInput(node.inputs, 1, "weights")),
    bias: node.inputs[2],
    multipliers: multipliersOf(node.inputs, requireOutput(node.outputs)),
    kernelHeight: 1,
    kernelWidth: 1,
    depth: depthOf(node),
    dilationX: 1,
    isVector,
  });
}

/** The window of a 1×1 convolution. */
const ONE_TAP = {
  kernelHeight: 1,
  kernelWidth: 1,
  strideY: 1,
  strideX: 1,
  dilationY: 1,
  dilationX: 1,
  padTop: 0,
  padLeft: 0,
} as const;

function multipliersOf(inputs: readonly (Tensor | undefined)[], output: Tensor): Multiplier[] {
  const input = requireInput(inputs, 0, "input");
  const weights = requireInput(inputs, 1, "weights");
  const perTensorScale = weights.quantization?.scales.length === 1;
  return channelMultipliers(input, weights, output, weights.shape[0] ?? 0, (a, b) =>
    perTensorScale ? Math.fround(a * b) : a * b,
  );
}
