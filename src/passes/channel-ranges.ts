import type { BoundNode, Graph, Node, Tensor } from "../graph/graph.ts";
import { bind } from "../graph/graph.ts";
import { perTensor } from "../ops/check.ts";
import type { ConvolutionAttrs } from "../ops/convolution.ts";
import { int8Values, int32Values, outputRange } from "../ops/convolution.ts";
import type { Multiplier } from "../ops/fixed-point.ts";
import { activationRange } from "../ops/fixed-point.ts";
import { opOf } from "../ops/index.ts";
import type { Pool2dAttrs } from "../ops/pool2d.ts";
import type { OutputRange } from "../ops/requantization.ts";
import { HALF, outputsOf } from "../ops/requantization.ts";

/** The least and the greatest int8 value of each channel, the last dimension, whatever the model's inputs are. */
export interface ChannelRanges {
  readonly low: Int8Array;
  readonly high: Int8Array;
}

/** Ranges of the tensors that have constant channels; those of channels that vary may be wider than need be. */
export function channelRanges(graph: Graph): Map<number, ChannelRanges> {
  const known = new Map<number, ChannelRanges>();
  for (const node of graph.nodes) {
    const [input = -1] = node.inputs;
    const [output = -1] = node.outputs;
    const ranges = rangesOf(node, bind(graph, node), known.get(input));
    if (ranges?.low.some((low, c) => low === ranges.high[c]) === true) known.set(output, ranges);
  }
  return known;
}

function rangesOf(node: Node, bound: BoundNode, known: ChannelRanges | undefined): ChannelRanges | undefined {
  const [input, weights] = bound.inputs;
  const [output] = bound.outputs;
  if (input?.type !== "int8" || output?.type !== "int8") return undefined;
  const op = opOf(node);
  if (op.channelMultipliers !== undefined && weights !== undefined) {
    return weightedRanges(node, bound, input, weights, known);
  }
  return op.carriesChannels?.(bound) === true ? known && clamped(bound, output, known) : undefined;
}

/** What an activation leaves of ranges; themselves where that is all. */
function clamped({ attrs }: BoundNode, output: Tensor, known: ChannelRanges): ChannelRanges {
  const { activation = 0 } = (attrs ?? {}) as Partial<Pool2dAttrs>;
  if (activation === 0) return known;
  const { scale, zeroPoint } = perTensor(output, "output");
  const { min, max } = activationRange(activation, scale, zeroPoint);
  if (known.low.every((low) => low >= min) && known.high.every((high) => high <= max)) return known;
  const clamp = (value: number): number => Math.min(Math.max(value, min), max);
  return { low: known.low.map(clamp), high: known.high.map(clamp) };
}

/** Ranges of sums of products with constant weights. */
function weightedRanges(
  node: Node,
  bound: BoundNode,
  input: Tensor,
  weights: Tensor,
  known: ChannelRanges | undefined,
): ChannelRanges {
  const values = int8Values(weights);
  const depth = weights.shape.at(-1) ?? 1;
  const isDepthwise = opOf(node).filterPerChannel === true;
  const { scale: inputScale, zeroPoint } = perTensor(input, "input");
  // Of groups, or of rows that are cut from several pixels, channels are not told apart.
  const isTold = isDepthwise || depth === input.shape.at(-1);
  const seen = isTold && known !== undefined ? beside(known, bound.attrs, zeroPoint) : undefined;
  const range = outputRange({ ...bound, attrs: bound.attrs as ConvolutionAttrs });
  const [output] = bound.outputs;
  const count = output?.shape.at(-1) ?? 1;
  const inputPerOutput = inputScale / perTensor(output ?? input, "output").scale;
  const scales = weights.quantization?.scales ?? [];
  const biases = int32Values(bound.inputs[2]);
  const taps = values.length / count;
  const made = { low: new Int8Array(count).fill(range.min), high: new Int8Array(count).fill(range.max) };
  let multipliers: readonly Multiplier[] | undefined;
  for (let c = 0; c < count; c++) {
    const filter: Filter = isDepthwise
      ? { first: c, step: count, taps, input: Math.floor((c * (input.shape.at(-1) ?? 1)) / count), depth: 1 }
      : { first: c * taps, step: 1, taps, input: 0, depth };
    const offset = biases?.getInt32(4 * c, true) ?? 0;
    const scale = inputPerOutput * (scales[c] ?? scales[0] ?? 1);
    const sums = sumsOf(values, filter, seen, zeroPoint, offset, scale, range);
    if (sums === undefined) continue;
    multipliers ??= opOf(node).channelMultipliers?.(bound) ?? [];
    const [least, most] = outputsOf({ ...sums, multiplier: multipliers[c] ?? HALF }, range);
    made.low[c] = least;
    made.high[c] = most;
  }
  return made;
}

/** Ranges with what stands beside the input. */
function beside(known: ChannelRanges, attrs: unknown, zeroPoint: number): ChannelRanges {
  if (!isPadded(attrs)) return known;
  return {
    low: known.low.map((x) => Math.min(x, zeroPoint)),
    high: known.high.map((x) => Math.max(x, zeroPoint)),
  };
}

/** Whether a window may meet padding, which is zero points. */
export function isPadded(attrs: unknown): boolean {
  const { padTop = 0, padLeft = 0, padBottom = 0, padRight = 0 } = attrs as Partial<ConvolutionAttrs>;
  return padTop + padLeft + padBottom + padRight > 0;
}

/** Where a filter's weights are, and the channels of its input: `depth` of them over and over. */
interface Filter {
  readonly first: number;
  readonly step: number;
  readonly taps: number;
  readonly input: number;
  readonly depth: number;
}

/** Weights from one look whether the rest of a filter still matters to the next. */
const LOOK_EVERY = 8;

/**
 * offset + Σ w·(x − zero point) at the least and at the most; undefined as soon as the output is known to vary, which for nearly all filters is
 * after a few weights: both bounds only move apart.
 */
function sumsOf(
  values: Int8Array,
  { first, step, taps, input, depth }: Filter,
  known: ChannelRanges | undefined,
  zeroPoint: number,
  offset: number,
  scale: number,
  range: OutputRange,
): { low: number; high: number } | undefined {
  let low = offset;
  let high = offset;
  for (let i = 0, k = 0; i < taps; i++) {
    const w = values[first + i * step] ?? 0;
    const below = w * ((known?.low[input + k] ?? -128) - zeroPoint);
    const above = w * ((known?.high[input + k] ?? 127) - zeroPoint);
    low += w < 0 ? above : below;
    high += w < 0 ? below : above;
    if (++k === depth) k = 0;
    if (i % LOOK_EVERY > 0) continue;
    // A step more than what rounding could hide, and not beyond the clamp on one side.
    const varies = (high - low) * scale > 2;
    if (
      varies &&
      low * scale < range.max - range.zeroPoint - 1 &&
      high * scale > range.min - range.zeroPoint + 1
    ) {
      return undefined;
    }
  }
  return { low, high };
}
