/** What CONV_2D and DEPTHWISE_CONV_2D share of their windows. Weights are [channels, or 1 where depthwise, height, width, …]. */
import type { BoundNode, Tensor, TensorType } from "../graph/graph.ts";
import { requireActivation, requireInput, requireOutput, requireWindow, withShape } from "./check.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import { channelMultipliers, requireBias } from "./convolution.ts";
import { requireWideMultipliers, WIDE_BIAS_TYPES } from "./convolution-int16.ts";
import { isInt16 } from "./int16.ts";
import type { RowAccess, Window } from "./op.ts";
import { resolvePadding } from "./padding.ts";
import { windowRows } from "./window.ts";

/**
 * A kernel of several rows stages each pixel as often. Where pixels lie apart they are staged one by one, which for fewer channels takes
 * longer than it does to copy them together once.
 */
export const MIN_STAGED_CHANNELS = 32;

/** As the file gives them. */
export interface WindowOptions {
  readonly padding: number;
  readonly strideX: number;
  readonly strideY: number;
  readonly activation: number;
  readonly dilationX: number;
  readonly dilationY: number;
}

/**
 * Checks bias, window, multipliers and activation of a convolution to `channels`, whose operands have their types and ranks.
 * @throws UnsupportedError not-constant, unsupported-type, multiplier-too-large
 * @throws ModelError bias-length, bad-padding, bad-window, bad-activation
 */
export function prepareWindow(
  inputs: readonly (Tensor | undefined)[],
  output: Tensor,
  channels: number,
  { padding, strideX, strideY, activation, dilationX, dilationY }: WindowOptions,
): ConvolutionAttrs {
  const input = requireInput(inputs, 0, "input");
  const weights = requireInput(inputs, 1, "weights");
  const [, height = 0, width = 0] = input.shape;
  const [, kernelHeight = 0, kernelWidth = 0] = weights.shape;
  const isWide = output.type === "int16";
  requireBias(inputs[2], channels, isWide ? WIDE_BIAS_TYPES : undefined);
  requireWindow(
    input,
    padding,
    { kernel: kernelHeight, stride: strideY, dilation: dilationY },
    { kernel: kernelWidth, stride: strideX, dilation: dilationX },
  );
  const multipliers = channelMultipliers(input, weights, output, channels, (a, b) => a * b);
  if (isWide) requireWideMultipliers(multipliers, output);
  const rows = resolvePadding(padding, height, kernelHeight, strideY, dilationY);
  const columns = resolvePadding(padding, width, kernelWidth, strideX, dilationX);
  const after = (before: number, output: number, stride: number, extent: number, size: number): number =>
    Math.max(0, (output - 1) * stride + extent - size - before);
  return {
    strideY,
    strideX,
    dilationY,
    dilationX,
    padTop: rows.before,
    padLeft: columns.before,
    padBottom: after(rows.before, rows.output, strideY, (kernelHeight - 1) * dilationY + 1, height),
    padRight: after(columns.before, columns.output, strideX, (kernelWidth - 1) * dilationX + 1, width),
    activation: requireActivation(activation, output),
  };
}

/** The shape of `output` from those of its operands. */
export function convolved(
  [input, weights]: readonly (TensorType | undefined)[],
  attrs: ConvolutionAttrs,
  channels: number,
  output: TensorType = { shape: [], type: "int8" },
): TensorType {
  const [batches = 0, height = 0, width = 0] = input?.shape ?? [];
  const [, kernelHeight = 0, kernelWidth = 0] = weights?.shape ?? [];
  const { padTop, padBottom, padLeft, padRight, strideY, strideX, dilationY, dilationX } = attrs;
  return withShape(output, [
    batches,
    convolvedSize(height, padTop + padBottom, kernelHeight, strideY, dilationY),
    convolvedSize(width, padLeft + padRight, kernelWidth, strideX, dilationX),
    channels,
  ]);
}

/** Output size of one dimension. */
export function convolvedSize(
  size: number,
  padding: number,
  kernel: number,
  stride: number,
  dilation: number,
): number {
  return Math.floor((size + padding - (kernel - 1) * dilation - 1) / stride) + 1;
}

export function windowOf({ attrs, inputs }: BoundNode<ConvolutionAttrs>): Window {
  const [, kernelHeight = 1, kernelWidth = 1] = requireInput(inputs, 1, "weights").shape;
  return { kernelHeight, kernelWidth, ...attrs };
}

/** Row access, where a convolution has it. */
export function convolutionRows(node: BoundNode<ConvolutionAttrs>): RowAccess | undefined {
  if (isInt16(node)) return undefined;
  return windowRows(windowOf(node), requireOutput(node.outputs), node.inputs.length);
}
