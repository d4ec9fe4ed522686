import { multiplyAdd } from "./dot.ts";
import { FLOAT_BIAS, LOWER, reluFusedSingle4, storeFew, UPPER } from "./epilogue.ts";

export function shortRow(
  pixel: usize,
  pixelStep: usize,
  width: i32,
  steps: i32,
  stride: usize,
  block: usize,
  head: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
): void {
  const weights = block + head;
  const w0 = v128.load(weights);
  const w1 = v128.load(weights, 16);
  const w2 = v128.load(weights, 32);
  const w3 = v128.load(weights, 48);
  const scale0 = v128.load(block, 32);
  const scale1 = v128.load(block, 48);
  const offset0 = v128.load(block, 64);
  const offset1 = v128.load(block, 80);
  const bias = v128.load(constants, FLOAT_BIAS);
  const lower = v128.load(constants, LOWER);
  const upper = v128.load(constants, UPPER);
  for (; width > 1; width -= 2) {
    const next = pixel + pixelStep;
    let x = v128.load_splat<i32>(pixel);
    let a0 = multiplyAdd(w0, x, v128.load(block));
    let a1 = multiplyAdd(w1, x, v128.load(block, 16));
    x = v128.load_splat<i32>(next);
    let b0 = multiplyAdd(w0, x, v128.load(block));
    let b1 = multiplyAdd(w1, x, v128.load(block, 16));
    x = v128.load_splat<i32>(pixel + stride);
    a0 = multiplyAdd(w2, x, a0);
    a1 = multiplyAdd(w3, x, a1);
    x = v128.load_splat<i32>(next + stride);
    b0 = multiplyAdd(w2, x, b0);
    b1 = multiplyAdd(w3, x, b1);
    if (steps > 2) {
      const p = pixel + (stride << 1);
      const q = next + (stride << 1);
      let w = v128.load(weights, 64);
      let u = v128.load(weights, 80);
      x = v128.load_splat<i32>(p);
      a0 = multiplyAdd(w, x, a0);
      a1 = multiplyAdd(u, x, a1);
      x = v128.load_splat<i32>(q);
      b0 = multiplyAdd(w, x, b0);
      b1 = multiplyAdd(u, x, b1);
      if (steps > 3) {
        w = v128.load(weights, 96);
        u = v128.load(weights, 112);
        x = v128.load_splat<i32>(p + stride);
        a0 = multiplyAdd(w, x, a0);
        a1 = multiplyAdd(u, x, a1);
        x = v128.load_splat<i32>(q + stride);
        b0 = multiplyAdd(w, x, b0);
        b1 = multiplyAdd(u, x, b1);
      }
    }
    a0 = reluFusedSingle4(a0, scale0, offset0, bias);
    a1 = reluFusedSingle4(a1, scale1, offset1, bias);
    b0 = reluFusedSingle4(b0, scale0, offset0, bias);
    b1 = reluFusedSingle4(b1, scale1, offset1, bias);
    let bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a0, a1), i16x8.narrow_i32x4_s(b0, b1));
    bytes = i8x16.min_u(i8x16.max_u(bytes, lower), upper);
    if (count >= 8) {
      v128.store_lane<i64>(out, bytes, 0);
      v128.store_lane<i64>(out + outStep, bytes, 1);
    } else {
      storeFew(out, i64x2.extract_lane(bytes, 0), count);
      storeFew(out + outStep, i64x2.extract_lane(bytes, 1), count);
    }
    pixel = next + pixelStep;
    out += outStep << 1;
  }
}
