/** Weights and records of convolutions that run on the conv2d kernel. */
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { Requantization } from "../plan/format.ts";
import { writeLaneRow } from "../plan/lane-rows.ts";
import { blockChannels, blockHeadBytes, convBlockBytes, convSegments, dotLanes } from "../plan/packing.ts";
import type { RecordOf } from "../plan/record.ts";
import { elementCount } from "../plan/shape.ts";
import type { Variant } from "../plan/variant.ts";
import { perTensor, requireInput, requireOutput } from "./check.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import { outputRange, packBlocks } from "./convolution.ts";
import type { Multiplier } from "./fixed-point.ts";
import type { Addresses, Packed } from "./op.ts";
import { NOWHERE } from "./op.ts";
import { placedView } from "./view.ts";

/** What `packConvolution` packs: OHWI weights, with a multiplier per output channel. */
export interface ConvolutionWeights {
  readonly weights: Int8Array;
  readonly bias: Tensor | undefined;
  readonly multipliers: readonly Multiplier[];
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly depth: number;
  readonly dilationX: number;
  /** Whether they lie in lanes, where requantisation allows: isVectorProduct. */
  readonly isVector: boolean;
}

/**
 * Blocks for the conv2d record: [segment][step][channel][lane], zero where a segment's last step has no input. Where there are more segments than
 * steps, [step][segment] (not in mcu).
 */
export function packConvolution(
  node: BoundNode<Pick<ConvolutionAttrs, "activation">>,
  variant: Variant,
  { weights, bias, multipliers, kernelHeight, kernelWidth, depth, dilationX, isVector }: ConvolutionWeights,
): Packed {
  const patch = convSegments(variant, kernelHeight, kernelWidth, depth, dilationX);
  const size = kernelHeight * kernelWidth * depth;
  const lanes = dotLanes(variant);
  const perBlock = blockChannels(variant);
  const steps = Math.ceil(patch.length / lanes);
  // As convRow of assembly/micro/conv-strip.ts walks them.
  const across = variant !== "mcu" && steps < patch.segments;
  const next = across ? patch.segments : 1;
  return packBlocks(
    {
      name: requireInput(node.inputs, 1, "weights").name,
      channels: multipliers.length,
      multipliers,
      bias,
      inputZeroPoint: perTensor(requireInput(node.inputs, 0, "input"), "input").zeroPoint,
      output: outputRange(node),
      onePixel: elementCount(requireOutput(node.outputs).shape) === multipliers.length,
      isVector,
      weightsOf: (channel) => weights.subarray(channel * size, (channel + 1) * size),
      blockBytes: (method) => convBlockBytes(variant, method, patch),
      headBytes: (method) => blockHeadBytes(variant, method),
      writeWeights(bytes, start, lane, values, method) {
        if (method === Requantization.singleVector) {
          writeLaneRow(new DataView(bytes.buffer), start, lane, values);
          return;
        }
        let from = 0;
        for (let segment = 0; segment < patch.segments; segment++) {
          const first = across ? segment : segment * steps;
          let at = start + (first * perBlock + lane) * lanes;
          for (let i = 0; i < patch.length; i += lanes, at += next * perBlock * lanes) {
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
  const inputView = placedView(at.inputs[0] ?? NOWHERE, { shape: input, type: "int8" });
  const outputView = placedView(at.outputs[0] ?? NOWHERE, { shape: output, type: "int8" });
  return {
    op: "conv2d",
    inputView,
    outputView,
    y0: 0,
    y1: output[1] ?? 1,
    c0: at.c0,
    c1: at.c1,
    batches: input[0] ?? 1,
    inputBatchBytes: inputView.height * inputView.rowBytes,
    outputBatchBytes: outputView.height * outputView.rowBytes,
    ...window,
    weights: at.packed,
    requantization: packed?.fields["requantization"] ?? 0,
    inputZeroPoint: perTensor(requireInput(node.inputs, 0, "input"), "input").zeroPoint,
    outputZeroPoint: range.zeroPoint,
    activationMin: range.min,
    activationMax: range.max,
    scratch: at.scratch,
    requantizationMultiplier: packed?.fields["requantizationMultiplier"] ?? 0,
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
