import type { BoundNode, Graph, Node } from "../graph/graph.ts";
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
  const [input, weights, bias] = bound.inputs;
  const [output] = bound.outputs;
  if (input?.type !== "int8" || output?.type !== "int8") return undefined;
  const channels = input.shape.at(-1) ?? 1;
  if (node.op === "averagePool2d" || node.op === "maxPool2d") {
    // What is not padding counts, and a mean of equal numbers is that number.
    const { scale, zeroPoint } = perTensor(output, "output");
    const { min, max } = activationRange((bound.attrs as Pool2dAttrs).activation, scale, zeroPoint);
    const clamped = (value: number): number => Math.min(Math.max(value, min), max);
    return known && { low: known.low.map(clamped), high: known.high.map(clamped) };
  }
  if (node.op === "reshape") return output.shape.at(-1) === channels ? known : undefined;

  const op = opOf(node);
  if (weights?.quantization === undefined || op.channelMultipliers === undefined) return undefined;
  const values = int8Values(weights);
  const { zeroPoint } = perTensor(input, "input");
  const inputs = known ?? anyValue(channels);
  const [low, high] = isPadded(bound.attrs)
    ? [inputs.low.map((x) => Math.min(x, zeroPoint)), inputs.high.map((x) => Math.max(x, zeroPoint))]
    : [inputs.low, inputs.high];
  const attrs = bound.attrs as ConvolutionAttrs;
  const range = outputRange({ ...bound, attrs });
  const isDepthwise = node.op === "depthwiseConv2d";
  const depth = weights.shape.at(-1) ?? 1;
  // Of groups, or of rows that are cut from several pixels, channels are not told apart.
  const seen = isDepthwise || depth === channels ? { low, high } : anyValue(depth);
  const biases = int32Values(bias);
  const count = output.shape.at(-1) ?? 1;
  const made = { low: new Int8Array(count).fill(range.min), high: new Int8Array(count).fill(range.max) };
  const { scales } = weights.quantization;
  const inputPerOutput = perTensor(input, "input").scale / perTensor(output, "output").scale;
  let multipliers: readonly Multiplier[] | undefined;
  for (let c = 0; c < count; c++) {
    const filter: Filter = isDepthwise
      ? {
          first: c,
          step: count,
          taps: values.length / count,
          input: Math.floor((c * channels) / count),
          depth: 1,
        }
      : { first: c * (values.length / count), step: 1, taps: values.length / count, input: 0, depth };
    const offset = biases?.getInt32(4 * c, true) ?? 0;
    const scale = inputPerOutput * (scales[c] ?? scales[0] ?? 1);
    const sums = sumsOf(values, filter, seen, zeroPoint, offset, scale, range);
    if (sums === undefined) continue;
    multipliers ??= op.channelMultipliers(bound);
    const [least, most] = outputsOf({ ...sums, multiplier: multipliers[c] ?? HALF }, range);
    made.low[c] = least;
    made.high[c] = most;
  }
  return made;
}

function anyValue(channels: number): ChannelRanges {
  return { low: new Int8Array(channels).fill(-128), high: new Int8Array(channels).fill(127) };
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

/** Weights between two looks whether the rest of a filter still matters. */
const STRIDE = 8;

/**
 * offset + Σ w·(x − zero point) at the least and at the most; undefined as soon as the output is known to vary, which for nearly all filters is
 * after a few weights: both bounds only move apart.
 */
function sumsOf(
  values: Int8Array,
  { first, step, taps, input, depth }: Filter,
  { low: lows, high: highs }: ChannelRanges,
  zeroPoint: number,
  offset: number,
  scale: number,
  range: OutputRange,
): { low: number; high: number } | undefined {
  let low = offset;
  let high = offset;
  for (let i = 0, k = 0; i < taps; i++) {
    const w = values[first + i * step] ?? 0;
    const below = w * ((lows[input + k] ?? 0) - zeroPoint);
    const above = w * ((highs[input + k] ?? 0) - zeroPoint);
    low += w < 0 ? above : below;
    high += w < 0 ? below : above;
    if (++k === depth) k = 0;
    if (i % STRIDE > 0) continue;
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
