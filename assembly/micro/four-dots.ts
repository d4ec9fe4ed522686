/** mcu: dot products of one vector with up to four rows of weights; of four with two products to a multiplication. */

/** Of an int64, its bytes 0 and 4: two elements 32 bits apart. */
const PAIR_MASK: i64 = 0x000000ff000000ff;
/** Adds 128, by exclusive or, to each of eight int8, which then are not negative. */
const BYTE_BIAS: i64 = -0x7f7f7f7f7f7f7f80;
/** Those 128 of two elements. */
const PAIR_BIAS: i64 = 0x0000008000000080;
/** Elements that are taken in pairs: the sum below the one wanted stays within int32. */
const PAIR_TERMS: i32 = 1 << 16;

/**
 *   sums[r] = Σ_s Σ_i vector[s · segmentBytes + i] · weights[r · rowBytes + s · steps + i]      int32, i < steps, s < segments
 *
 * for r < min(rows, 4). `sums` is of FOUR_DOTS_BYTES, src/plan/packing.ts. Fewer than four come where weights pass through SRAM in small tiles.
 */
export function fourDots(
  vector: usize,
  segments: i32,
  segmentBytes: usize,
  steps: i32,
  weights: usize,
  rowBytes: usize,
  rows: i32,
  sums: usize,
): void {
  if (rows >= 4) {
    pairedDots(vector, segments, segmentBytes, steps, weights, rowBytes, sums);
    return;
  }
  for (; rows > 0; rows--) {
    let sum = 0;
    let w = weights;
    let q = vector;
    for (let left = segments; left > 0; left--) {
      const end = w + <usize>steps;
      for (; w + 4 <= end; w += 4) {
        sum +=
          <i32>load<i8>(q) * <i32>load<i8>(w) +
          <i32>load<i8>(q, 1) * <i32>load<i8>(w, 1) +
          <i32>load<i8>(q, 2) * <i32>load<i8>(w, 2) +
          <i32>load<i8>(q, 3) * <i32>load<i8>(w, 3);
        q += 4;
      }
      for (; w < end; w++) sum += <i32>load<i8>(q++) * <i32>load<i8>(w);
      q += segmentBytes - <usize>steps;
    }
    store<i32>(sums, sum);
    sums += 4;
    weights += rowBytes;
  }
}

/**
 * Four rows share the loads of the vector. With u = w + 128 one multiplication makes two products of a row,
 *
 *   (u[i] + u[i + 4] · 2^32) · (x[i + 4] + x[i] · 2^32) = (u[i] · x[i] + u[i + 4] · x[i + 4]) · 2^32 + u[i] · x[i + 4]  modulo 2^64
 *
 * whose upper half is the sum wanted once the lower is rounded off; the 128 added 128 · Σx to all rows. What a segment has beyond a
 * multiple of 8 is multiplied one by one.
 */
function pairedDots(
  vector: usize,
  segments: i32,
  segmentBytes: usize,
  steps: i32,
  weights: usize,
  rowBytes: usize,
  sums: usize,
): void {
  const eights = <usize>(min(steps, PAIR_TERMS / segments) & ~7);
  const tail = <usize>steps - eights;
  const toC = 2 * rowBytes;
  const toD = 3 * rowBytes;
  let a: i64 = 0;
  let b: i64 = 0;
  let c: i64 = 0;
  let d: i64 = 0;
  let x: i64 = 0;
  let w = weights;
  do {
    let q = vector;
    for (const end = q + eights; q < end; q += 8) {
      // The halves change places: x[i + 4] below x[i].
      const v = rotl(load<i64>(q), 32) ^ BYTE_BIAS;
      const x0 = (v & PAIR_MASK) - PAIR_BIAS;
      const x1 = ((v >> 8) & PAIR_MASK) - PAIR_BIAS;
      const x2 = ((v >> 16) & PAIR_MASK) - PAIR_BIAS;
      const x3 = ((v >> 24) & PAIR_MASK) - PAIR_BIAS;
      x += x0 + x1 + x2 + x3;
      const ua = load<i64>(w) ^ BYTE_BIAS;
      const ub = load<i64>(w + rowBytes) ^ BYTE_BIAS;
      const uc = load<i64>(w + toC) ^ BYTE_BIAS;
      const ud = load<i64>(w + toD) ^ BYTE_BIAS;
      a +=
        (ua & PAIR_MASK) * x0 +
        ((ua >> 8) & PAIR_MASK) * x1 +
        ((ua >> 16) & PAIR_MASK) * x2 +
        ((ua >> 24) & PAIR_MASK) * x3;
      b +=
        (ub & PAIR_MASK) * x0 +
        ((ub >> 8) & PAIR_MASK) * x1 +
        ((ub >> 16) & PAIR_MASK) * x2 +
        ((ub >> 24) & PAIR_MASK) * x3;
      c +=
        (uc & PAIR_MASK) * x0 +
        ((uc >> 8) & PAIR_MASK) * x1 +
        ((uc >> 16) & PAIR_MASK) * x2 +
        ((uc >> 24) & PAIR_MASK) * x3;
      d +=
        (ud & PAIR_MASK) * x0 +
        ((ud >> 8) & PAIR_MASK) * x1 +
        ((ud >> 16) & PAIR_MASK) * x2 +
        ((ud >> 24) & PAIR_MASK) * x3;
      w += 8;
    }
    for (const end = q + tail; q < end; q++) {
      const last = (<i64>load<i8>(q)) << 32;
      a += last * <i64>load<i8>(w);
      b += last * <i64>load<i8>(w + rowBytes);
      c += last * <i64>load<i8>(w + toC);
      d += last * <i64>load<i8>(w + toD);
      w++;
    }
    vector += segmentBytes;
  } while (--segments > 0);
  const added = (roundedUpper(x) + <i32>x) << 7;
  store<i32>(sums, roundedUpper(a) - added);
  store<i32>(sums, roundedUpper(b) - added, 4);
  store<i32>(sums, roundedUpper(c) - added, 8);
  store<i32>(sums, roundedUpper(d) - added, 12);
}

/** What stands above the lower half, which is a signed number itself. */
function roundedUpper(sum: i64): i32 {
  return <i32>((sum + 0x80000000) >> 32);
}
