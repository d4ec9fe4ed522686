import { multiplyAdd } from "./dot.ts";
import { FLOAT_BIAS, narrow, reluFusedSingle4, storeFew } from "./epilogue.ts";

/**
 * relaxed: two output rows of a 3×3 kernel at stride 1, 8 channels at a time, whose constants are in float32: tiles of three columns, taps
 * written out. Not in a loop, because nine products of an output are over before a loop has paid for itself: npm run bench:kernels
 */
export function threeByThree(
  strip: usize,
  block: usize,
  weights: usize,
  count: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  outRowStep: usize,
  width: i32,
): void {
  for (let left = width; left > 0; left -= 3) {
    if (left < 3) {
      // Columns that the tile before has computed too.
      const back = <usize>(3 - left);
      strip -= back << 5;
      out -= back * outStep;
    }
    let a0 = v128.load(block);
    let b0 = a0;
    let c0 = a0;
    let d0 = a0;
    let e0 = a0;
    let f0 = a0;
    let a1 = v128.load(block, 16);
    let b1 = a1;
    let c1 = a1;
    let d1 = a1;
    let e1 = a1;
    let f1 = a1;
    let w = weights;
    let q = strip;
    for (let k = 3; k > 0; k--) {
      let v = v128.load(w);
      let u = v128.load(w, 32);
      let x = v128.load(q);
      a0 = multiplyAdd(v, x, a0);
      d0 = multiplyAdd(u, x, d0);
      x = v128.load(q, 32);
      b0 = multiplyAdd(v, x, b0);
      e0 = multiplyAdd(u, x, e0);
      x = v128.load(q, 64);
      c0 = multiplyAdd(v, x, c0);
      f0 = multiplyAdd(u, x, f0);
      v = v128.load(w, 16);
      u = v128.load(w, 48);
      x = v128.load(q, 16);
      a1 = multiplyAdd(v, x, a1);
      d1 = multiplyAdd(u, x, d1);
      x = v128.load(q, 48);
      b1 = multiplyAdd(v, x, b1);
      e1 = multiplyAdd(u, x, e1);
      x = v128.load(q, 80);
      c1 = multiplyAdd(v, x, c1);
      f1 = multiplyAdd(u, x, f1);
      q += 32;
      w += 64;
    }
    const bias = v128.load(constants, FLOAT_BIAS);
    let scale = v128.load(block, 32);
    let offset = v128.load(block, 64);
    a0 = reluFusedSingle4(a0, scale, offset, bias);
    b0 = reluFusedSingle4(b0, scale, offset, bias);
    c0 = reluFusedSingle4(c0, scale, offset, bias);
    d0 = reluFusedSingle4(d0, scale, offset, bias);
    e0 = reluFusedSingle4(e0, scale, offset, bias);
    f0 = reluFusedSingle4(f0, scale, offset, bias);
    scale = v128.load(block, 48);
    offset = v128.load(block, 80);
    a1 = reluFusedSingle4(a1, scale, offset, bias);
    b1 = reluFusedSingle4(b1, scale, offset, bias);
    c1 = reluFusedSingle4(c1, scale, offset, bias);
    d1 = reluFusedSingle4(d1, scale, offset, bias);
    e1 = reluFusedSingle4(e1, scale, offset, bias);
    f1 = reluFusedSingle4(f1, scale, offset, bias);
    const ab = narrow(i16x8.narrow_i32x4_s(a0, a1), i16x8.narrow_i32x4_s(b0, b1), constants);
    const cd = narrow(i16x8.narrow_i32x4_s(c0, c1), i16x8.narrow_i32x4_s(d0, d1), constants);
    const ef = narrow(i16x8.narrow_i32x4_s(e0, e1), i16x8.narrow_i32x4_s(f0, f1), constants);
    const lower = out + outRowStep;
    const second = outStep << 1;
    if (count >= 8) {
      v128.store_lane<i64>(out, ab, 0);
      v128.store_lane<i64>(out + outStep, ab, 1);
      v128.store_lane<i64>(out + second, cd, 0);
      v128.store_lane<i64>(lower, cd, 1);
      v128.store_lane<i64>(lower + outStep, ef, 0);
      v128.store_lane<i64>(lower + second, ef, 1);
    } else {
      storeFew(out, ab, 0, count, constants);
      storeFew(out + outStep, ab, 8, count, constants);
      storeFew(out + second, cd, 0, count, constants);
      storeFew(lower, cd, 8, count, constants);
      storeFew(lower + outStep, ef, 0, count, constants);
      storeFew(lower + second, ef, 8, count, constants);
    }
    strip += 96;
    out += outStep * 3;
  }
}
