/** What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED share: checks of their constants, multipliers, packed blocks. */
import { ModelError, UnsupportedError } from "../errors.ts";
import type { BoundNode, ElementType, Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { Requantization } from "../plan/format.ts";
import { align, blockChannels, requantizationWord } from "../plan/packing.ts";
import type { Variant } from "../plan/variant.ts";
import { storageFlip } from "../plan/variant.ts";
import { perTensor, requireConstant, requireMultiplier, requireOutput, requireType } from "./check.ts";
import type { FusedActivation, Multiplier } from "./fixed-point.ts";
import { activationRange } from "./fixed-point.ts";
import type { Packed } from "./op.ts";
import { requireSafePairs } from "./weight-pairs.ts";
import type { Channel, OutputRange, RequantizationPlan } from "./requantization.ts";
import { constantOutput, HALF, planRequantization, planUniform } from "./requantization.ts";
import { planScalarRequantization } from "./requantization-scalar.ts";

/** Geometry of a two-dimensional convolution, padding as numbers. */
export interface ConvolutionAttrs {
  readonly padTop: number;
  readonly padLeft: number;
  readonly padBottom: number;
  readonly padRight: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly activation: FusedActivation;
  /** Of int16: the bias type of the file (code 2: int32), which counts where there is no bias. */
  readonly biasType?: number;
}

/**
 * Weights are constant int8 with zero point 0, one scale or one per output channel (dimension `axis`).
 * @throws UnsupportedError not-constant, unsupported-type, asymmetric-weights
 * @throws ModelError missing-quantization, scale-count
 */
export function requireWeights(weights: Tensor, axis: number): void {
  const at = `weights "${weights.name}"`;
  if (weights.type !== "int8") {
    throw new UnsupportedError(
      "unsupported-type",
      `${at} are ${weights.type}; only int8 weights are run yet: quantise the model to int8`,
    );
  }
  requireConstant(weights, "weights");
  const { quantization } = weights;
  if (quantization === undefined || quantization.scales.length === 0) {
    throw new ModelError(
      "missing-quantization",
      `${at} have no scale; export with full integer quantisation`,
    );
  }
  const { scales, zeroPoints } = quantization;
  if (scales.length > 1 && (quantization.axis !== axis || scales.length !== weights.shape[axis])) {
    throw new ModelError(
      "scale-count",
      `${at} of shape [${weights.shape.join(", ")}] have ${scales.length} scales along dimension ` +
        `${quantization.axis}; 1, or one per index of dimension ${axis}, is needed: quantise again`,
    );
  }
  if (zeroPoints.some((zeroPoint) => zeroPoint !== 0)) {
    throw new UnsupportedError(
      "asymmetric-weights",
      `${at} have a zero point other than 0; quantise weights symmetrically`,
    );
  }
}

/**
 * A bias, where there is one, is constant, one value of a type in `types` per output channel.
 * @throws UnsupportedError not-constant, unsupported-type
 * @throws ModelError bias-length
 */
export function requireBias(
  bias: Tensor | undefined,
  channels: number,
  types: readonly ElementType[] = ["int32"],
): void {
  if (bias === undefined) return;
  const data = requireConstant(bias, "bias");
  requireType(bias, "bias", types);
  const count = data.byteLength / elementBytes(bias.type);
  if (count === channels) return;
  throw new ModelError(
    "bias-length",
    `bias "${bias.name}" has ${count} values for ${channels} output channels; export the model again`,
  );
}

/** The bias of one output channel, of any type that `requireBias` may be given; 0 where there is none. */
export function biasValue(bias: Tensor | undefined, channel: number): bigint {
  if (bias?.data === undefined) return 0n;
  const view = new DataView(bias.data.buffer, bias.data.byteOffset, bias.data.byteLength);
  if (bias.type === "int64") return view.getBigInt64(8 * channel, true);
  return BigInt(bias.type === "int32" ? view.getInt32(4 * channel, true) : view.getInt16(2 * channel, true));
}

/**
 * The multiplier of each output channel.
 * `product` is how the operator multiplies its two input scales: in double, or rounded to float32.
 * @throws UnsupportedError multiplier-too-large
 */
export function channelMultipliers(
  input: Tensor,
  weights: Tensor,
  output: Tensor,
  channels: number,
  product: (inputScale: number, weightScale: number) => number,
): Multiplier[] {
  const inputScale = perTensor(input, "input").scale;
  const outputScale = perTensor(output, "output").scale;
  const scales = weights.quantization?.scales ?? new Float32Array(1);
  const multipliers = Array.from(scales, (scale) =>
    requireMultiplier(product(inputScale, scale) / outputScale, output),
  );
  return Array.from({ length: channels }, (_, c) => multipliers[c] ?? multipliers[0]) as Multiplier[];
}

/** Clamp and zero point of the node's output. */
export function outputRange(node: BoundNode<{ readonly activation: FusedActivation }>): OutputRange {
  const output = requireOutput(node.outputs);
  const { scale, zeroPoint } = perTensor(output, "output");
  return { zeroPoint, ...activationRange(node.attrs.activation, scale, zeroPoint) };
}

/** What `packBlocks` needs to know of an operator. */
export interface BlockSource {
  /** Of the weights. */
  readonly name: string;
  readonly channels: number;
  readonly multipliers: readonly Multiplier[];
  readonly bias: Tensor | undefined;
  readonly inputZeroPoint: number;
  readonly output: OutputRange;
  /** Whether it runs as a conv2d whose output is one pixel. */
  readonly onePixel: boolean;
  /** Whether the weights may lie in lanes (src/plan/lane-rows.ts); mcu only. */
  readonly isVector?: boolean;
  /** The weights of one output channel, in any order. */
  readonly weightsOf: (channel: number) => Int8Array;
  readonly blockBytes: (method: Requantization) => number;
  /** Writes one channel's weights for lane `lane` of a block whose weights begin at byte `at` of `bytes`. */
  readonly writeWeights: (
    bytes: Int8Array,
    at: number,
    lane: number,
    weights: Int8Array,
    method: Requantization,
  ) => void;
  readonly headBytes: (method: Requantization) => number;
}

/** The scalar method has none in lanes. */
function inLanes(plan: RequantizationPlan, isVector = false): RequantizationPlan {
  if (!isVector || plan.method !== Requantization.single) return plan;
  return { ...plan, method: Requantization.singleVector, shift: 0 };
}

/** Weights, folded biases and proved requantisation constants in blocks of channels: src/plan/packing.ts. */
export function packBlocks(source: BlockSource, variant: Variant): Packed {
  const storageOffset = storageFlip(variant);
  const bias = int32Values(source.bias);
  const sums = source.multipliers.map((multiplier, c) => {
    return sumOf(source.weightsOf(c), source.inputZeroPoint, bias?.getInt32(4 * c, true) ?? 0, multiplier);
  });
  const isFused = variant !== "simd";
  const uniform =
    variant !== "mcu" && source.onePixel ? planUniform(sums, source.output, isFused) : undefined;
  const channels: Channel[] = [];
  const folded = new Int32Array(source.channels);
  const empty = new Set<number>();
  for (const [c, sum] of sums.entries()) {
    const constant = uniform === undefined ? constantOutput(sum, source.output) : undefined;
    if (constant === undefined) {
      channels.push(sum);
      folded[c] = sum.bias - (source.inputZeroPoint + storageOffset) * sum.weight;
    } else {
      // Its multiplier and bias can be extreme, and would cost the whole layer its method: an empty filter gives the same.
      folded[c] = 2 * (constant - source.output.zeroPoint);
      channels.push({ multiplier: HALF, low: folded[c] ?? 0, high: folded[c] ?? 0 });
      empty.add(c);
    }
  }

  const requantization =
    variant === "mcu"
      ? inLanes(planScalarRequantization(channels, folded, source.weightsOf, source.output), source.isVector)
      : (uniform ?? planRequantization(channels, source.output, storageOffset, isFused));
  const { method } = requantization;
  const perBlock = blockChannels(variant, method);
  const blocks = Math.ceil(source.channels / perBlock);
  const blockBytes = source.blockBytes(method);
  const headBytes = source.headBytes(method);
  // In mcu each channel's constants lie together, and begin with its bias.
  const toNextBias = variant === "mcu" ? headBytes / perBlock : 4;
  const bytes = new Uint8Array(align(blocks * blockBytes, 16));
  const signed = new Int8Array(bytes.buffer);
  const view = new DataView(bytes.buffer);
  for (const [c, channel] of channels.entries()) {
    const at = Math.floor(c / perBlock) * blockBytes;
    const lane = c % perBlock;
    view.setInt32(at + toNextBias * lane, (folded[c] ?? 0) + requantization.accumulatorBias(channel), true);
    requantization.write(view, at, lane, channel);
    const weights = source.weightsOf(c);
    source.writeWeights(
      signed,
      at + headBytes,
      lane,
      empty.has(c) ? new Int8Array(weights.length) : weights,
      method,
    );
  }
  requireSafePairs(variant, signed, { at: 0, end: blocks * blockBytes, blockBytes, headBytes }, source.name);
  return {
    bytes,
    blocks,
    blockBytes,
    blockChannels: perBlock,
    fields: {
      requantization: requantizationWord(method, requantization.shift),
      requantizationMultiplier: requantization.multiplier ?? 0,
    },
  };
}

/** What one output channel adds up: the accumulators that it can meet, its bias, and the sum of its weights. */
interface Sum extends Channel {
  readonly bias: number;
  readonly weight: number;
}

function sumOf(weights: Int8Array, inputZeroPoint: number, bias: number, multiplier: Multiplier): Sum {
  let positive = 0;
  let negative = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i] ?? 0;
    if (w > 0) positive += w;
    else negative += w;
  }
  const above = 127 - inputZeroPoint;
  const below = -128 - inputZeroPoint;
  return {
    multiplier,
    bias,
    weight: positive + negative,
    low: bias + positive * below + negative * above,
    high: bias + positive * above + negative * below,
  };
}

/** The values of constant int32. */
export function int32Values(tensor: Tensor | undefined): DataView | undefined {
  return tensor?.data && new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

/** The bytes of constant int8 weights. */
export function int8Values(tensor: Tensor): Int8Array {
  const data = tensor.data ?? new Uint8Array(0);
  return new Int8Array(data.buffer, data.byteOffset, data.byteLength);
}
