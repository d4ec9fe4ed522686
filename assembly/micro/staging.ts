import { storedActivation } from "../storage.ts";

/** Bytes of one staged element. */
export function stagedElementBytes(): usize {
  return ASC_FEATURE_SIMD && !ASC_FEATURE_RELAXED_SIMD ? 2 : 1;
}

/** Copies `count` stored activations to staged form. May write up to 15 elements more than asked for. */
export function stage(destination: usize, source: usize, count: i32): void {
  if (ASC_FEATURE_SIMD && !ASC_FEATURE_RELAXED_SIMD) {
    for (let i = 0; i < count; i += 8) {
      v128.store(destination + ((<usize>i) << 1), v128.load_ext<i8>(source + i));
    }
  } else if (ASC_FEATURE_SIMD) {
    moveStaged(destination, source, (<usize>count + 15) & ~15);
  } else {
    memory.copy(destination, source, count);
  }
}

/** Variants with vectors: copies `bytes`, a multiple of 16, to `destination`, which is elsewhere or 16 below `source` at least. */
export function moveStaged(destination: usize, source: usize, bytes: usize): void {
  if (!ASC_FEATURE_SIMD) return;
  const end = source + bytes;
  for (const fours = source + (bytes & ~63); source < fours; source += 64) {
    copyFour(destination, source);
    destination += 64;
  }
  for (; source < end; source += 16) {
    v128.store(destination, v128.load(source));
    destination += 16;
  }
}

/** Four vectors, in order: of a loop's operations two thirds are for the loop. */
function copyFour(destination: usize, source: usize): void {
  v128.store(destination, v128.load(source));
  v128.store(destination, v128.load(source, 16), 16);
  v128.store(destination, v128.load(source, 32), 32);
  v128.store(destination, v128.load(source, 48), 48);
}

/**
 * Writes `count` staged elements of the int8 value `zeroPoint`. May write up to 15 elements more than asked for. Not
 * memory.fill, which is a call out of the engine's compiled code: borders are a few bytes.
 */
export function stageZeroPoint(destination: usize, zeroPoint: i32, count: i32): void {
  if (ASC_FEATURE_SIMD) {
    const value = ASC_FEATURE_RELAXED_SIMD
      ? i8x16.splat(<i8>storedActivation(zeroPoint))
      : i16x8.splat(<i16>zeroPoint);
    const end = destination + <usize>count * stagedElementBytes();
    for (; destination < end; destination += 16) v128.store(destination, value);
  } else {
    memory.fill(destination, <u8>zeroPoint, count);
  }
}
