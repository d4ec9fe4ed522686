import { Requantization } from "../plan/format.ts";
import type { Multiplier } from "./fixed-point.ts";
import { multiplyByQuantizedMultiplier } from "./fixed-point.ts";

/**
 * Which requantisation arithmetic is exact for a layer. The vector methods of assembly/micro/epilogue.ts are monotone in
 * the accumulator, and so is the reference; so a method is exact for all accumulators of a channel if it agrees with the
 * reference on both sides of each of the (at most 255) places where the reference's output steps, and at both ends of
 * the range. `prove` looks at all of those. Derivation: docs/numerics.md.
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
  /** The record's shift: of `wide`, otherwise 0. */
  readonly shift: number;
  /** Added to every folded bias, modulo 2^32. */
  readonly accumulatorBias: number;
  /** Writes channel `channel`'s constants into lane `lane` of a block's head. */
  write(block: DataView, lane: number, channel: Channel): void;
}

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
 * whether the variant has a fused multiply-add.
 */
export function planRequantization(
  channels: readonly Channel[],
  output: OutputRange,
  storageOffset: number,
  fused: boolean,
): RequantizationPlan {
  const fusable = fused && channels.every(isExactFused);
  if (
    output.min >= output.zeroPoint &&
    channels.every((channel) => proveRelu(channel, output, storageOffset))
  ) {
    return reluPlan(output, storageOffset, fusable);
  }
  if (channels.every((channel) => proveGeneral(channel, output))) return fusable ? GENERAL_FUSED : GENERAL;
  const shift = Math.max(1, ...channels.map(({ multiplier }) => -multiplier.shift));
  return channels.every((channel) => fitsWide(channel, shift)) ? widePlan(shift) : SCALAR;
}

function reluPlan(output: OutputRange, storageOffset: number, fused: boolean): RequantizationPlan {
  return {
    method: fused ? Requantization.reluFused : Requantization.relu,
    shift: 0,
    accumulatorBias: fused ? ACCUMULATOR_BIAS : 0,
    write(block, lane, { multiplier }) {
      const offset = reluOffset(multiplier, output.zeroPoint + storageOffset);
      block.setFloat64(32 + 8 * lane, reluScale(multiplier), true);
      block.setFloat64(96 + 8 * lane, fused ? offset - unsignedOffset(reluScale(multiplier)) : offset, true);
    },
  };
}

const GENERAL: RequantizationPlan = {
  method: Requantization.general,
  shift: 0,
  accumulatorBias: 0,
  write(block, lane, { multiplier }) {
    block.setFloat64(32 + 8 * lane, generalScale(multiplier), true);
    block.setFloat32(96 + 4 * lane, generalFine(multiplier), true);
  },
};

const GENERAL_FUSED: RequantizationPlan = {
  method: Requantization.generalFused,
  shift: 0,
  accumulatorBias: ACCUMULATOR_BIAS,
  write(block, lane, { multiplier }) {
    const scale = generalScale(multiplier);
    block.setFloat64(32 + 8 * lane, scale, true);
    block.setFloat64(96 + 8 * lane, ROUND_F64 - unsignedOffset(scale), true);
    block.setFloat32(160 + 4 * lane, generalFine(multiplier), true);
  },
};

function widePlan(shift: number): RequantizationPlan {
  return {
    method: Requantization.wide,
    shift,
    accumulatorBias: 0,
    write(block, lane, { multiplier }) {
      block.setInt32(32 + 4 * lane, multiplier.multiplier, true);
      block.setInt32(64 + 4 * lane, 2 ** (shift + multiplier.shift), true);
    },
  };
}

const SCALAR: RequantizationPlan = {
  method: Requantization.scalar,
  shift: 0,
  accumulatorBias: 0,
  write(block, lane, { multiplier }) {
    block.setInt32(32 + 4 * lane, multiplier.multiplier, true);
    block.setInt32(64 + 4 * lane, multiplier.shift, true);
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
 * Whether a fused multiply-add rounds as a multiply and an add do: a · multiplier has at most 53 bits, so that the
 * product is exact either way; and the fused offset is representable, for which the shift must be to the right.
 */
function isExactFused({ multiplier, low, high }: Channel): boolean {
  return multiplier.shift <= 0 && low >= -(2 ** 22) && high <= 2 ** 22;
}

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** No intermediate of the reference wraps: the accumulator and its left shift stay within int32. */
function staysInt32({ multiplier, low, high }: Channel): boolean {
  const left = 2 ** Math.max(multiplier.shift, 0);
  return low * left >= -(2 ** 31) && high * left < 2 ** 31;
}

/**
 * Whether `method` (already clamped) equals the clamped reference at every accumulator of the channel: at both ends,
 * and just below and at every step of the reference.
 */
function prove(channel: Channel, output: OutputRange, method: (accumulator: number) => number): boolean {
  const { multiplier, low, high } = channel;
  const { zeroPoint, min, max } = output;
  const reference = (a: number): number =>
    clamp(multiplyByQuantizedMultiplier(a, multiplier) + zeroPoint, min, max);
  if (method(low) !== reference(low) || method(high) !== reference(high)) return false;
  if (multiplier.multiplier === 0) return true;
  const scale = reluScale(multiplier);
  const first = Math.max(reference(low), min) + 1;
  const last = Math.min(reference(high), max);
  for (let value = first; value <= last; value++) {
    // The smallest accumulator that reaches `value`, from the real quotient, then to the exact place.
    let a = clamp(Math.ceil((value - zeroPoint - 0.5) / scale), low + 1, high);
    while (a > low + 1 && reference(a - 1) >= value) a--;
    while (a < high && reference(a) < value) a++;
    if (method(a) < value || method(a - 1) >= value) return false;
  }
  return true;
}

function proveRelu(channel: Channel, output: OutputRange, storageOffset: number): boolean {
  if (!staysInt32(channel)) return false;
  const scale = reluScale(channel.multiplier);
  const limit = 2 ** 18;
  if (channel.low * scale <= -limit || channel.high * scale >= limit) return false;
  const offset = reluOffset(channel.multiplier, output.zeroPoint + storageOffset);
  return prove(channel, output, (a) =>
    clamp(Math.floor(a * scale + offset) - RELU_BASE - storageOffset, output.min, output.max),
  );
}

function proveGeneral(channel: Channel, output: OutputRange): boolean {
  if (!staysInt32(channel)) return false;
  const scale = generalScale(channel.multiplier);
  const fine = Math.fround(generalFine(channel.multiplier));
  const limit = 2 ** 21;
  const real = reluScale(channel.multiplier);
  if (channel.low * real <= -limit || channel.high * real >= limit) return false;
  return prove(channel, output, (a) => {
    const rounded = Math.fround(a * scale + ROUND_F64 - ROUND_F64);
    const shifted = Math.fround(Math.fround(rounded * fine) + ROUND_F32) - ROUND_F32;
    return clamp(shifted + output.zeroPoint, output.min, output.max);
  });
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
