import { blockChannels } from "../plan/packing.ts";
import { firstHit } from "./first-hit.ts";
import type { Channel, OutputRange } from "./requantization.ts";

/**
 * Requantisation in float32, half the work of the doubles of methods `relu`, `reluFused` and `generalFused`:
 *
 *   round(float32(float32(float32(a + bias) · scale) + offset)) + middle of the output range
 *   float32(float32(a + bias) · scale + 1.5 · 2^23 − excess) − 1.5 · 2^23 + zero point, fused: one rounding, to an integer
 *   two fused ones, of a · scale and of what that gives · 2^shift (searchScale)
 *
 * Each rounding is monotone in the accumulator a, and so is the reference. So the form is exact if it steps where the reference does,
 * for each of the (at most 255) output values. It is tried at those steps, as far as they are close, with scales next to the multiplier
 * and the offsets that these leave. Derivation: docs/numerics.md.
 */
export interface SinglePrecision {
  readonly scale: number;
  readonly offset: number;
  /** Added to the accumulator. */
  readonly bias: number;
}

/** Of a fused one. */
export interface Fused extends Omit<SinglePrecision, "offset"> {
  /** Whole outputs that the bias adds: from 0 to below 2^11. */
  readonly excess: number;
}

const BLOCK = blockChannels("simd");
/** 1.5 · 2^23: adding it rounds a float32 to an integer. */
const ROUND = 12582912;
/** Scales that are tried, in units in the last place from the multiplier. */
const NEIGHBOURS = [0, -1, 1];
const FUSED_NEIGHBOURS = [0, -1, 1, -2, 2, -3, 3];
/** Biases that are tried, from the one that brings the middle to 0. */
const SHIFTS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6];
/** Fused: whole outputs, less than these, that the bias may add, for the fraction of one that it adds with them. */
const TURNS = 2048;
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
 * The constants of channels whose blocks are proved as a whole. `output.min` ≥ the zero point: below it the reference may round otherwise,
 * and both clamp.
 */
export function singlePrecision(
  channels: readonly Channel[],
  output: OutputRange,
  fused: boolean,
): Map<Channel, SinglePrecision> {
  const search = fused ? searchFusedOffset : searchUnfused;
  return ofWholeBlocks(channels, (channel) => search(channel, output));
}

/** As singlePrecision, of any output range: scales. */
export function singleScales(channels: readonly Channel[], output: OutputRange): Map<Channel, number> {
  return ofWholeBlocks(channels, (channel) => searchScale(channel, output));
}

/** What `search` finds for channels of whose block it finds all, by object: the same one twice would be taken for both. */
function ofWholeBlocks<T>(
  channels: readonly Channel[],
  search: (channel: Channel) => T | undefined,
): Map<Channel, T> {
  const found = new Map<Channel, T>();
  for (let first = 0; first < channels.length; first += BLOCK) {
    const block = channels.slice(first, first + BLOCK);
    const proved: [Channel, T][] = [];
    for (const channel of block) {
      const single = search(channel);
      if (single === undefined) break;
      proved.push([channel, single]);
    }
    if (proved.length < block.length) continue;
    for (const [channel, single] of proved) found.set(channel, single);
  }
  return found;
}

/**
 * What findSteps finds: accumulators at which an output begins, and that output, counted from the middle of the range (of findFirstSteps the
 * whole number that is rounded to it). Reused, because models
 * have thousands of channels.
 */
const steps = new Float64Array(256);
const outputs = new Float64Array(256);

/** The bias brings the middle of the range to 0, where a float32 is finest. */
function searchUnfused(channel: Channel, output: OutputRange): SinglePrecision | undefined {
  const { multiplier, shift } = channel.multiplier;
  if (multiplier === 0 || shift > 0) return undefined;
  // In int8, as prepareEpilogue in assembly/micro/epilogue.ts has it.
  const middle = Math.floor((output.min + output.max + 1) / 2) - output.zeroPoint;
  const real = multiplier * 2 ** (shift - 31);
  const count = findSteps(channel, output, middle, WINDOW);
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

function searchFusedOffset(channel: Channel, output: OutputRange): SinglePrecision | undefined {
  const found = searchFused(channel, output);
  return found && { scale: found.scale, offset: ROUND - found.excess, bias: found.bias };
}

/**
 * Sums of 24 bits and their products are exact, and the one rounding is to integers, at which the offset has no fraction: what must be
 * added to a quotient to have the reference's halves, the bias adds, whose multiples of the scale have every fraction, of a scale's 2^-24
 * parts. `output.min` ≥ the zero point.
 */
export function searchFused(channel: Channel, output: OutputRange): Fused | undefined {
  const { multiplier, shift } = channel.multiplier;
  if (multiplier === 0 || shift > 0) return undefined;
  const real = multiplier * 2 ** (shift - 31);
  // A share of an accumulator that some turn hits; scales may be two units further off than WINDOW allows for, 2^-14 at 256.
  const leeway = Math.max(LEEWAY, real / 1024);
  const count = findSteps(channel, output, 0, WINDOW - LEEWAY + leeway + 2 ** -14);
  if (count < 0) return undefined;
  const half = shift < 0 ? 2 ** (shift - 1) : 0;
  for (const ulps of FUSED_NEIGHBOURS) {
    const scale = neighbour(real, ulps);
    const range = fractions(count, channel, scale, half, leeway);
    // In units of the scale's last place; a multiple of the scale must be in [low, high] beyond `turns` whole ones.
    const one = 2 ** (23 - Math.floor(Math.log2(scale)));
    const units = scale * one;
    const low = Math.floor(range.least * one) + 1;
    const high = Math.ceil(range.most * one) - 1;
    // Sums at the steps keep to 24 bits.
    const limit = Math.min(
      TURNS,
      Math.floor((2 ** 24 - Math.min(Math.max(channel.high, 0), 257 / scale)) * scale),
    );
    if (low > high || limit <= 0) continue;
    const turns = turnsUntil(one % units, units, low, high, limit);
    if (turns >= limit) continue;
    const most = turns * one + high;
    const bias = (most - modulo(most, units)) / units;
    if (staysWithin(channel, bias, scale)) return { scale, excess: turns, bias };
  }
  return undefined;
}

/**
 * Of any output range, the scale by which the first of the reference's two roundings, of a · multiplier / 2^31 to whole numbers, is one
 * fused multiply-add. The second is one too: y · 2^shift · (1 + 2^-23) is on the right side of every half, which goes away from zero,
 * because quotients are 2^shift apart, and y at a step is no more than 2^21.
 */
export function searchScale(channel: Channel, output: OutputRange): number | undefined {
  const { multiplier, shift } = channel.multiplier;
  if (multiplier === 0 || shift > 0 || shift < -13) return undefined;
  const count = findFirstSteps(channel, output);
  for (const ulps of FUSED_NEIGHBOURS) {
    const scale = neighbour(multiplier * 2 ** -31, ulps);
    if (stepsWith(scale, channel, count) && staysWithin(channel, 0, scale * 2 ** shift)) return scale;
  }
  return undefined;
}

/** As findSteps, of the first rounding, and all: whole numbers at which an output begins, and the least accumulators that give them. */
function findFirstSteps({ multiplier: { multiplier, shift } }: Channel, output: OutputRange): number {
  let count = 0;
  for (let k = output.min - output.zeroPoint + 1; k <= output.max - output.zeroPoint; k++) {
    const begins = shift === 0 ? k : k * 2 ** -shift - 2 ** (-shift - 1) + (k <= 0 ? 1 : 0);
    steps[count] = leastWith((begins - 0.5) * 2 ** 31, multiplier);
    outputs[count++] = begins;
  }
  return count;
}

/** Whether products with `scale`, rounded, reach the first `count` of `outputs` at their `steps`, as far as the channel gets there. */
function stepsWith(scale: number, { low, high }: Channel, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const step = steps[i] ?? 0;
    const half = (outputs[i] ?? 0) - 0.5;
    if (step <= high && Math.max(step, low) * scale <= half) return false;
    if (step > low && Math.min(step - 1, high) * scale >= half) return false;
  }
  return true;
}

/** What may be added to multiples of `scale` for outputs to begin where they must: between the two, next to `half`. */
function fractions(
  count: number,
  { low, high }: Channel,
  scale: number,
  half: number,
  leeway: number,
): { readonly least: number; readonly most: number } {
  let least = half - leeway;
  let most = half + leeway;
  for (let i = 0; i < count; i++) {
    const step = steps[i] ?? 0;
    const begins = (outputs[i] ?? 0) - 0.5;
    if (step <= high) least = Math.max(least, begins - step * scale);
    if (step > low) most = Math.min(most, begins - (step - 1) * scale);
  }
  return { least, most };
}

/** The least t ≥ 0 for which some multiple of `units` lies in t · one + [low, high], one modulo `units`; Infinity if it is not below `limit`. */
function turnsUntil(one: number, units: number, low: number, high: number, limit: number): number {
  const least = modulo(-high, units);
  const most = modulo(-low, units);
  return high - low >= units || least > most ? 0 : firstHit(one, units, least, most, limit);
}

function modulo(a: number, modulus: number): number {
  return ((a % modulus) + modulus) % modulus;
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
  near: number,
): number {
  const modulus = 2 ** (31 - shift);
  const rounding = modulus / 2 + (shift < 0 ? 2 ** 30 : 0);
  const window = Math.min(Math.ceil(near * modulus), Math.floor(multiplier / 2));
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
      steps[count] = leastWith(k * modulus - rounding, multiplier);
      outputs[count++] = k - middle;
    }
    place -= shrinkage;
    if (place < 0) place += multiplier;
  }
  return count;
}

/** The least whole a with a · multiplier ≥ product. */
function leastWith(product: number, multiplier: number): number {
  const rest = product % multiplier;
  return (product - rest) / multiplier + (rest > 0 ? 1 : 0);
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
