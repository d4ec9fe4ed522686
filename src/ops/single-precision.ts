import { blockChannels } from "../plan/packing.ts";
import { firstHit } from "./first-hit.ts";
import type { Channel, OutputRange } from "./requantization.ts";

/**
 * Requantisation in float32, half the work of the doubles of methods `relu`, `reluFused` and `generalFused`:
 *
 *   round(float32(float32(float32(a + bias) · scale) + offset)) + middle of the output range
 *   float32((a + bias) · scale + 1.5 · 2^23 − excess) − 1.5 · 2^23 + zero point, fused: one rounding, to an integer
 *   two fused ones, the second of what the first gives · 2^shift
 *
 * Fused forms take the accumulator as the bits of the float32 a + bias, which lies between 2^23 and 2^24 at the steps of the output: no instruction
 * converts it.
 *
 * Each rounding is monotone in the accumulator a, and so is the reference. So the form is exact if it steps where the reference does,
 * for each of the (at most 255) output values. It is tried at those steps, as far as they are close, with scales next to the multiplier
 * and the offsets that these leave. Derivation: docs/numerics.md.
 */
export interface SinglePrecision {
  readonly scale: number;
  readonly offset: number;
  /** Added to the accumulator; of bits, to make them. */
  readonly bias: number;
}

/** Of a fused one. */
export interface Fused extends Omit<SinglePrecision, "offset"> {
  /** Whole numbers that the bias adds to what is rounded; of no bias those of `excessOfBits`. */
  readonly excess: number;
}

const BLOCK = blockChannels("simd");
/** 1.5 · 2^23: adding it rounds a float32 to an integer. */
const ROUND = 12582912;
/** Its bits: with an int32 within SPREAD of 0 added they are the float32 that is as much more. */
const ROUND_BITS = 0x4b400000;
const SPREAD = 2 ** 22;
const INFINITY_BITS = 0x7f800000;
/** Scales that are tried, in units in the last place from the multiplier. */
const NEIGHBOURS = [0, -1, 1];
const FUSED_NEIGHBOURS = [0, -1, 1, -2, 2, -3, 3];
/** Biases that are tried, from the one that brings the middle to 0. */
const SHIFTS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6];
/** The excess of one multiplier, beyond that of no bias, is below this. */
const MAX_UNIFORM_EXCESS = 2048;
/** Whole numbers that are looked through, of firstHit. */
const MAX_TURNS = 2 ** 20;
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
  return ofWholeBlocks(channels, (channel) =>
    fused ? withOffset(searchFused(channel, output)) : searchUnfused(channel, output),
  );
}

/** As singlePrecision, fused, of any output range. */
export function doublyRounded(
  channels: readonly Channel[],
  output: OutputRange,
): Map<Channel, SinglePrecision> {
  return ofWholeBlocks(channels, (channel) => withOffset(searchTwice(channel, output)));
}

function withOffset(found: Fused | undefined): SinglePrecision | undefined {
  return found && { scale: found.scale, offset: ROUND - found.excess, bias: found.bias };
}

/**
 * Of products of two int8 by one multiplier: what searchFused finds, `fine` 0, or, where outputs below the zero point count, searchTwice, which scales
 * by `fine` the second time.
 */
export function singleProduct(
  channel: Channel,
  output: OutputRange,
): (SinglePrecision & { readonly fine: number }) | undefined {
  const isRelu = output.min >= output.zeroPoint;
  const found = withOffset((isRelu ? searchFused : searchTwice)(channel, output));
  return found && { ...found, fine: isRelu ? 0 : 2 ** channel.multiplier.shift * (1 + 2 ** -23) };
}

/** What a form of no bias has as excess, in whole numbers: the accumulators' bits are of 1.5 · 2^23 more than they are. */
export function excessOfBits(scale: number): number {
  return Math.floor(ROUND * scale);
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

/**
 * Sums of 24 bits and their products are exact, and the one rounding is to integers, at which the offset has no fraction: what must be
 * added to a quotient to have the reference's halves, the bias adds, whose multiples of the scale have every fraction, of a scale's 2^-24
 * parts. `output.min` ≥ the zero point; `isUniform` if the excess must be small.
 */
export function searchFused(channel: Channel, output: OutputRange, isUniform = false): Fused | undefined {
  const { multiplier, shift } = channel.multiplier;
  const real = multiplier * 2 ** (shift - 31);
  if (multiplier === 0 || shift > 0 || !staysWithin(channel, 0, real)) return undefined;
  // A share of an accumulator that some turn hits; scales may be two units further off than WINDOW allows for, 2^-14 at 256.
  const leeway = Math.max(LEEWAY, real / 1024);
  const count = findSteps(channel, output, 0, WINDOW - LEEWAY + leeway + 2 ** -14);
  if (count < 0) return undefined;
  const half = shift < 0 ? 2 ** (shift - 1) : 0;
  for (const ulps of FUSED_NEIGHBOURS) {
    const scale = neighbour(real, ulps);
    const fraction = fractions(count, channel, scale, half, leeway);
    const found = findBias(fraction, scale, biasesOf(channel, output, isUniform && scale));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Of any output range: the first of the reference's two roundings, of a · multiplier / 2^31 to whole numbers, as one fused multiply-add. The
 * second is one too: y · 2^shift · (1 + 2^-23) is on the right side of every half, which goes away from zero,
 * because quotients are 2^shift apart, and y at a step is no more than 2^21.
 */
export function searchTwice(channel: Channel, output: OutputRange, isUniform = false): Fused | undefined {
  const { multiplier, shift } = channel.multiplier;
  if (multiplier === 0 || shift > 0 || shift < -13) return undefined;
  const count = findFirstSteps(channel, output);
  for (const ulps of FUSED_NEIGHBOURS) {
    const scale = neighbour(multiplier * 2 ** -31, ulps);
    if (!staysWithin(channel, 0, scale * 2 ** shift)) return undefined;
    const fraction = fractions(count, channel, scale, 0, 0.5);
    const found = findBias(fraction, scale, biasesOf(channel, output, isUniform && scale));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Biases from `least` to `most`, of numbers. */
interface Biases {
  readonly least: number;
  readonly most: number;
}

/**
 * Those with which sums are between 2^23 and 2^24 where outputs begin, of which there is none more than an output beyond the clamp; beyond, bits
 * of greater numbers are of greater ones still, as long as they are of numbers at all. With a scale: those next to no bias.
 */
function biasesOf(
  { multiplier: { multiplier, shift }, low, high }: Channel,
  { zeroPoint, min, max }: OutputRange,
  uniformScale: number | false,
): Biases {
  const outputs = 2 ** (31 - shift) / multiplier;
  const first = Math.max(low, (min - zeroPoint - 1) * outputs);
  const last = Math.min(high, (max - zeroPoint + 1) * outputs);
  const least = Math.max(ROUND - SPREAD - first, ROUND - ROUND_BITS - low);
  const most = Math.min(ROUND + SPREAD - 1 - last, ROUND - ROUND_BITS + INFINITY_BITS - 1 - high);
  if (uniformScale === false) return { least, most };
  const slack = (MAX_UNIFORM_EXCESS - 1) / uniformScale;
  return { least: Math.max(least, ROUND), most: Math.min(most, ROUND + slack) };
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
    if (step <= high) least = Math.max(least, begins - Math.max(step, low) * scale);
    if (step > low) most = Math.min(most, begins - Math.min(step - 1, high) * scale);
  }
  return { least, most };
}

/** A bias whose product with `scale` has a fraction strictly between the two, beyond the least whole number for which there is one; of bits. */
function findBias(
  fraction: { readonly least: number; readonly most: number },
  scale: number,
  biases: Biases,
): Fused | undefined {
  // In units of the scale's last place: a multiple of the scale in [low, high] beyond `excess` whole ones.
  const one = 2 ** (23 - Math.floor(Math.log2(scale)));
  const units = scale * one;
  const low = Math.floor(fraction.least * one) + 1;
  const high = Math.ceil(fraction.most * one) - 1;
  const limit = Math.min(MAX_TURNS, Math.floor((biases.most - biases.least) * scale));
  if (low > high || limit <= 0) return undefined;
  const first = Math.ceil((biases.least * units - low) / one);
  const excess = first + turnsUntil(one % units, units, low + first * one, high + first * one, limit);
  const most = excess * one + high;
  const bias = (most - modulo(most, units)) / units;
  if (!(bias >= biases.least && bias <= biases.most)) return undefined;
  return { scale, excess, bias: ROUND_BITS + (bias - ROUND) };
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

/** Sums stay int32 (a bias may bring one back that wraps in the reference), and their multiples where adding ROUND rounds. */
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
