/**
 * The reference's fixed-point arithmetic, as the formulas state it, in BigInt: slow, and independent of both
 * src/ops/fixed-point.ts and assembly/fixed-point.ts, which tests compare with it.
 */

const INT32_MIN = -(2n ** 31n);
const INT32_MAX = 2n ** 31n - 1n;

/** SaturatingRoundingDoublingHighMul: a signed nudge, then truncation toward zero. */
export function srdhm(a: number, b: number): number {
  const x = BigInt(a);
  const y = BigInt(b);
  if (x === INT32_MIN && y === INT32_MIN) return Number(INT32_MAX);
  const product = x * y;
  const nudge = product >= 0n ? 2n ** 30n : 1n - 2n ** 30n;
  return Number((product + nudge) / 2n ** 31n);
}

/** RoundingDivideByPOT: half away from zero; `exponent` in [0, 31]. */
export function rdbp(x: number, exponent: number): number {
  const value = BigInt(x);
  const mask = 2n ** BigInt(exponent) - 1n;
  const threshold = (mask >> 1n) + (value < 0n ? 1n : 0n);
  return Number((value >> BigInt(exponent)) + ((value & mask) > threshold ? 1n : 0n));
}

/** MultiplyByQuantizedMultiplier with double rounding; the left shift wraps as int32. */
export function multiplyByQuantizedMultiplier(x: number, multiplier: number, shift: number): number {
  const left = Math.max(shift, 0);
  const right = Math.max(-shift, 0);
  return rdbp(srdhm(Number(BigInt.asIntN(32, BigInt(x) << BigInt(left))), multiplier), right);
}

/** QuantizeMultiplier: frexp and round, done on the bits of the double. `value` is finite and not negative. */
export function quantizeMultiplier(value: number): { multiplier: number; shift: number } {
  if (value === 0) return { multiplier: 0, shift: 0 };
  // 2^64 brings subnormal doubles into the normal range.
  const bits = new BigUint64Array(new Float64Array([value * 2 ** 64]).buffer)[0] ?? 0n;
  let shift = Number((bits >> 52n) & 0x7ffn) - 1022 - 64;
  // The 53-bit significand is q · 2^53; rounding half up to q · 2^31 is half away from zero for q > 0.
  const significand = (bits & (2n ** 52n - 1n)) + 2n ** 52n;
  let multiplier = Number((significand + 2n ** 21n) >> 22n);
  if (multiplier === 2 ** 31) {
    multiplier = 2 ** 30;
    shift += 1;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/** C's round(): half away from zero. */
export function roundC(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}

/** Clamp bounds of an int8 output: 0 NONE, 1 RELU, 2 RELU_N1_TO_1, 3 RELU6. */
export function activationBounds(activation: number, scale: number, zeroPoint: number): [number, number] {
  const at = (real: number): number => zeroPoint + roundC(Math.fround(real / scale));
  if (activation === 1) return [Math.max(-128, zeroPoint), 127];
  if (activation === 2) return [Math.max(-128, at(-1)), Math.min(127, at(1))];
  if (activation === 3) return [Math.max(-128, zeroPoint), Math.min(127, at(6))];
  return [-128, 127];
}

export function clampTo(x: number, [low, high]: readonly [number, number]): number {
  return Math.min(Math.max(x, low), high);
}
