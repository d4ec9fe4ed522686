/**
 * What this machine could do: a chain of dependent one-cycle operations, which gives the clock, and dot-product tiles as
 * dense as the kernels' inner loop with nothing around them. Compiled by `npm run bench:*`, never part of the package.
 */

/** 32 dependent one-cycle integer operations per iteration. */
export function clock(iterations: i32, seed: i64): i64 {
  let x = seed;
  for (let i = 0; i < iterations; i++) {
    x = (x + i) ^ 0x1d872b41;
    x = (x + i) ^ 0x2545f491;
    x = (x + i) ^ 0x369dea0f;
    x = (x + i) ^ 0x5851f42d;
    x = (x + i) ^ 0x14057b7e;
    x = (x + i) ^ 0x27bb2ee6;
    x = (x + i) ^ 0x41c64e6d;
    x = (x + i) ^ 0x5deece66;
    x = (x + i) ^ 0x6c078965;
    x = (x + i) ^ 0x19660d12;
    x = (x + i) ^ 0x3c6ef35f;
    x = (x + i) ^ 0x0019660d;
    x = (x + i) ^ 0x43fd43fd;
    x = (x + i) ^ 0x269ec3a7;
    x = (x + i) ^ 0x343fd112;
    x = (x + i) ^ 0x7fffffed;
  }
  return x;
}

function product(w: v128, x: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, c);
  return i32x4.add(c, i32x4.dot_i16x8_s(w, x));
}

/** Multiply-accumulates of one iteration of `peak`. */
export function peakMacs(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? 12 * 16 : 12 * 8;
}

/** Twelve accumulators, two weight vectors, six inputs from memory: the widest tile that 15 registers hold. */
export function peak(iterations: i32, at: usize): void {
  let a = v128.load(at);
  let b = v128.load(at, 16);
  let c = v128.load(at, 32);
  let d = v128.load(at, 48);
  let e = v128.load(at, 64);
  let f = v128.load(at, 80);
  let g = v128.load(at, 96);
  let h = v128.load(at, 112);
  let k = v128.load(at, 128);
  let l = v128.load(at, 144);
  let m = v128.load(at, 160);
  let n = v128.load(at, 176);
  for (let i = 0; i < iterations; i++) {
    const p = at + <usize>((i & 7) << 5);
    const w0 = v128.load(p, 256);
    const w1 = v128.load(p, 272);
    let x = v128.load_splat<i32>(p, 512);
    a = product(w0, x, a);
    b = product(w1, x, b);
    x = v128.load_splat<i32>(p, 768);
    c = product(w0, x, c);
    d = product(w1, x, d);
    x = v128.load_splat<i32>(p, 1024);
    e = product(w0, x, e);
    f = product(w1, x, f);
    x = v128.load_splat<i32>(p, 1280);
    g = product(w0, x, g);
    h = product(w1, x, h);
    x = v128.load_splat<i32>(p, 1536);
    k = product(w0, x, k);
    l = product(w1, x, l);
    x = v128.load_splat<i32>(p, 1792);
    m = product(w0, x, m);
    n = product(w1, x, n);
  }
  v128.store(at, a);
  v128.store(at, b, 16);
  v128.store(at, c, 32);
  v128.store(at, d, 48);
  v128.store(at, e, 64);
  v128.store(at, f, 80);
  v128.store(at, g, 96);
  v128.store(at, h, 112);
  v128.store(at, k, 128);
  v128.store(at, l, 144);
  v128.store(at, m, 160);
  v128.store(at, n, 176);
}
