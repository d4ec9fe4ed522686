import { Requantization } from "../plan/format.ts";
import { blockHeadBytes, LANE_TERMS, MAX_LANE_SHIFT } from "../plan/packing.ts";
import { firstHit } from "./first-hit.ts";
import type { Channel, OutputRange, RequantizationPlan } from "./requantization.ts";
import { staysInt32 } from "./requantization.ts";

/**
 * The method of `mcu`, whose blocks have one channel each, but in lanes: `single` where it is proved, else `scalar`. `biases` have the input's zero
 * point folded in.
 */
export function planScalarRequantization(
  channels: readonly Channel[],
  biases: Int32Array,
  weightsOf: (channel: number) => Int8Array,
  output: OutputRange,
): RequantizationPlan {
  const offsets = new Map<Channel, bigint>();
  let shift = MAX_LANE_SHIFT;
  for (const [c, channel] of channels.entries()) {
    const offset = singleOffset(channel, biases[c] ?? 0, output);
    if (offset === undefined) return SCALAR;
    offsets.set(channel, offset);
    shift = laneShift(weightsOf(c), shift);
  }
  return {
    method: Requantization.single,
    shift,
    accumulatorBias: () => 0,
    write(blocks, at, lane, channel) {
      const head = at + blockHeadBytes("mcu", Requantization.single) * lane;
      blocks.setBigInt64(head, offsets.get(channel) ?? 0n, true);
      blocks.setInt32(head + 8, channel.multiplier.multiplier, true);
    },
  };
}

const SCALAR: RequantizationPlan = {
  method: Requantization.scalar,
  shift: 0,
  accumulatorBias: () => 0,
  write(blocks, at, _, { multiplier }) {
    blocks.setInt32(at + 4, multiplier.shift, true);
    blocks.setInt32(at + 8, multiplier.multiplier, true);
  },
};

/** Bits of a shift of int64. */
const SHIFT_BITS = 6;

/**
 * bias·m and the halves of both roundings and the zero point; of the first rounding alone where the second meets negative numbers
 * (assembly/micro/epilogue-scalar.ts). Its lower bits are replaced by the right shift, the nearest number above or below that moves no step of the
 * output. Undefined where both do, where sums wrap, or where the sum before the shift could leave int64, or the result int32.
 */
function singleOffset(channel: Channel, bias: number, output: OutputRange): bigint | undefined {
  const { multiplier, shift } = channel.multiplier;
  const { low, high } = channel;
  if (multiplier === 0 || shift < -23 || !staysInt32(channel)) return undefined;
  if (low - bias < -(2 ** 31) || high - bias >= 2 ** 31) return undefined;
  // With the zero point added, the result is an int32 before it is clamped.
  const left = 2 ** Math.max(shift, 0);
  if (low * left < -(2 ** 31) + 128 || high * left >= 2 ** 31 - 128) return undefined;
  const right = 31 - shift;
  const first = shift < 0 ? 2n ** 30n : 0n;
  const roundsTwice = shift < 0 && output.min < output.zeroPoint;
  const halves = roundsTwice ? first : first + (BigInt(2 * output.zeroPoint + 1) << BigInt(right - 1));
  const exact = BigInt(bias) * BigInt(multiplier) + halves;
  const up = Number(BigInt.asUintN(SHIFT_BITS, BigInt(right) - exact));
  const lift = [up, up - 2 ** SHIFT_BITS].find((by) => keepsSteps(channel, output, by));
  return lift === undefined ? undefined : exact + BigInt(lift);
}

/**
 * The output is q above the zero point, or more, from a·m ≥ (2q − 1)·2^(right − 1) − rounding on: rounding is 2^30 where it rounds twice, −2^30
 * where it does so below zero. Lifted, it would be from a·m + lift on; is there a q for which an a lies between?
 */
function keepsSteps(
  { multiplier: { multiplier, shift } }: Channel,
  { zeroPoint, min, max }: OutputRange,
  lift: number,
): boolean {
  const rounding = shift < 0 ? 2 ** 30 : 0;
  const from = min - zeroPoint + 1;
  const to = max - zeroPoint;
  const keeps = (first: number, last: number, nudge: number): boolean => {
    const threshold = (2 * first - 1) * 2 ** (30 - shift) - nudge;
    return last < first || !isBetween(threshold, 2 ** (31 - shift), multiplier, lift, last - first + 1);
  };
  return keeps(Math.max(from, 1), to, rounding) && keeps(from, Math.min(to, 0), -rounding);
}

/**
 * Whether a multiple of m lies within `lift` of threshold + k·step, 0 ≤ k < steps: below it, for a lift below 0 from it upwards. What is
 * left of threshold modulo m, so shifted that this is the range below |lift|, grows by step from k to k + 1.
 */
function isBetween(threshold: number, step: number, m: number, lift: number, steps: number): boolean {
  if (lift === 0) return false;
  const width = Math.abs(lift);
  // Taken modulo m first: a threshold of 63 bits is a double, one beside it is not.
  const rest = ((((threshold % m) - Math.min(lift, 0) - 1 + m) % m) + m) % m;
  return rest < width || firstHit(step % m, m, m - rest, m - rest + width - 1, steps) < Infinity;
}

/**
 * The greatest n, at most `limit`, such that a lane holds the products of any pixels with each run of LANE_TERMS · 2^n weights that begins
 * at a multiple of that length.
 */
function laneShift(weights: Int8Array, limit: number): number {
  let shift = 0;
  while (shift < limit && LANE_TERMS << shift < weights.length) {
    if (!fitsLane(weights, LANE_TERMS << (shift + 1))) return shift;
    shift++;
  }
  return limit;
}

/** Of assembly/micro/lanes.ts: a lane is 2^20 − 1 more than its sum, and below 2^21. */
function fitsLane(weights: Int8Array, terms: number): boolean {
  for (let first = 0; first < weights.length; first += terms) {
    let positive = 0;
    let negative = 0;
    for (const weight of weights.subarray(first, first + terms)) {
      if (weight > 0) positive += weight;
      else negative += weight;
    }
    if (128 * positive - 127 * negative >= 2 ** 20 || 127 * positive - 128 * negative > 2 ** 20) return false;
  }
  return true;
}
