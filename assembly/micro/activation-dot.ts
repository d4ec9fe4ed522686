import { loadActivation } from "../storage.ts";
import { loadEight, splatStored } from "./eight.ts";

/**
 *   Σ_k (a[k·aStep] − aZero) · (b[k·bStep] − bZero)   of `length` activations
 *
 * Where both are dense and the variant has vectors, eight at a time.
 */
export function dotOfActivations(
  a: usize,
  aStep: usize,
  aZero: i32,
  b: usize,
  bStep: usize,
  bZero: i32,
  length: i32,
): i32 {
  let sum = 0;
  let k = 0;
  if (ASC_FEATURE_SIMD && aStep === 1 && bStep === 1) {
    const aZeros = splatStored(aZero);
    const bZeros = splatStored(bZero);
    let sums = i32x4.splat(0);
    for (; k + 8 <= length; k += 8) {
      const left = i16x8.sub(loadEight(a), aZeros);
      const right = i16x8.sub(loadEight(b), bZeros);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(left, right));
      a += 8;
      b += 8;
    }
    sum =
      i32x4.extract_lane(sums, 0) +
      i32x4.extract_lane(sums, 1) +
      i32x4.extract_lane(sums, 2) +
      i32x4.extract_lane(sums, 3);
  }
  for (; k < length; k++) {
    sum += (loadActivation(a) - aZero) * (loadActivation(b) - bZero);
    a += aStep;
    b += bStep;
  }
  return sum;
}
