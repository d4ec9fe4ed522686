/** Convolutions of int16 activations with int8 weights. */
import { UnsupportedError } from "../errors.ts";
import type { BoundNode, ElementType, Tensor } from "../graph/graph.ts";
import { align, INT16_HEAD_BYTES } from "../plan/packing.ts";
import type { RecordOf } from "../plan/record.ts";
import { requireOutput } from "./check.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import { biasValue } from "./convolution.ts";
import type { Multiplier } from "./fixed-point.ts";
import { int16Range } from "./int16.ts";
import type { Addresses, Packed } from "./op.ts";
import { NOWHERE } from "./op.ts";

/** The largest shift that a 64-bit sum is scaled by. */
const MAX_SHIFT = 7;

/** Types that the bias of int16 activations may have. */
export const WIDE_BIAS_TYPES: readonly ElementType[] = ["int32", "int64"];

/** @throws UnsupportedError multiplier-too-large for sums of 64 bits */
export function requireWideMultipliers(multipliers: readonly Multiplier[], output: Tensor): void {
  if (multipliers.every(({ shift }) => shift <= MAX_SHIFT)) return;
  throw new UnsupportedError(
    "multiplier-too-large",
    `the scales before output "${output.name}" give it a multiplier of 128 or more; quantise with a representative data set`,
  );
}

/** Head and weights of each output channel; `weightsOf` answers them in the order [height, width, depth]. */
export function packInt16(
  node: BoundNode,
  multipliers: readonly Multiplier[],
  size: number,
  weightsOf: (channel: number) => Int8Array,
): Packed {
  const bias = node.inputs[2];
  const channelBytes = align(INT16_HEAD_BYTES + size, 8);
  const bytes = new Uint8Array(align(channelBytes * multipliers.length, 16));
  const out = new DataView(bytes.buffer);
  for (const [c, { multiplier, shift }] of multipliers.entries()) {
    const at = c * channelBytes;
    out.setBigInt64(at, biasValue(bias, c), true);
    out.setInt32(at + 8, multiplier, true);
    out.setInt32(at + 12, shift, true);
    new Int8Array(bytes.buffer).set(weightsOf(c), at + INT16_HEAD_BYTES);
  }
  return {
    bytes,
    blocks: 1,
    blockBytes: bytes.length,
    blockChannels: multipliers.length,
    fields: { channelBytes },
  };
}

/** Shapes, window and channels of a conv2dInt16 record. */
export type Int16Geometry = Pick<
  RecordOf<"conv2dInt16">,
  | "kernelHeight"
  | "kernelWidth"
  | "strideY"
  | "strideX"
  | "dilationY"
  | "dilationX"
  | "padTop"
  | "padLeft"
  | "depth"
  | "groupChannels"
> & {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly isWide: boolean;
  /** Of a transposed convolution: its strides. Default 1. */
  readonly inputDilationY?: number;
  readonly inputDilationX?: number;
};

export function lowerInt16(
  node: BoundNode<Pick<ConvolutionAttrs, "activation">>,
  at: Addresses,
  packed: Packed | undefined,
  { input, output, isWide, inputDilationY = 1, inputDilationX = 1, ...geometry }: Int16Geometry,
): RecordOf<"conv2dInt16"> {
  const range = int16Range(node.attrs.activation, requireOutput(node.outputs));
  const [batches = 1, inputHeight = 1, inputWidth = 1, inputChannels = 1] = input;
  const [, outputHeight = 1, outputWidth = 1, outputChannels = 1] = output;
  return {
    op: "conv2dInt16",
    input: (at.inputs[0] ?? NOWHERE).address,
    output: (at.outputs[0] ?? NOWHERE).address,
    weights: at.packed,
    batches,
    inputHeight,
    inputWidth,
    inputChannels,
    outputHeight,
    outputWidth,
    outputChannels,
    ...geometry,
    channelBytes: packed?.fields["channelBytes"] ?? INT16_HEAD_BYTES,
    wide: isWide ? 1 : 0,
    activationMin: range.min,
    activationMax: range.max,
    inputDilationY,
    inputDilationX,
  };
}

/** Whether sums are of 64 bits: not where the bias is int32, or none is there and the file says that it would be. */
export function isWideSum(bias: Tensor | undefined, biasType: number): boolean {
  return bias === undefined ? biasType !== INT32 : bias.type !== "int32";
}

/** Code of int32 in the file. */
const INT32 = 2;
