import { drawDigit } from "./draw.ts";
import { Random } from "./random.ts";

/** Where the streams of drawn digits begin; they do not meet. */
export const TRAINING_SEED = 1;
export const CALIBRATION_SEED = 2;
export const HELD_OUT_SEED = 3;

/** A drawn digit: 28×28 grey bytes, and what it is. */
export interface Picture {
  readonly digit: number;
  readonly pixels: Uint8Array;
}

/** So many pictures, each digit as often. */
export function pictures(count: number, seed: number): Picture[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => ({ digit: i % 10, pixels: drawDigit(i % 10, random) }));
}

/** Pixels as the float network takes them, 0 to 1. */
export function toFloat(pixels: Uint8Array): Float32Array {
  return Float32Array.from(pixels, (pixel) => pixel / 255);
}

/** Pixels as the int8 network takes them, -128 to 127. */
export function toInt8(pixels: Uint8Array): Int8Array {
  return Int8Array.from(pixels, (pixel) => pixel - 128);
}

/** Index of the greatest. */
export function best(scores: ArrayLike<number>): number {
  let at = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] ?? 0) > (scores[at] ?? 0)) at = i;
  return at;
}

/** Pictures that the scales are set by. */
export function calibration(): Float32Array[] {
  return pictures(500, CALIBRATION_SEED).map(({ pixels }) => toFloat(pixels));
}
