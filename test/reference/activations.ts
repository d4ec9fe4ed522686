/** Functions of one int8 as the formulas state them: q of the input's quantisation in, int8 out. */
import {
  activationBounds,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  rdbp,
  roundC,
  srdhm,
} from "./fixed-point.ts";
import { expOfNegative, reciprocalOfHalf, saturatingLeft } from "./softmax.ts";

/** Float32 scales and zero points of both sides, and what the operator has of its own. */
export interface Activation {
  readonly si: number;
  readonly zi: number;
  readonly so: number;
  readonly zo: number;
  readonly alpha: number;
}

const f = Math.fround;
const clamp = (x: number): number => Math.min(Math.max(x, -128), 127);

function scaled(x: number, real: number): number {
  const { multiplier, shift } = quantizeMultiplier(real);
  return multiplyByQuantizedMultiplier(x, multiplier, shift);
}

/** x · s as Q4.27; undefined where the function is as good as its limit. */
function inQ4(x: number, s: number): number | undefined {
  const { multiplier, shift } = quantizeMultiplier(s * 2 ** 27);
  const radius = Math.floor((15 * 2 ** 27) / 2 ** shift);
  return Math.abs(x) >= radius ? undefined : multiplyByQuantizedMultiplier(x, multiplier, shift);
}

export const ACTIVATIONS: Readonly<Record<string, (q: number, a: Activation) => number>> = {
  relu: (q, { si, zi, so, zo }) => clamp(Math.max(zo, scaled(q - zi, f(si / so)) + zo)),

  relu6: (q, { si, zi }) => Math.min(Math.max(q, zi), Math.min(127, zi + roundC(f(6 / si)))),

  reluN1To1(q, { si, zi, so, zo }) {
    const [low, high] = activationBounds(2, so, zo);
    return Math.min(Math.max(scaled(q - zi, f(si / so)) + zo, low), high);
  },

  leakyRelu(q, { si, zi, so, zo, alpha }) {
    const x = q - zi;
    if (x >= 0) return clamp(scaled(x, f(si / so)) + zo);
    const slope = f(f(si * alpha) / so);
    return clamp((slope < 0 ? -scaled(x, -slope) : scaled(x, slope)) + zo);
  },

  abs: (q, { si, zi, so, zo }) =>
    clamp((si === so ? Math.abs(q - zi) : scaled(Math.abs(q - zi), f(si / so))) + zo),

  logistic(q, { si, zi }) {
    const x = inQ4(q - zi, si);
    if (x === undefined) return q > zi ? 127 : -128;
    if (x === 0) return 0;
    const positive = saturatingLeft(reciprocalOfHalf(expOfNegative(-Math.abs(x), 4)), 1);
    return clamp(rdbp(x > 0 ? positive : 2 ** 31 - 1 - positive, 23) - 128);
  },

  tanh(q, { si, zi }) {
    const x = inQ4(q - zi, si);
    if (x === undefined) return q > zi ? 127 : -128;
    if (x === 0) return 0;
    const positive = saturatingLeft(reciprocalOfHalf(expOfNegative(-Math.abs(x), 5)) - 2 ** 29, 2);
    return clamp(rdbp(x > 0 ? positive : -positive, 24));
  },

  elu(q, { si, zi, so, zo }) {
    const x = f(si * (q - zi));
    return clamp(roundC(f((x < 0 ? f(f(Math.exp(x)) - 1) : x) * f(1 / so))) + zo);
  },

  hardSwish(q, { si, zi, so, zo }) {
    const high = (real: number): [number, number] => {
      const { multiplier, shift } = quantizeMultiplier(real);
      return [multiplier >= 0x7fff7fff ? 0x7fff : Math.floor((multiplier + 2 ** 15) / 2 ** 16), shift];
    };
    const sat = (x: number): number => Math.min(Math.max(x, -32768), 32767);
    const srdhm16 = (a: number, b: number): number => {
      const product = BigInt(a) * BigInt(b);
      return sat(Number((product + (product >= 0n ? 2n ** 14n : 1n - 2n ** 14n)) / 2n ** 15n));
    };
    const fine = f(si / 128);
    const [mo, eo] = high(f(fine / so));
    const [mr, er] = high(f(fine / f(3 / 32768)));
    const v = (q - zi) * 128;
    const p = srdhm16(v, mo);
    let r = v;
    if (er > 0) r = sat(r * 2 ** (er - 1));
    r = srdhm16(r, mr);
    if (er > 0) r = sat(r * 2);
    if (er < 0) r = rdbp(r, -er);
    r = Math.floor((r + 32768) / 2);
    return clamp(rdbp(Math.trunc((r * p) / 32768), -eo) + zo);
  },

  rsqrt(q, { si, zi, so, zo }) {
    if (q <= zi) return 127;
    const [multiplier, shift] = inverseRoot(q - zi);
    const precise = multiplyByQuantizedMultiplier(1, multiplier, shift + 20);
    const output = quantizeMultiplier(1 / f(f(Math.sqrt(si)) * so));
    return clamp(multiplyByQuantizedMultiplier(precise, output.multiplier, output.shift - 20) + zo);
  },
};

/** 1 / √v as multiplier and shift: five Newton-Raphson steps in Q3.28. */
export function inverseRoot(v: number): [multiplier: number, shift: number] {
  if (v <= 1) return [2 ** 31 - 1, 0];
  let value = v;
  let shift = 11;
  for (; value >= 2 ** 29; shift++) value = Math.floor(value / 4);
  const pairs = Math.floor((30 - Math.floor(Math.log2(value))) / 2) - 1;
  value *= 4 ** pairs;
  shift -= pairs;
  const quarter = rdbp(Math.floor(value / 2), 1);
  let x = 2 ** 28;
  for (let step = 0; step < 5; step++) {
    const cube = saturatingLeft(srdhm(srdhm(x, x), x), 6);
    x = saturatingLeft(srdhm(1.5 * 2 ** 28, x) - srdhm(quarter, cube), 3);
  }
  x = srdhm(x, Math.round(Math.sqrt(0.5) * 2 ** 31));
  return shift < 0 ? [x * 2 ** -shift, 0] : [x, -shift];
}
