import { Requantization } from "../plan/format.ts";
import type { Multiplier } from "./fixed-point.ts";
import { firstHit } from "./first-hit.ts";
import { multiplyByQuantizedMultiplier } from "./fixed-point.ts";
import { floatBits } from "./scale-bits.ts";
import type { SinglePrecision } from "./single-precision.ts";
import {
  doublyRounded,
  excessOfBits,
  searchFused,
  searchTwice,
  singlePrecision,
} from "./single-precision.ts";

/**
 * Which requantisation arithmetic is exact for a layer. Each vector method of assembly/micro/epilogue.ts is monotone in the
 * accumulator, and so is the reference; so a method is exact if it steps where the reference does, for each of the (at most
 * 255) output values. Both proofs below look at just those places, in integers. Derivation: docs/numerics.md.
 */

/** One output channel: its multiplier and the accumulators that it can meet, inclusive, before any wrapping. */
export interface Channel {
  readonly multiplier: Multiplier;
  readonly low: number;
  readonly high: number;
}

/** Output clamp in int8 and zero point, true values. */
export interface OutputRange {
  readonly zeroPoint: number;
  readonly min: number;
  readonly max: number;
}

/** The method of a layer and what its blocks carry per channel. */
export interface RequantizationPlan {
  readonly method: Requantization;
  /**
   * The record's shift: of `wide`; of `single` that of a lane's products; of methods of one multiplier its own, to the right, and of fused ones
   * above it the excess (src/ops/single-precision.ts) beyond that of no bias; otherwise 0.
   */
  readonly shift: number;
  /** The record's, of methods of one multiplier: int32, or the bits of a float32 scale. */
  readonly multiplier?: number;
  /** Added to a channel's folded bias, modulo 2^32. */
  accumulatorBias(channel: Channel): number;
  /** Writes a channel's constants into lane `lane` of the block that begins at byte `at`. */
  write(blocks: DataView, at: number, lane: number, channel: Channel): void;
}

/** Of the record's shift, in fused methods of one multiplier, below the excess. */
const UNIFORM_SHIFT_BITS = 5;
/** 1.5 · 2^20: sums near it have their unit in the last place at 2^-32, so the high word is the floor. */
const RELU_BASE = 1572864;
/** 1.5 · 2^52: adding it rounds a double to an integer. */
const ROUND_F64 = 6755399441055744;
/** Makes an int32 accumulator unsigned; laid under 0x43300000 it is then the double 2^52 + 2^31 + a. */
const ACCUMULATOR_BIAS = 2 ** 31;
/** 1.5 · 2^23: adding it rounds a float to an integer. */
const ROUND_F32 = 12582912;

/**
 * The cheapest method that is proved for all channels. `storageOffset` is 128 where activations are stored as u8, `fused`
 * whether the variant has a fused multiply-add; without one ReLU may be computed in float32.
 */
export function planRequantization(
  channels: readonly Channel[],
  output: OutputRange,
  storageOffset: number,
  fused: boolean,
): RequantizationPlan {
  // The fused offset is representable where the shift is to the right.
  const fusable = fused && channels.every(({ multiplier }) => multiplier.shift <= 0);
  if (output.min >= output.zeroPoint && channels.every((channel) => provesRelu(channel, output))) {
    return fusable
      ? reluFusedPlan(channels, output, storageOffset)
      : reluPlan(channels, output, storageOffset, !fused);
  }
  if (provesGeneral(channels, output)) return fusable ? generalFusedPlan(channels, output) : GENERAL;
  // Without spreading, which takes no more arguments than fit the stack: a layer may have any number of channels.
  const shift = channels.reduce((most, { multiplier }) => Math.max(most, -multiplier.shift), 1);
  return channels.every((channel) => fitsWide(channel, shift)) ? widePlan(shift) : SCALAR;
}

/** `narrows`: blocks of channels all of which are proved in float32 have its constants (single-precision.ts). */
function reluPlan(
  channels: readonly Channel[],
  output: OutputRange,
  storageOffset: number,
  narrows: boolean,
): RequantizationPlan {
  const single = narrows ? singlePrecision(channels, output, false) : new Map<Channel, SinglePrecision>();
  return {
    method: single.size === channels.length ? Requantization.reluSingle : Requantization.relu,
    shift: 0,
    accumulatorBias: (channel) => single.get(channel)?.bias ?? 0,
    write(blocks, at, lane, channel) {
      if (writesSingle(blocks, at, lane, single.get(channel))) return;
      blocks.setFloat64(at + 32 + 8 * lane, reluScale(channel.multiplier), true);
      const offset = reluOffset(channel.multiplier, output.zeroPoint + storageOffset);
      blocks.setFloat64(at + 96 + 8 * lane, offset, true);
    },
  };
}

/** As reluPlan, for a fused multiply-add. */
function reluFusedPlan(
  channels: readonly Channel[],
  output: OutputRange,
  storageOffset: number,
): RequantizationPlan {
  const single = singlePrecision(channels, output, true);
  return {
    method: single.size === channels.length ? Requantization.reluFusedSingle : Requantization.reluFused,
    shift: 0,
    accumulatorBias: (channel) => single.get(channel)?.bias ?? ACCUMULATOR_BIAS,
    write(blocks, at, lane, channel) {
      if (writesSingle(blocks, at, lane, single.get(channel))) return;
      const scale = reluScale(channel.multiplier);
      const offset = reluOffset(channel.multiplier, output.zeroPoint + storageOffset);
      blocks.setFloat64(at + 32 + 8 * lane, scale, true);
      blocks.setFloat64(at + 96 + 8 * lane, offset - unsignedOffset(scale), true);
    },
  };
}

/** Whether the channel has constants in float32, which are written then. */
function writesSingle(blocks: DataView, at: number, lane: number, single?: SinglePrecision): boolean {
  if (single === undefined) return false;
  blocks.setFloat32(at + 32 + 4 * lane, single.scale, true);
  blocks.setFloat32(at + 64 + 4 * lane, single.offset, true);
  return true;
}

const GENERAL: RequantizationPlan = {
  method: Requantization.general,
  shift: 0,
  accumulatorBias: () => 0,
  write(blocks, at, lane, { multiplier }) {
    blocks.setFloat64(at + 32 + 8 * lane, generalScale(multiplier), true);
    blocks.setFloat32(at + 96 + 4 * lane, generalFine(multiplier), true);
  },
};

/** As general, in float32 where a block has constants for it. */
function generalFusedPlan(channels: readonly Channel[], output: OutputRange): RequantizationPlan {
  const single = doublyRounded(channels, output);
  return {
    method: single.size === channels.length ? Requantization.generalFusedSingle : Requantization.generalFused,
    shift: 0,
    accumulatorBias: (channel) => single.get(channel)?.bias ?? ACCUMULATOR_BIAS,
    write(blocks, at, lane, channel) {
      blocks.setFloat32(at + 96 + 4 * lane, generalFine(channel.multiplier), true);
      if (writesSingle(blocks, at, lane, single.get(channel))) return;
      const scale = generalScale(channel.multiplier);
      blocks.setFloat64(at + 32 + 8 * lane, scale, true);
      blocks.setFloat64(at + 128 + 8 * lane, ROUND_F64 - unsignedOffset(scale), true);
    },
  };
}

function widePlan(shift: number): RequantizationPlan {
  return {
    method: Requantization.wide,
    shift,
    accumulatorBias: () => 0,
    write(blocks, at, lane, { multiplier }) {
      blocks.setInt32(at + 32 + 4 * lane, multiplier.multiplier, true);
      blocks.setInt32(at + 64 + 4 * lane, 2 ** (shift + multiplier.shift), true);
    },
  };
}

/**
 * The method of vector kernels for one pixel and one multiplier, if one is proved: in float32 where there is a fused multiply-add, otherwise
 * as exact as `relu` and `general`, whose constants the kernels make of it.
 */
export function planUniform(
  channels: readonly Channel[],
  output: OutputRange,
  fused: boolean,
): RequantizationPlan | undefined {
  const [first] = channels;
  if (first === undefined) return undefined;
  const { multiplier, shift } = first.multiplier;
  const isUniform = channels.every(
    ({ multiplier: own }) => own.multiplier === multiplier && own.shift === shift,
  );
  if (!isUniform || shift > 0) return undefined;
  if (fused) return uniformFusedPlan(channels, first.multiplier, output);
  const isRelu = output.min >= output.zeroPoint && channels.every((channel) => provesRelu(channel, output));
  if (!isRelu && !provesGeneral(channels, output)) return undefined;
  return {
    method: isRelu ? Requantization.uniformRelu : Requantization.uniformGeneral,
    shift: -shift,
    multiplier,
    accumulatorBias: () => 0,
    write: () => undefined,
  };
}

/** One multiplier is one function of the accumulator, so that what is proved for the widest range is proved for all. */
function uniformFusedPlan(
  channels: readonly Channel[],
  multiplier: Multiplier,
  output: OutputRange,
): RequantizationPlan | undefined {
  const widest = {
    multiplier,
    low: channels.reduce((least, { low }) => Math.min(least, low), Infinity),
    high: channels.reduce((most, { high }) => Math.max(most, high), -Infinity),
  };
  const isRelu = output.min >= output.zeroPoint;
  const found = (isRelu ? searchFused : searchTwice)(widest, output, true);
  if (found === undefined) return undefined;
  const excess = found.excess - excessOfBits(found.scale);
  return {
    method: isRelu ? Requantization.uniformReluFused : Requantization.uniformGeneralFused,
    shift: excess * 2 ** UNIFORM_SHIFT_BITS - multiplier.shift,
    multiplier: floatBits(found.scale),
    accumulatorBias: () => found.bias,
    write: () => undefined,
  };
}

const SCALAR: RequantizationPlan = {
  method: Requantization.scalar,
  shift: 0,
  accumulatorBias: () => 0,
  write(blocks, at, lane, { multiplier }) {
    blocks.setInt32(at + 32 + 4 * lane, multiplier.multiplier, true);
    blocks.setInt32(at + 64 + 4 * lane, multiplier.shift, true);
  },
};

function reluScale({ multiplier, shift }: Multiplier): number {
  return multiplier * 2 ** (shift - 31);
}

function reluOffset({ shift }: Multiplier, storedZeroPoint: number): number {
  return RELU_BASE + 0.5 + (shift < 0 ? 2 ** (shift - 1) : 0) + storedZeroPoint;
}

function generalScale({ multiplier, shift }: Multiplier): number {
  return multiplier * 2 ** (Math.max(shift, 0) - 31);
}

/** 2^shift, a hair up so that halves round away from zero. */
function generalFine({ shift }: Multiplier): number {
  return 2 ** Math.min(shift, 0) * (1 + 2 ** -23);
}

/** What the offset must take along when 2^52 + 2^31 + a stands for a: a multiple of 2^-31·scale's last bit, so exact. */
function unsignedOffset(scale: number): number {
  return 2 ** 52 * scale + 2 ** 31 * scale;
}

/**
 * The output of a channel that gives the same for all its accumulators (a filter that training has emptied), undefined for
 * any other.
 */
export function constantOutput(channel: Channel, output: OutputRange): number | undefined {
  const [least, most] = outputsOf(channel, output);
  return least === most ? least : undefined;
}

/** The least and the greatest output of a channel: requantisation is monotone, where nothing wraps. */
export function outputsOf(channel: Channel, output: OutputRange): [number, number] {
  if (!staysInt32(channel)) return [output.min, output.max];
  const outputOf = (accumulator: number): number =>
    clamp(
      multiplyByQuantizedMultiplier(accumulator, channel.multiplier) + output.zeroPoint,
      output.min,
      output.max,
    );
  return [outputOf(channel.low), outputOf(channel.high)];
}

/** Halves: exact in every method for the accumulator 2·(value − zero point). */
export const HALF: Multiplier = { multiplier: 2 ** 30, shift: 0 };

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** No intermediate of the reference wraps: the accumulator and its left shift stay within int32. */
export function staysInt32({ multiplier, low, high }: Channel): boolean {
  const left = 2 ** Math.max(multiplier.shift, 0);
  return low * left >= -(2 ** 31) && high * left < 2 ** 31;
}

/** |accumulator · multiplier| stays below `limit`. */
function staysWithin({ multiplier, low, high }: Channel, limit: number): boolean {
  const scale = reluScale(multiplier);
  return low * scale > -limit && high * scale < limit;
}

/**
 * Up to here a · multiplier has at most 53 bits, so that its double is exact. Only accumulators at which the output steps
 * count: further out the methods are still monotone, and clamp.
 */
const EXACT = 2 ** 22;

/**
 * The reference is floor((a·m + K) / M) for a ≥ 0, M = 2^(31+e), K = M/2 (+ 2^30 where e ≥ 1 makes it round twice); below 0
 * both clamp. The method rounds the same quotient to a multiple of 2^-32 first, which lifts it to the next integer only if
 * it is short of it by 2^-33 or less: by 2^(e−2) or less in units of 1/M. So for every output value k, how far is the last
 * product a·m below k·M − K? From k to k + 1 that gap grows by M modulo m. A product of more than 53 bits is itself rounded,
 * unless fused, by `lost` of those units: upwards it adds to what lifts; downwards, being less, the next rounding mends it.
 */
function provesRelu(channel: Channel, { zeroPoint, min, max }: OutputRange): boolean {
  const m = channel.multiplier.multiplier;
  const e = -channel.multiplier.shift;
  if (!staysInt32(channel) || !staysWithin(channel, 2 ** 18)) return false;
  if (m === 0) return true;
  const modulus = 2 ** (31 + e);
  const rounding = modulus / 2 + (e >= 1 ? 2 ** 30 : 0);
  const first = (min - zeroPoint + 1) * modulus - rounding;
  // Steps that the channel reaches, one more for safety.
  const steps = Math.min(max - min, Math.floor((channel.high * m - first) / modulus) + 2);
  if (steps <= 0) return true;
  const product = Math.min(first + (steps - 1) * modulus, channel.high * m);
  const lost = product > 2 ** 53 ? 2 ** (Math.ceil(Math.log2(product)) - 54) : 0;
  if (lost > 0 && lost >= 2 ** (e - 2)) return false;
  if (e < 2) return true;
  const gap = first % m;
  const short = 2 ** (e - 2) + lost;
  if (short >= m) return false;
  if (gap > 0 && gap <= short) return false;
  return firstHit(modulus % m, m, (m + 1 - gap) % m, (m + short - gap) % m, steps) === Infinity;
}

/**
 * The first rounding is exact but for halves, which it sends to even: a · m · 2^left is a half only if a has all the powers
 * of two that m lacks. The second depends on the shift alone.
 */
function provesGeneral(channels: readonly Channel[], output: OutputRange): boolean {
  const shifts = new Map<number, boolean>();
  return channels.every((channel) => {
    const { multiplier, shift } = channel.multiplier;
    if (!staysInt32(channel) || !staysWithin(channel, 2 ** 21)) return false;
    if (multiplier === 0) return true;
    const bound = Math.max(-channel.low, channel.high);
    const inRange = Math.min(bound, 256 / reluScale(channel.multiplier));
    const twos = Math.log2(multiplier & -multiplier) + Math.max(shift, 0);
    if (inRange > EXACT || bound >= 2 ** (30 - twos)) return false;
    const right = Math.max(-shift, 0);
    const proved = shifts.get(right) ?? provesShift(right, output);
    shifts.set(right, proved);
    return proved;
  });
}

/** Whether the float form of the second rounding steps where RoundingDivideByPOT does. */
function provesShift(right: number, { zeroPoint, min, max }: OutputRange): boolean {
  if (right > 15) return false;
  const fine = Math.fround(2 ** -right * (1 + 2 ** -23));
  const rounded = (y: number): number => Math.fround(Math.fround(y * fine) + ROUND_F32) - ROUND_F32;
  for (let k = min - zeroPoint + 1; k <= max - zeroPoint; k++) {
    // The least y that rounds to k or more: halves go away from zero.
    const y = right === 0 ? k : k * 2 ** right - 2 ** (right - 1) + (k <= 0 ? 1 : 0);
    if (rounded(y) < k || rounded(y - 1) >= k) return false;
  }
  return true;
}

function fitsWide({ multiplier, low, high }: Channel, shift: number): boolean {
  const bound = Math.max(-low, high);
  const factor = 2 ** (shift + multiplier.shift);
  return (
    multiplier.shift <= 0 &&
    bound < 2 ** 30 &&
    shift <= 30 &&
    (bound + 1) * factor + 2 ** (shift - 1) < 2 ** 31
  );
}
