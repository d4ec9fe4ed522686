/** Operators of int16 as the formulas state them. */
import { clampTo, multiplyByQuantizedMultiplier, quantizeMultiplier, roundC } from "./fixed-point.ts";
import { sigmoidReference, tanhReference } from "./sigmoid-table.ts";
import type { Int16Tensor, Int8Output, Int8Tensor } from "./tensor.ts";
import { reduced } from "./whole.ts";

const f = Math.fround;
const INT16 = [-32768, 32767] as const;

export const clamp16 = (x: number): number => clampTo(x, INT16);

/** MultiplyByQuantizedMultiplier of a 64-bit sum: 16 bits of the multiplier, one rounding. */
export function multiplyWide(x: bigint, real: number): number {
  const { multiplier, shift } = quantizeMultiplier(real);
  const short = multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 2 ** 16) : 0x7fff;
  return Number((x * BigInt(short) + 2n ** BigInt(14 - shift)) >> BigInt(15 - shift));
}

export function scaled(x: number, real: number): number {
  const { multiplier, shift } = quantizeMultiplier(real);
  return multiplyByQuantizedMultiplier(x, multiplier, shift);
}

/** Bounds of an output with a fused activation: 0 NONE, 1 RELU, 2 RELU_N1_TO_1, 3 RELU6. */
export function bounds16(activation: number, scale: number): readonly [number, number] {
  const at = (real: number): number => roundC(f(real / scale));
  if (activation === 2) return [clamp16(at(-1)), clamp16(at(1))];
  if (activation === 3) return [0, clamp16(at(6))];
  return activation === 1 ? [0, 32767] : INT16;
}

/** SUM, or MEAN with 1 / n in the multiplier. */
export function sumOrMeanInt16Reference(
  input: Int16Tensor,
  axes: readonly number[],
  output: Int8Output,
  isMean: boolean,
): Int16Array {
  const { multiplier, shift } = quantizeMultiplier(input.scale / output.scale);
  return Int16Array.from(reduced(input, axes), (values) => {
    const n = values.length;
    const sum = values.reduce((total, q) => total + q - input.zeroPoint, 0);
    const bits = isMean ? Math.min(n.toString(2).length - 1, 31 + shift) : 0;
    const divided = isMean ? Number((BigInt(multiplier) << BigInt(bits)) / BigInt(n)) : multiplier;
    return clamp16(multiplyByQuantizedMultiplier(sum, divided, shift - bits) + output.zeroPoint);
  });
}

/** 513 values of Q0.15, each moved by half of what interpolating to the next is off by midway. */
function table(of: (x: number) => number, low: number, high: number): number[] {
  const exact = (i: number): number => f(f(of(low + ((high - low) * i) / 512)) * 2 ** 15);
  return Array.from({ length: 513 }, (_, i) => {
    const here = roundC(exact(i));
    if (i === 512) return clamp16(here);
    const line = roundC(f((exact(i + 1) + here) / 2));
    return clamp16(here - roundC((line - roundC(exact(i + 0.5))) / 2));
  });
}

const EXP = table(Math.exp, -10, 0);
const RECIPROCAL = table((x) => 1 / (1 + x), 0, 1);

/** Between two entries, 128 values of an int16 apart. */
function lookUp(entries: readonly number[], x: number): number {
  const i = Math.floor((x + 32768) / 128);
  const [low = NaN, high = NaN] = entries.slice(i, i + 2);
  return low + Math.floor(((high - low) * ((x + 32768) % 128) + 64) / 128);
}

/** SOFTMAX over the last axis, of scale 1/32768 and zero point 0. */
export function softmaxInt16Reference({ shape, scale, values }: Int16Tensor, beta: number): Int16Array {
  const depth = shape.at(-1) ?? 1;
  return Int16Array.from(values, (_, at) => {
    const row = [...values.subarray(at - (at % depth), at - (at % depth) + depth)];
    const largest = Math.max(...row);
    const powers = row.map((q) =>
      lookUp(EXP, clamp16(scaled(q - largest, (scale * beta) / (10 / 65535)) + 32767)),
    );
    const sum = BigInt(powers.reduce((a, b) => a + b, 0));
    // Bits behind the leading one.
    const bits = BigInt(sum.toString(2).length - 1);
    const fraction = Number(((sum << (30n - bits)) + 2n ** 13n) >> 14n) - 3 * 2 ** 15;
    const share = (powers[at % depth] ?? NaN) * lookUp(RECIPROCAL, clamp16(fraction));
    return clampTo(Math.floor((share + 2 ** (Number(bits) - 1)) / 2 ** Number(bits)), [0, 32767]);
  });
}

/** Functions of one int16, with the scales of input and output, and a slope. */
export const FUNCTIONS: Readonly<
  Record<
    string,
    (q: number, sides: { readonly si: number; readonly so: number; readonly alpha: number }) => number
  >
> = {
  relu: (q, { si, so }) => clamp16(Math.max(0, scaled(q, f(si / so)))),
  relu6: (q, { si }) => Math.min(Math.max(q, 0), clamp16(roundC(f(6 / si)))),
  abs: (q, { si, so }) => clamp16(si === so ? Math.abs(q) : scaled(Math.abs(q), f(si / so))),
  leakyRelu(q, { si, so, alpha }) {
    if (q >= 0) return clamp16(scaled(q, f(si / so)));
    const slope = f(f(si * alpha) / so);
    return clamp16(slope < 0 ? -scaled(q, -slope) : scaled(q, slope));
  },
  logistic: (q, { si }) => sigmoidReference(thirds(q, si, [0])),
  tanh: (q, { si }) => tanhReference(thirds(q, si, [0, 1])),
};

/** 3 · 2^12 times the real value, by a multiplier of 15 bits; powers of two in `exact` (12 bits up) are taken as they are. */
function thirds(q: number, scale: number, exact: readonly number[]): number {
  const power = Math.round(Math.log2(scale));
  if (Math.abs(Math.log2(scale) - power) < 1e-3 && exact.includes(12 + power))
    return q * 3 * 2 ** (12 + power);
  const real = scale * 3 * 2 ** 12;
  let shift = 0;
  while (real * 2 ** shift <= 32767 / 2 && shift <= 30) shift++;
  return Math.floor((q * Math.trunc(real * 2 ** shift) + (shift > 0 ? 2 ** (shift - 1) : 0)) / 2 ** shift);
}

/** PRELU: slopes are int8 or int16, one per value. */
export function preluInt16Reference(
  { values, scale }: Int16Tensor,
  slopes: Int8Tensor | Int16Tensor,
  outputScale: number,
): Int16Array {
  return values.map((q, i) =>
    clamp16(
      q >= 0
        ? scaled(q, scale / outputScale)
        : scaled(q * ((slopes.values[i] ?? NaN) - slopes.zeroPoint), (scale * slopes.scale) / outputScale),
    ),
  );
}
