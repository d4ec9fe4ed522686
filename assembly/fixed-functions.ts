/** Functions of fixed-point numbers as gemmlowp computes them (fixedpoint/fixedpoint.h). Qi.f has i integer and f fractional bits. */
import { doublingHighMul, roundingShift } from "./fixed-point.ts";

/** x · 2^exponent, saturating, exponent > 0. */
function saturatingShiftLeft(x: i32, exponent: i32): i32 {
  const limit = ((<i64>1) << (31 - exponent)) - 1;
  if (<i64>x > limit) return i32.MAX_VALUE;
  if (<i64>x < -limit) return i32.MIN_VALUE;
  return x << exponent;
}

/**
 * exp(a) for a ≤ 0 in Q5.26, as Q0.31: a polynomial on [−¼, 0), times one constant per remaining bit of −a from ¼ to 16.
 */
export function expOnNegative(a: i32): i32 {
  if (a === 0) return i32.MAX_VALUE;
  const quarter = 1 << 24;
  const fraction = (a & (quarter - 1)) - quarter;
  let result = expOnQuarter(fraction << 5);
  const remainder = fraction - a;
  result = multiplyIf(remainder, 24, result, 1672461947);
  result = multiplyIf(remainder, 25, result, 1302514674);
  result = multiplyIf(remainder, 26, result, 790015084);
  result = multiplyIf(remainder, 27, result, 290630308);
  result = multiplyIf(remainder, 28, result, 39332535);
  result = multiplyIf(remainder, 29, result, 720401);
  return multiplyIf(remainder, 30, result, 242);
}

/** result · exp(−2^(bit − 26)) if that bit of the remainder is set. */
function multiplyIf(remainder: i32, bit: i32, result: i32, constant: i32): i32 {
  return remainder & (1 << bit) ? doublingHighMul(result, constant) : result;
}

/** exp on [−¼, 0) in Q0.31: the Taylor series to the fourth power around −⅛. */
function expOnQuarter(a: i32): i32 {
  const constant = 1895147668;
  const oneThird = 715827883;
  const x = a + (1 << 28);
  const x2 = doublingHighMul(x, x);
  const x3 = doublingHighMul(x2, x);
  const x4 = doublingHighMul(x2, x2);
  const x4Over4 = roundingShift(x4, 2);
  const rest = roundingShift(doublingHighMul(x4Over4 + x3, oneThird) + x2, 1);
  return constant + doublingHighMul(constant, x + rest);
}

/** 1 / (1 + a) for a in [0, 1), Q0.31 to Q0.31: three Newton–Raphson steps on the half denominator, in Q2.29. */
export function oneOverOnePlus(a: i32): i32 {
  const half = (a >> 1) + (1 << 30);
  const fortyEightOver17 = 1515870810;
  const minusThirtyTwoOver17 = -1010580540;
  let x = fortyEightOver17 + doublingHighMul(half, minusThirtyTwoOver17);
  for (let i = 0; i < 3; i++) {
    const product = doublingHighMul(half, x);
    const error = (1 << 29) - product;
    x += saturatingShiftLeft(doublingHighMul(x, error), 2);
  }
  return saturatingShiftLeft(x, 1);
}

/**
 * log(x) in Q5.26 of x ≥ 1 in Q12.19: the power of two and a rational function of the rest, of two candidates whose powers are
 * half a step apart the better one. Reference: TFLite internal/common.h, log_x_for_x_greater_than_or_equal_to_1_impl.
 */
export function logOfSum(x: i32): i32 {
  const log2 = 1488522236;
  const fourthRootOfHalf = 1805811301;
  const rootOfHalf = 1518500250;
  const alphaN = 117049297;
  const alphaD = 127690142;
  const alphaI = 1057819769;
  const alphaF = 638450708;
  // Powers of two in Q6.25.
  const quarter = 1 << 23;
  const headroom = <i32>clz(x);
  const a = saturatingShiftLeft(doublingHighMul(shiftedLeft(x, headroom - 1), rootOfHalf), 1);
  const powerA = ((12 - headroom) << 25) + quarter;
  const halved = doublingHighMul(x, rootOfHalf);
  const headroomB = <i32>clz(halved) - 1;
  const b = shiftedLeft(x, headroomB);
  const powerB = ((12 - headroomB) << 25) - quarter;
  const r = min(a, b);
  const power = max(powerA, powerB);
  const p = halfSum(r, fourthRootOfHalf);
  const q = (r - fourthRootOfHalf) << 1;
  const square = doublingHighMul(q, q);
  const numerator = doublingHighMul(q, r) + doublingHighMul(doublingHighMul(q, square), alphaN);
  const denominator =
    doublingHighMul(p, alphaI + q + doublingHighMul(alphaD, square)) + doublingHighMul(alphaF, q);
  const quotient = doublingHighMul(roundingShift(numerator, 6), oneOverOnePlus(denominator));
  return saturatingShiftLeft(doublingHighMul(power, log2) + quotient, 1);
}

function shiftedLeft(x: i32, exponent: i32): i32 {
  return exponent > 0 ? saturatingShiftLeft(x, exponent) : x;
}

/** (a + b) / 2, half away from zero. */
function halfSum(a: i32, b: i32): i32 {
  const sum = <i64>a + <i64>b;
  return <i32>((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/**
 * The reciprocal square root of x as multiplier · 2^(shift − 31): the multiplier in the low 32 bits, the shift in the high ones.
 * Five Newton–Raphson steps in Q3.28. Reference: TFLite internal/quantization_util.h, GetInvSqrtQuantizedMultiplierExp.
 */
export function inverseSquareRoot(x: i32): i64 {
  if (x <= 1) return i32.MAX_VALUE;
  let shift = 11;
  while (x >= 1 << 29) {
    x >>= 2;
    shift++;
  }
  const pairs = ((<i32>clz(x) - 1) >> 1) - 1;
  shift -= pairs;
  x <<= 2 * pairs;
  const half = roundingShift(x >> 1, 1);
  const threeHalves = (1 << 28) + (1 << 27);
  let y = 1 << 28;
  for (let i = 0; i < 5; i++) {
    const cube = saturatingShiftLeft(doublingHighMul(doublingHighMul(y, y), y), 6);
    y = saturatingShiftLeft(doublingHighMul(threeHalves, y) - doublingHighMul(half, cube), 3);
  }
  y = doublingHighMul(y, 1518500250);
  if (shift < 0) {
    y <<= -shift;
    shift = 0;
  }
  return ((<i64>-shift) << 32) | (<i64>(<u32>y));
}
