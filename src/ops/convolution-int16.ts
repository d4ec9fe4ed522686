/** Convolutions of int16 activations with int8 weights. */
import { ModelError, UnsupportedError } from "../errors.ts";
import type { BoundNode, ElementType, Tensor } from "../graph/graph.ts";
import { align } from "../plan/packing.ts";
import type { RecordOf } from "../plan/record.ts";
import { requireOutput } from "./check.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import type { Multiplier } from "./fixed-point.ts";
import { int16Range } from "./int16.ts";
import type { Addresses, Packed } from "./op.ts";
import { NOWHERE } from "./op.ts";

/** Bytes of a channel before its weights: int64 bias, int32 multiplier and shift. */
const HEAD_BYTES = 16;

/** The largest shift that a 64-bit sum is scaled by. */
const MAX_SHIFT = 7;

/** Bytes of the types that a bias may have; one of int16 is TRANSPOSE_CONV's alone. */
const BIAS_BYTES: Readonly<Record<string, number>> = { int16: 2, int32: 4, int64: 8 };

/**
 * A bias, where there is one, is constant, one value of a type in `types` per output channel.
 * @throws UnsupportedError not-constant, unsupported-type
 * @throws ModelError bias-length
 */
export function requireWideBias(
  bias: Tensor | undefined,
  channels: number,
  types: readonly ElementType[] = ["int32", "int64"],
): void {
  if (bias === undefined) return;
  if (bias.data === undefined) {
    throw new UnsupportedError(
      "not-constant",
      `bias "${bias.name}" is computed by the model; it must be constant`,
    );
  }
  const bytes = BIAS_BYTES[bias.type];
  if (bytes === undefined || !types.includes(bias.type)) {
    throw new UnsupportedError(
      "unsupported-type",
      `bias "${bias.name}" is ${bias.type}; ${types.join(" or ")} is needed`,
    );
  }
  if (bias.data.byteLength !== bytes * channels) {
    throw new ModelError(
      "bias-length",
      `bias "${bias.name}" has ${bias.data.byteLength / bytes} values for ${channels} output channels; export the model again`,
    );
  }
}

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
  const channelBytes = align(HEAD_BYTES + size, 8);
  const bytes = new Uint8Array(align(channelBytes * multipliers.length, 16));
  const out = new DataView(bytes.buffer);
  for (const [c, { multiplier, shift }] of multipliers.entries()) {
    const at = c * channelBytes;
    out.setBigInt64(at, biasOf(bias, c), true);
    out.setInt32(at + 8, multiplier, true);
    out.setInt32(at + 12, shift, true);
    new Int8Array(bytes.buffer).set(weightsOf(c), at + HEAD_BYTES);
  }
  return {
    bytes,
    blocks: 1,
    blockBytes: bytes.length,
    blockChannels: multipliers.length,
    fields: { channelBytes },
  };
}

/** Of one output channel; 0 where there is none. */
function biasOf(bias: Tensor | undefined, channel: number): bigint {
  if (bias?.data === undefined) return 0n;
  const view = new DataView(bias.data.buffer, bias.data.byteOffset, bias.data.byteLength);
  if (bias.type === "int64") return view.getBigInt64(8 * channel, true);
  return BigInt(bias.type === "int32" ? view.getInt32(4 * channel, true) : view.getInt16(2 * channel, true));
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
    channelBytes: packed?.fields["channelBytes"] ?? HEAD_BYTES,
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
