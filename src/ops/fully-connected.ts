import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementCount } from "../graph/graph.ts";
import { convScratchBytes } from "../plan/packing.ts";
import {
  requireActivation,
  requireInput,
  requireInputCount,
  requireInt8,
  requireOutput,
  requireRank,
  withShape,
} from "./check.ts";
import { lowerConvolution, packConvolution } from "./convolution-record.ts";
import { channelMultipliers, int8Values, requireBias, requireWeights } from "./convolution.ts";
import type { FusedActivation, Multiplier } from "./fixed-point.ts";
import { defineOp } from "./op.ts";

interface FullyConnectedAttrs {
  readonly activation: FusedActivation;
  /** Of the output: the file may keep leading dimensions. */
  readonly shape: readonly number[];
}

interface FullyConnectedOptions {
  readonly activation: number;
  readonly weightsFormat: number;
}

/**
 * FULLY_CONNECTED: int8 [batch, inDepth] · weights [outDepth, inDepth]. It runs as a 1×1 convolution over a row of `batch`
 * pixels. Per-tensor multipliers come from a float32 product of scales, as in the reference; per-channel ones from a
 * double. Reference: TFLite reference/integer_ops/fully_connected.h.
 */
export const fullyConnected = defineOp<FullyConnectedAttrs>({
  name: "fullyConnected",
  tflite: {
    builtin: 9,
    read: (options): FullyConnectedOptions => ({
      activation: options.byte(0, 0),
      weightsFormat: options.byte(1, 0),
    }),
  },

  prepare(inputs, outputs, options) {
    const { activation, weightsFormat } = options as FullyConnectedOptions;
    requireInputCount(inputs, 2, 3);
    const input = requireInput(inputs, 0, "input");
    const weights = requireInput(inputs, 1, "weights");
    const output = requireOutput(outputs);
    requireRank(weights, "weights", 2);
    requireInt8(input, "input");
    requireInt8(output, "output");
    requireWeights(weights, 0);
    if (weightsFormat !== 0) {
      throw new UnsupportedError(
        "shuffled-weights",
        `weights "${weights.name}" are in format ${weightsFormat}; only the default layout is run`,
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
        `output "${output.name}" has shape [${output.shape.join(", ")}]; ${rows} rows of ${channels} are computed`,
      );
    }
    requireBias(inputs[2], channels);
    multipliersOf(inputs, output);
    return { activation: requireActivation(activation, output), shape: output.shape };
  },

  infer: (_inputs, attrs, [output]) => [withShape(output ?? { shape: [], type: "int8" }, attrs.shape)],

  macs({ inputs, outputs }) {
    const [, depth = 1] = requireInput(inputs, 1, "weights").shape;
    return elementCount(requireOutput(outputs).shape) * depth;
  },

  scratchBytes({ inputs, outputs }, variant) {
    const [channels = 1, depth = 1] = requireInput(inputs, 1, "weights").shape;
    const outputWidth = elementCount(requireOutput(outputs).shape) / channels;
    const one = { kernelHeight: 1, kernelWidth: 1, strideX: 1, dilationX: 1, outputHeight: 1 };
    return convScratchBytes(variant, { ...one, channels: depth, outputWidth, pointwise: true, dense: true });
  },

  pack(node, variant) {
    const weights = requireInput(node.inputs, 1, "weights");
    const [, depth = 1] = weights.shape;
    return packConvolution(node, variant, {
      weights: int8Values(weights),
      bias: node.inputs[2],
      multipliers: multipliersOf(node.inputs, requireOutput(node.outputs)),
      kernelHeight: 1,
      kernelWidth: 1,
      depth,
      dilationX: 1,
    });
  },

  lower(node, at, _variant, packed) {
    const [channels = 1, depth = 1] = requireInput(node.inputs, 1, "weights").shape;
    const rows = elementCount(requireOutput(node.outputs).shape) / channels;
    return lowerConvolution(node, at, packed, {
      input: [1, 1, rows, depth],
      output: [1, 1, rows, channels],
      window: {
        kernelHeight: 1,
        kernelWidth: 1,
        strideY: 1,
        strideX: 1,
        dilationY: 1,
        dilationX: 1,
        padTop: 0,
        padLeft: 0,
      },
    });
  },
});

function multipliersOf(inputs: readonly (Tensor | undefined)[], output: Tensor): Multiplier[] {
  const input = requireInput(inputs, 0, "input");
  const weights = requireInput(inputs, 1, "weights");
  const perTensorScale = weights.quantization?.scales.length === 1;
  return channelMultipliers(input, weights, output, weights.shape[0] ?? 0, (a, b) =>
    perTensorScale ? Math.fround(a * b) : a * b,
  );
}
