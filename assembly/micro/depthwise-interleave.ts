import { storedActivation } from "../storage.ts";

/**
 * The strips of depthwise-strip.ts: columns of the input rows of a kernel, interleaved. `rows` as there.
 */

/** The input channels of output channels c … c + 7, gathered one by one. */
function gatherChannels(pixel: usize, c: i32, mask: i32, depthMultiplier: i32, gather: usize): v128 {
  for (let i = 0; i < 8; i++) {
    store<u8>(gather + i, load<u8>(pixel + (((c + i) / depthMultiplier) & mask)));
  }
  return v128.load_zero<i64>(gather);
}

/** One column of one row group, from 8 channels of each of its rows. */
function interleave4(strip: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const a = v128.shuffle<i8>(r0, r1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const b = v128.shuffle<i8>(r2, r3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  v128.store(strip, v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(strip, v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), 16);
}

/** relaxed: as interleave, 16 channels: the second 8 `toSecond` bytes from the first. */
export function interleaveSixteen(
  strip: usize,
  toSecond: usize,
  columnBytes: usize,
  rows: usize,
  count: i32,
  c: i32,
): void {
  const step0 = <usize>load<u32>(rows, 4);
  const step1 = <usize>load<u32>(rows, 16);
  const step2 = <usize>load<u32>(rows, 28);
  const step3 = <usize>load<u32>(rows, 40);
  let p0 = <usize>load<u32>(rows) + (c & load<i32>(rows, 8));
  let p1 = <usize>load<u32>(rows, 12) + (c & load<i32>(rows, 20));
  let p2 = <usize>load<u32>(rows, 24) + (c & load<i32>(rows, 32));
  let p3 = <usize>load<u32>(rows, 36) + (c & load<i32>(rows, 44));
  for (const end = strip + <usize>count * columnBytes; strip < end; strip += columnBytes) {
    const r0 = v128.load(p0);
    const r1 = v128.load(p1);
    const r2 = v128.load(p2);
    const r3 = v128.load(p3);
    interleave4(strip, r0, r1, r2, r3);
    const a = v128.shuffle<i8>(r0, r1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const b = v128.shuffle<i8>(r2, r3, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const second = strip + toSecond;
    v128.store(second, v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(second, v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    p0 += step0;
    p1 += step1;
    p2 += step2;
    p3 += step3;
  }
}

/** As interleave4, for two rows of int16. */
function interleave2(strip: usize, r0: v128, r1: v128): void {
  v128.store(strip, v128.shuffle<i16>(r0, r1, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(strip, v128.shuffle<i16>(r0, r1, 4, 12, 5, 13, 6, 14, 7, 15), 16);
}

/** simd: interleaves `count` columns of two row groups of 8 channels, side by side: one loop instead of two (docs/performance.md). */
export function interleaveTwoGroups(strip: usize, columnBytes: usize, rows: usize, count: i32, c: i32): void {
  const step0 = <usize>load<u32>(rows, 4);
  const step1 = <usize>load<u32>(rows, 16);
  const step2 = <usize>load<u32>(rows, 28);
  const step3 = <usize>load<u32>(rows, 40);
  let p0 = <usize>load<u32>(rows) + (c & load<i32>(rows, 8));
  let p1 = <usize>load<u32>(rows, 12) + (c & load<i32>(rows, 20));
  let p2 = <usize>load<u32>(rows, 24) + (c & load<i32>(rows, 32));
  let p3 = <usize>load<u32>(rows, 36) + (c & load<i32>(rows, 44));
  for (const end = strip + <usize>count * columnBytes; strip < end; strip += columnBytes) {
    interleave2(strip, v128.load_ext<i8>(p0), v128.load_ext<i8>(p1));
    interleave2(strip + 32, v128.load_ext<i8>(p2), v128.load_ext<i8>(p3));
    p0 += step0;
    p1 += step1;
    p2 += step2;
    p3 += step3;
  }
}

/** Interleaves `count` columns of one row group. */
export function interleave(
  strip: usize,
  columnBytes: usize,
  rows: usize,
  count: i32,
  c: i32,
  depthMultiplier: i32,
  gather: usize,
): void {
  const step0 = <usize>load<u32>(rows, 4);
  const step1 = <usize>load<u32>(rows, 16);
  let p0 = <usize>load<u32>(rows);
  let p1 = <usize>load<u32>(rows, 12);
  const mask0 = load<i32>(rows, 8);
  const mask1 = load<i32>(rows, 20);
  const end = strip + <usize>count * columnBytes;
  if (ASC_FEATURE_RELAXED_SIMD) {
    const step2 = <usize>load<u32>(rows, 28);
    const step3 = <usize>load<u32>(rows, 40);
    let p2 = <usize>load<u32>(rows, 24);
    let p3 = <usize>load<u32>(rows, 36);
    const mask2 = load<i32>(rows, 32);
    const mask3 = load<i32>(rows, 44);
    if (depthMultiplier === 1) {
      p0 += c & mask0;
      p1 += c & mask1;
      p2 += c & mask2;
      p3 += c & mask3;
      for (; strip < end; strip += columnBytes) {
        interleave4(
          strip,
          v128.load_zero<i64>(p0),
          v128.load_zero<i64>(p1),
          v128.load_zero<i64>(p2),
          v128.load_zero<i64>(p3),
        );
        p0 += step0;
        p1 += step1;
        p2 += step2;
        p3 += step3;
      }
      return;
    }
    for (; strip < end; strip += columnBytes) {
      interleave4(
        strip,
        gatherChannels(p0, c, mask0, depthMultiplier, gather),
        gatherChannels(p1, c, mask1, depthMultiplier, gather),
        gatherChannels(p2, c, mask2, depthMultiplier, gather),
        gatherChannels(p3, c, mask3, depthMultiplier, gather),
      );
      p0 += step0;
      p1 += step1;
      p2 += step2;
      p3 += step3;
    }
  } else if (ASC_FEATURE_SIMD) {
    if (depthMultiplier === 1) {
      p0 += c & mask0;
      p1 += c & mask1;
      for (; strip < end; strip += columnBytes) {
        interleave2(strip, v128.load_ext<i8>(p0), v128.load_ext<i8>(p1));
        p0 += step0;
        p1 += step1;
      }
      return;
    }
    for (; strip < end; strip += columnBytes) {
      interleave2(
        strip,
        i16x8.extend_low_i8x16_s(gatherChannels(p0, c, mask0, depthMultiplier, gather)),
        i16x8.extend_low_i8x16_s(gatherChannels(p1, c, mask1, depthMultiplier, gather)),
      );
      p0 += step0;
      p1 += step1;
    }
  }
}

/** Writes `count` columns of padding. */
export function padColumns(strip: usize, columnBytes: usize, zeroPoint: i32, count: i32): void {
  const value = ASC_FEATURE_RELAXED_SIMD
    ? i8x16.splat(<i8>storedActivation(zeroPoint))
    : i16x8.splat(<i16>zeroPoint);
  for (let end = strip + <usize>count * columnBytes; strip < end; strip += 16) v128.store(strip, value);
}
