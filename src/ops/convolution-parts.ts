/** Convolutions that run as several conv2d records, each with weights of its own. */
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { align } from "../plan/packing.ts";
import type { RecordOf, ViewWords } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import { requireInput, requireOutput } from "./check.ts";
import type { ConvolutionAttrs } from "./convolution.ts";
import type { ConvolutionShapes } from "./convolution-record.ts";
import { lowerConvolution, packConvolution } from "./convolution-record.ts";
import type { Multiplier } from "./fixed-point.ts";
import type { Addresses, LoweredRecord, Packed } from "./op.ts";

/** Records of one node. */
export const MAX_PARTS = 1024;

/** Some output channels at some output positions. */
export interface ConvolutionPart {
  /** OHWI, of these channels. */
  readonly weights: Int8Array;
  readonly firstChannel: number;
  readonly channels: number;
  readonly depth: number;
  readonly window: ConvolutionShapes["window"];
  /** What it sees of the whole input, and of the whole output. */
  readonly inputView: (whole: ViewWords) => ViewWords;
  readonly outputView: (whole: ViewWords) => ViewWords;
}

/** A node whose inputs are activation, weights, and bias if there is one. */
type Convolution = BoundNode<Pick<ConvolutionAttrs, "activation">>;

/** The blocks of one part can be tiled; those of several lie behind each other, 16-aligned. */
export function packParts(
  node: Convolution,
  variant: Variant,
  multipliers: readonly Multiplier[],
  parts: readonly ConvolutionPart[],
  isVector = false,
): Packed {
  const [, , bias] = node.inputs;
  const packs = parts.map(({ weights, firstChannel, channels, depth, window }) =>
    packConvolution(node, variant, {
      weights,
      bias: bias && biasOf(bias, firstChannel, channels),
      multipliers: multipliers.slice(firstChannel, firstChannel + channels),
      kernelHeight: window.kernelHeight,
      kernelWidth: window.kernelWidth,
      depth,
      dilationX: window.dilationX,
      isVector,
    }),
  );
  const [only, ...others] = packs;
  if (only !== undefined && others.length === 0) return only;
  const fields: Record<string, number> = {};
  const offsets: number[] = [];
  let end = 0;
  for (const [i, pack] of packs.entries()) {
    offsets.push(end);
    end += align(pack.bytes.length, 16);
    for (const [name, value] of Object.entries(pack.fields)) fields[`${name}.${i}`] = value;
    fields[`end.${i}`] = end;
  }
  const bytes = new Uint8Array(end);
  for (const [i, pack] of packs.entries()) bytes.set(pack.bytes, offsets[i]);
  const blockChannels = requireOutput(node.outputs).shape.at(-1) ?? 1;
  return { bytes, blocks: 1, blockBytes: end, blockChannels, fields };
}

function biasOf(bias: Tensor, first: number, channels: number): Tensor {
  const data = bias.data?.subarray(4 * first, 4 * (first + channels));
  return data === undefined ? bias : { ...bias, data };
}

/** A record per part, in the order of `packParts`. */
export function lowerParts(
  node: Convolution,
  at: Addresses,
  packed: Packed | undefined,
  parts: readonly ConvolutionPart[],
): readonly LoweredRecord[] {
  const shapes = {
    input: requireInput(node.inputs, 0, "input").shape,
    output: requireOutput(node.outputs).shape,
  };
  return parts.map(({ channels, window, inputView, outputView }, i) => {
    const { padLeft = window.padLeft } = at;
    const whole = lowerConvolution(node, at, packed, { ...shapes, window: { ...window, padLeft } });
    const made = outputView(whole.outputView);
    const record: RecordOf<"conv2d"> = {
      ...whole,
      inputView: inputView(whole.inputView),
      outputView: made,
      y1: made.height,
    };
    if (parts.length === 1) return { record };
    const field = (name: string): number => packed?.fields[`${name}.${i}`] ?? 0;
    const weights = at.packed + (i === 0 ? 0 : (packed?.fields[`end.${i - 1}`] ?? 0));
    return {
      record: {
        ...record,
        c0: 0,
        c1: channels,
        weights,
        requantization: field("requantization"),
        requantizationMultiplier: field("requantizationMultiplier"),
      },
    };
  });
}
