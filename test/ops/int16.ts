/** What tests of operators of int16 draw and write. */
import fc from "fast-check";
import type { Operand, OperatorCase } from "./operator.ts";

export const size = fc.integer({ min: 1, max: 5 });
export const scale = fc.double({ min: -4.5, max: -2, noNaN: true }).map((power) => Math.fround(10 ** power));

/** `length` int16 from a seed, the extremes among them. */
export function int16Values(seed: number, length: number): Int16Array {
  let state = seed | 1;
  return Int16Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const choice = (state >>> 20) & 15;
    return choice === 0 ? -32768 : choice === 1 ? 32767 : state;
  });
}

export function operand(
  shape: readonly number[],
  scale: number,
  values: Int16Array,
  isConstant = false,
  zeroPoint = 0,
): Operand {
  return { shape, type: "int16", scales: [scale], zeroPoints: [zeroPoint], values, isConstant };
}

export function result(
  shape: readonly number[],
  scale: number,
  expected: ArrayLike<number>,
  zeroPoint = 0,
): OperatorCase["outputs"][number] {
  return {
    shape,
    type: "int16",
    scales: [scale],
    zeroPoints: [zeroPoint],
    expected: Int16Array.from(expected),
  };
}

/** A constant int32 operand. */
export function int32(values: readonly number[]): Operand {
  return { shape: [values.length], type: "int32", values: Int32Array.from(values), isConstant: true };
}

/** The bias of a convolution as a constant of `type`; none if that is undefined. */
export function biasOperand(type: "int16" | "int32" | "int64" | undefined, bias: BigInt64Array): Operand[] {
  if (type === undefined) return [];
  const array = {
    int16: () => Int16Array.from(bias, Number),
    int32: () => Int32Array.from(bias, Number),
    int64: () => bias,
  }[type]();
  const values = new Uint8Array(array.buffer);
  return [{ shape: [bias.length], type, scales: [1], zeroPoints: [0], values, isConstant: true }];
}
