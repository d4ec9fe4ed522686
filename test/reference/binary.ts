/** Functions of two int8, element by element, as the formulas state them. */
import {
  activationBounds,
  clampTo,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  rdbp,
  srdhm,
} from "./fixed-point.ts";
import { reciprocalOfOnePlus } from "./softmax.ts";
import { broadcastAt, coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

const f = Math.fround;

function scaled(x: number, real: number): number {
  const { multiplier, shift } = quantizeMultiplier(real);
  return multiplyByQuantizedMultiplier(x, multiplier, shift);
}

/** a and b are stored values. */
type Binary = (a: number, b: number, lhs: Int8Tensor, rhs: Int8Tensor, output: Int8Output) => number;

/** Before the zero point of the output is added, and clamping. */
export const BINARY: Readonly<Record<string, Binary>> = {
  sub(a, b, lhs, rhs, output) {
    const twice = f(2 * Math.max(lhs.scale, rhs.scale));
    const left = scaled((a - lhs.zeroPoint) * 2 ** 20, f(lhs.scale / twice));
    const right = scaled((b - rhs.zeroPoint) * 2 ** 20, f(rhs.scale / twice));
    return scaled(left - right, f(twice / (2 ** 20 * output.scale))) + output.zeroPoint;
  },
  minimum: (a, b) => Math.min(a, b),
  maximum: (a, b) => Math.max(a, b),
  squaredDifference(a, b, lhs, rhs, output) {
    const twice = 2 * Math.max(lhs.scale, rhs.scale);
    const difference =
      scaled((a - lhs.zeroPoint) * 2 ** 7, lhs.scale / twice) -
      scaled((b - rhs.zeroPoint) * 2 ** 7, rhs.scale / twice);
    return scaled(difference * difference, (twice * twice) / (2 ** 14 * output.scale)) + output.zeroPoint;
  },
  prelu(a, b, lhs, rhs, output) {
    const x = a - lhs.zeroPoint;
    const value =
      x >= 0
        ? scaled(x, lhs.scale / output.scale)
        : scaled(x * (b - rhs.zeroPoint), (lhs.scale * rhs.scale) / output.scale);
    return value + output.zeroPoint;
  },
  div(a, b, lhs, rhs, output) {
    const sign = b < rhs.zeroPoint ? -1 : 1;
    const numerator = sign * (a - lhs.zeroPoint);
    const denominator = sign * (b - rhs.zeroPoint);
    if (denominator === 0) return numerator === 0 ? output.zeroPoint : numerator * 1e9;
    // denominator · 2^headroom lies in [2^31, 2^32).
    const headroom = 31 - Math.floor(Math.log2(denominator));
    const reciprocal = reciprocalOfOnePlus(denominator * 2 ** headroom - 2 ** 31);
    const room =
      numerator === 0 ? 31 : 30 - Math.floor(Math.log2(numerator > 0 ? numerator : -numerator - 0.5));
    const unscaled = srdhm(numerator * 2 ** room, reciprocal);
    const real = quantizeMultiplier(f(lhs.scale / f(rhs.scale * output.scale)));
    const exponent = real.shift - (31 - headroom) - room;
    if (exponent < -31) return output.zeroPoint;
    const product = srdhm(
      Number(BigInt.asIntN(32, BigInt(unscaled) << BigInt(Math.max(exponent, 0)))),
      real.multiplier,
    );
    return rdbp(product, Math.max(-exponent, 0)) + output.zeroPoint;
  },
};

export function binaryReference(
  name: string,
  lhs: Int8Tensor,
  rhs: Int8Tensor,
  output: Int8Output,
  activation: number,
): Int8Array {
  const bounds = activationBounds(activation, output.scale, output.zeroPoint);
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const at = coordinates(output.shape, i);
    const value = BINARY[name]?.(broadcastAt(lhs, at), broadcastAt(rhs, at), lhs, rhs, output) ?? NaN;
    return clampTo(value, bounds);
  });
}

/** EQUAL and its kin: both sides scaled by their own scale. */
export function compareReference(
  relation: string,
  lhs: Int8Tensor,
  rhs: Int8Tensor,
  shape: readonly number[],
): Uint8Array {
  return Uint8Array.from({ length: count(shape) }, (_, i) => {
    const at = coordinates(shape, i);
    const a = scaled((broadcastAt(lhs, at) - lhs.zeroPoint) * 256, lhs.scale);
    const b = scaled((broadcastAt(rhs, at) - rhs.zeroPoint) * 256, rhs.scale);
    const holds: Readonly<Record<string, boolean>> = {
      equal: a === b,
      notEqual: a !== b,
      greater: a > b,
      greaterEqual: a >= b,
      less: a < b,
      lessEqual: a <= b,
    };
    return holds[relation] === true ? 1 : 0;
  });
}
