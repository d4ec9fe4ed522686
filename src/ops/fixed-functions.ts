/**
 * Functions of fixed-point numbers as gemmlowp computes them (fixedpoint/fixedpoint.h): same polynomials, same constants, same
 * rounding. Qi.f has i integer and f fractional bits beside the sign, raw values are int32.
 */
import { doublingHighMul, roundingShift } from "./fixed-point.ts";

const ONE = 2 ** 31 - 1;

/** exp(−2^(i − 2)) in Q0.31, i = 0 … 6. */
const POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

/** exp(a) in Q0.31 of a ≤ 0 with so many integer bits, at most 5. */
export function expOnNegative(a: number, integerBits: number): number {
  if (a === 0) return ONE;
  const fractionalBits = 31 - integerBits;
  const quarter = 2 ** (fractionalBits - 2);
  const fraction = (a & (quarter - 1)) - quarter;
  let result = expOnQuarter(fraction * 2 ** integerBits);
  const remainder = fraction - a;
  for (const [i, power] of POWERS.entries()) {
    if (i - 2 < integerBits && (remainder & (quarter << i)) !== 0) result = doublingHighMul(result, power);
  }
  return result;
}

/** exp on [−¼, 0) in Q0.31: the Taylor series to the fourth power around −⅛. */
function expOnQuarter(a: number): number {
  const constant = 1895147668;
  const oneThird = 715827883;
  const x = a + 2 ** 28;
  const x2 = doublingHighMul(x, x);
  const x3 = doublingHighMul(x2, x);
  const x4 = doublingHighMul(x2, x2);
  const rest = roundingShift(doublingHighMul(roundingShift(x4, 2) + x3, oneThird) + x2, 1);
  return constant + doublingHighMul(constant, x + rest);
}

/** 2 / (1 + a) in Q2.29 of a in [0, 1], Q0.31: three Newton–Raphson steps on half the denominator. */
function twoOverOnePlus(a: number): number {
  const half = Math.floor((a + ONE + 1) / 2);
  let x = 1515870810 + doublingHighMul(half, -1010580540);
  for (let i = 0; i < 3; i++) {
    const error = 2 ** 29 - doublingHighMul(half, x);
    x += saturate(doublingHighMul(x, error) * 4);
  }
  return x;
}

/** 1 / (1 + exp(−a)) in Q0.31 of a in Q4.27. */
export function logistic(a: number): number {
  if (a === 0) return 2 ** 30;
  const positive = saturate(twoOverOnePlus(expOnNegative(-Math.abs(a), 4)) * 2);
  return a > 0 ? positive : ONE - positive;
}

/** tanh(a) in Q0.31 of a in Q4.27. */
export function tanh(a: number): number {
  if (a === 0) return 0;
  // exp(−2|a|): the same bits with one integer bit more.
  const magnitude = saturate((twoOverOnePlus(expOnNegative(-Math.abs(a), 5)) - 2 ** 29) * 4);
  return a > 0 ? magnitude : -magnitude;
}

function saturate(x: number): number {
  return Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1);
}

/**
 * The reciprocal square root of a positive int32 as multiplier · 2^(shift − 31): five Newton–Raphson steps in Q3.28.
 * Reference: TFLite internal/quantization_util.h, GetInvSqrtQuantizedMultiplierExp with reverse shift −1.
 */
export function inverseSquareRoot(input: number): { readonly multiplier: number; readonly shift: number } {
  if (input <= 1) return { multiplier: ONE, shift: 0 };
  let value = input;
  let shift = 11;
  while (value >= 2 ** 29) {
    value = Math.floor(value / 4);
    shift++;
  }
  const pairs = ((Math.clz32(value) - 1) >> 1) - 1;
  shift -= pairs;
  value *= 4 ** pairs;
  const half = roundingShift(Math.floor(value / 2), 1);
  const threeHalves = 2 ** 28 + 2 ** 27;
  let x = 2 ** 28;
  for (let i = 0; i < 5; i++) {
    const cubed = rescaleToThree(doublingHighMul(doublingHighMul(x, x), x), 9);
    x = rescaleToThree(doublingHighMul(threeHalves, x) - doublingHighMul(half, cubed), 6);
  }
  x = doublingHighMul(x, 1518500250);
  if (shift < 0) return { multiplier: saturate(x * 2 ** -shift), shift: 0 };
  return { multiplier: x, shift: -shift };
}

/** A number with so many integer bits, in Q3.28. */
function rescaleToThree(x: number, bits: number): number {
  return saturate(x * 2 ** (bits - 3));
}
