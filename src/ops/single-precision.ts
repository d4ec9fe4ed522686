import { blockChannels } from "../plan/packing.ts";
import type { Channel, OutputRange } from "./requantization.ts";

/**
 * Requantisation in float32, half the work of the doubles of method `relu`:
 *
 *   round(float32(float32(float32(a + bias) · scale) + offset)) + middle of the output range
 *
 * Each rounding is monotone in the accumulator a, and so is the reference. So the form is exact if it steps where the reference does,
 * for each of the (at most 255) output values. It is tried at those steps, as far as they are close, with scales next to the multiplier
 * and the offsets that these leave. `bias` brings the middle of the range to 0, where a float32 is finest. Derivation: docs/numerics.md.
 */
export interface SinglePrecision {
  readonly scale: number;
  readonly offset: number;
  /** Added to the accumulator. */
  readonly bias: number;
}

const BLOCK = blockChannels("simd");
/** 1.5 · 2^23: adding it rounds a float32 to an integer. */
const ROUND = 12582912;
/** Scales that are tried, in units in the last place from the multiplier. */
const NEIGHBOURS = [0, -1, 1];
/** Biases that are tried, from the one that brings the middle to 0. */
const SHIFTS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6];
/** Offsets that are tried, as shares of what a scale leaves. */
const SHARES = [0.5, 0.25, 0.75];
/** How far an offset may be from the real one. */
const LEEWAY = 2 ** -16;
/**
 * What sums are away from the real ones at most, and a little more: with sums within 135 of 0 that is 135 · 1.5 · 2^-23 for the scale,
 * 2^-17 for each of two roundings, and the leeway. Accumulators further from a step cannot be on its wrong side. (Where a float32 does not
 * hold the accumulator, f is below 2^-13 and every step within the window.)
 */
const WINDOW = 2 ** -14;

/**
 * The constants of channels whose blocks are proved as a whole, by object: the same one twice would be taken for both. `output.min` ≥ the
 * zero point: below it the reference may round otherwise, and both clamp.
 */
export function singlePrecision(
  channels: readonly Channel[],
  output: OutputRange,
): Map<Channel, SinglePrecision> {
  const found = new Map<Channel, SinglePrecision>();
  for (let first = 0; first < channels.length; first += BLOCK) {
    const block = channels.slice(first, first + BLOCK);
    const proved: [Channel, SinglePrecision][] = [];
    for (const channel of block) {
      const single = search(channel, output);
      if (single === undefined) break;
      proved.push([channel, single]);
    }
    if (proved.length < block.length) continue;
    for (const [channel, single] of proved) found.set(channel, single);
  }
  return found;
}

/**
 * What findSteps finds: accumulators at which an output begins, and that output, counted from the middle of the range. Reused, because models
 * have thousands of channels.
 */
const steps = new Float64Array(256);
const outputs = new Float64Array(256);

function search(channel: Channel, output: OutputRange): SinglePrecision | undefined {
  const { multiplier, shift } = channel.multiplier;
  if (multiplier === 0 || shift > 0) return undefined;
  // In int8, as prepareEpilogue in assembly/micro/epilogue.ts has it.
  const middle = Math.floor((output.min + output.max + 1) / 2) - output.zeroPoint;
  const real = multiplier * 2 ** (shift - 31);
  const count = findSteps(channel, output, middle);
  if (count < 0) return undefined;
  const centre = -Math.floor(middle / real);
  for (const move of SHIFTS) {
    const bias = centre + move;
    if (!staysWithin(channel, bias, real)) continue;
    // (a + bias) · real + offset is the reference's quotient, with both its halves, less the middle and a half.
    const offset = (shift < 0 ? 2 ** (shift - 1) : 0) - middle - bias * real;
    for (const ulps of NEIGHBOURS) {
      const scale = neighbour(real, ulps);
      const exact = exactOffset(count, channel, bias, scale, offset);
      if (exact !== undefined) return { scale, offset: exact, bias };
    }
  }
  return undefined;
}

/**
 * Of the steps that the channel reaches, those that some accumulator is within WINDOW of, to `steps`: all others are where they must be.
 * a·m ≥ k·2^(31 + e) − 2^(30 + e) − [e ≥ 1]·2^30 for the output k above the zero point, and so the distance of the least such a grows by
 * −2^(31 + e) modulo m from output to output. Their number, negative where products are not exact.
 */
function findSteps(
  { multiplier: { multiplier, shift }, low, high }: Channel,
  { zeroPoint, min, max }: OutputRange,
  middle: number,
): number {
  const modulus = 2 ** (31 - shift);
  const rounding = modulus / 2 + (shift < 0 ? 2 ** 30 : 0);
  const window = Math.min(Math.ceil(WINDOW * modulus), Math.floor(multiplier / 2));
  // Whole numbers below 2^31, and made so for engines, which put doubles into boxes until they optimise.
  const reach = (2 * window) | 0;
  const shrinkage = (modulus % multiplier) | 0;
  // One more on each side than are reached.
  const first = Math.max(min - zeroPoint + 1, Math.floor((low * multiplier) / modulus) - 1);
  const last = Math.min(max - zeroPoint, Math.ceil((high * multiplier) / modulus) + 1);
  if (last * modulus > 2 ** 53) return -1;
  // How far the least accumulator is above the step, from the window's lower end on.
  let place = ((2 * multiplier - ((first * modulus - rounding) % multiplier) + window) % multiplier) | 0;
  let count = 0;
  for (let k = first; k <= last; k++) {
    if (place <= reach) {
      const product = k * modulus - rounding;
      const rest = product % multiplier;
      steps[count] = (product - rest) / multiplier + (rest > 0 ? 1 : 0);
      outputs[count++] = k - middle;
    }
    place -= shrinkage;
    if (place < 0) place += multiplier;
  }
  return count;
}

/** Sums stay int32, and their multiples where adding ROUND rounds. */
function staysWithin({ low, high }: Channel, bias: number, scale: number): boolean {
  const least = low + bias;
  const most = high + bias;
  return least >= -(2 ** 31) && most < 2 ** 31 && least * scale > -(2 ** 21) && most * scale < 2 ** 21;
}

/** An offset next to `offset` with which the first `count` of `outputs` begin at their `steps`, as far as the channel gets there. */
function exactOffset(
  count: number,
  { low, high }: Channel,
  bias: number,
  scale: number,
  offset: number,
): number | undefined {
  let least = offset - LEEWAY;
  let most = offset + LEEWAY;
  for (let i = 0; i < count; i++) {
    const step = steps[i] ?? 0;
    const half = (outputs[i] ?? 0) - 0.5;
    if (step <= high) least = Math.max(least, half - Math.fround(Math.fround(step + bias) * scale));
    if (step > low) most = Math.min(most, half - Math.fround(Math.fround(step + bias - 1) * scale));
  }
  if (least >= most) return undefined;
  for (const share of SHARES) {
    const candidate = Math.fround(least + (most - least) * share);
    if (Math.abs(candidate - offset) > LEEWAY) continue;
    let i = 0;
    for (; i < count; i++) {
      const step = steps[i] ?? 0;
      const begun = outputs[i] ?? 0;
      if (step <= high && rounded(step + bias, scale, candidate) < begun) break;
      if (step > low && rounded(step + bias - 1, scale, candidate) >= begun) break;
    }
    if (i === count) return candidate;
  }
  return undefined;
}

function rounded(sum: number, scale: number, offset: number): number {
  const scaled = Math.fround(Math.fround(Math.fround(sum) * scale) + offset);
  return Math.fround(scaled + ROUND) - ROUND;
}

const float = new Float32Array(1);
const word = new Int32Array(float.buffer);

/** The float32 `ulps` units in the last place from the one nearest to a positive `value`. */
function neighbour(value: number, ulps: number): number {
  float[0] = value;
  word[0] = (word[0] ?? 0) + ulps;
  return float[0];
}
