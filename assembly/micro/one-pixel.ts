import { loadWeights, multiplyAdd, stepBytes } from "./dot.ts";
import { isUniform, storeRow, storeUniform } from "./epilogue.ts";

/**
 * One pixel of `segments` times `steps` fours of input (twos in simd), `stride` bytes apart and `jump` more from segment to segment. Three blocks
 * of 8 channels at a time: a splat of input serves 6 products, and in `simd` a fourth would leave accumulators in memory (V8 11.3). `relaxed` takes
 * four.
 */
export function onePixel(
  p: usize,
  segments: i32,
  steps: i32,
  stride: usize,
  jump: usize,
  block: usize,
  blockBytes: usize,
  head: usize,
  channels: i32,
  constants: usize,
  out: usize,
): void {
  let c = 0;
  if (ASC_FEATURE_RELAXED_SIMD) {
    for (; c + 24 < channels; c += 32) {
      const blockB = block + blockBytes;
      const blockC = blockB + blockBytes;
      const blockD = blockC + blockBytes;
      let a0 = v128.load(block);
      let a1 = v128.load(block, 16);
      let b0 = v128.load(blockB);
      let b1 = v128.load(blockB, 16);
      let c0 = v128.load(blockC);
      let c1 = v128.load(blockC, 16);
      let d0 = v128.load(blockD);
      let d1 = v128.load(blockD, 16);
      let wa = block + head;
      let wb = blockB + head;
      let wc = blockC + head;
      let wd = blockD + head;
      let q = p;
      for (let s = 0; s < segments; s++) {
        for (let k = steps; k > 0; k--) {
          const x = v128.load_splat<i32>(q);
          a0 = multiplyAdd(loadWeights(wa, 0), x, a0);
          a1 = multiplyAdd(loadWeights(wa, 1), x, a1);
          b0 = multiplyAdd(loadWeights(wb, 0), x, b0);
          b1 = multiplyAdd(loadWeights(wb, 1), x, b1);
          c0 = multiplyAdd(loadWeights(wc, 0), x, c0);
          c1 = multiplyAdd(loadWeights(wc, 1), x, c1);
          d0 = multiplyAdd(loadWeights(wd, 0), x, d0);
          d1 = multiplyAdd(loadWeights(wd, 1), x, d1);
          q += stride;
          wa += stepBytes();
          wb += stepBytes();
          wc += stepBytes();
          wd += stepBytes();
        }
        q += jump;
      }
      if (isUniform(constants)) {
        storeUniform(a0, a1, b0, b1, c0, c1, d0, d1, constants, channels - c, out + c);
      } else {
        storeRow(a0, a1, block, constants, 8, out + c);
        storeRow(b0, b1, blockB, constants, 8, out + c + 8);
        storeRow(c0, c1, blockC, constants, 8, out + c + 16);
        storeRow(d0, d1, blockD, constants, channels - c - 24, out + c + 24);
      }
      block = blockD + blockBytes;
    }
  }
  for (; c + 16 < channels; c += 24) {
    const blockB = block + blockBytes;
    const blockC = blockB + blockBytes;
    let a0 = v128.load(block);
    let a1 = v128.load(block, 16);
    let b0 = v128.load(blockB);
    let b1 = v128.load(blockB, 16);
    let c0 = v128.load(blockC);
    let c1 = v128.load(blockC, 16);
    let wa = block + head;
    let wb = blockB + head;
    let wc = blockC + head;
    let q = p;
    for (let s = 0; s < segments; s++) {
      for (let k = steps; k > 0; k--) {
        const x = v128.load_splat<i32>(q);
        a0 = multiplyAdd(loadWeights(wa, 0), x, a0);
        a1 = multiplyAdd(loadWeights(wa, 1), x, a1);
        b0 = multiplyAdd(loadWeights(wb, 0), x, b0);
        b1 = multiplyAdd(loadWeights(wb, 1), x, b1);
        c0 = multiplyAdd(loadWeights(wc, 0), x, c0);
        c1 = multiplyAdd(loadWeights(wc, 1), x, c1);
        q += stride;
        wa += stepBytes();
        wb += stepBytes();
        wc += stepBytes();
      }
      q += jump;
    }
    storeRow(a0, a1, block, constants, 8, out + c);
    storeRow(b0, b1, blockB, constants, 8, out + c + 8);
    storeRow(c0, c1, blockC, constants, channels - c - 16, out + c + 16);
    block = blockC + blockBytes;
  }
  for (; c < channels; c += 8) {
    let a0 = v128.load(block);
    let a1 = v128.load(block, 16);
    let w = block + head;
    let q = p;
    if (ASC_FEATURE_RELAXED_SIMD) {
      // Four steps each have sums of their own: products of one sum wait for each other.
      let b0 = i32x4.splat(0);
      let b1 = b0;
      let c0 = b0;
      let c1 = b0;
      let d0 = b0;
      let d1 = b0;
      for (let s = 0; s < segments; s++) {
        let k = steps;
        for (; k >= 4; k -= 4) {
          let x = v128.load_splat<i32>(q);
          a0 = multiplyAdd(v128.load(w), x, a0);
          a1 = multiplyAdd(v128.load(w, 16), x, a1);
          q += stride;
          x = v128.load_splat<i32>(q);
          b0 = multiplyAdd(v128.load(w, 32), x, b0);
          b1 = multiplyAdd(v128.load(w, 48), x, b1);
          q += stride;
          x = v128.load_splat<i32>(q);
          c0 = multiplyAdd(v128.load(w, 64), x, c0);
          c1 = multiplyAdd(v128.load(w, 80), x, c1);
          q += stride;
          x = v128.load_splat<i32>(q);
          d0 = multiplyAdd(v128.load(w, 96), x, d0);
          d1 = multiplyAdd(v128.load(w, 112), x, d1);
          q += stride;
          w += 128;
        }
        for (; k > 0; k--) {
          const x = v128.load_splat<i32>(q);
          a0 = multiplyAdd(v128.load(w), x, a0);
          a1 = multiplyAdd(v128.load(w, 16), x, a1);
          q += stride;
          w += 32;
        }
        q += jump;
      }
      a0 = i32x4.add(i32x4.add(a0, b0), i32x4.add(c0, d0));
      a1 = i32x4.add(i32x4.add(a1, b1), i32x4.add(c1, d1));
    } else {
      for (let s = 0; s < segments; s++) {
        for (let k = steps; k > 0; k--) {
          const x = v128.load_splat<i32>(q);
          a0 = multiplyAdd(loadWeights(w, 0), x, a0);
          a1 = multiplyAdd(loadWeights(w, 1), x, a1);
          q += stride;
          w += stepBytes();
        }
        q += jump;
      }
    }
    storeRow(a0, a1, block, constants, channels - c, out + c);
    block += blockBytes;
  }
}
