/**
 * What this machine could do, for profiles: a chain of dependent one-cycle operations, which gives the clock; dot-product tiles
 * as dense as the kernels' inner loop with nothing around them; and loads of vectors. A module of its own, which only the
 * command line and the benchmarks run.
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
  return ASC_FEATURE_RELAXED_SIMD ? 8 * 16 : 8 * 8;
}

/** Eight accumulators, two weight vectors, four inputs from memory: the densest tile that V8 keeps in 15 registers. */
export function peak(iterations: i32, at: usize): void {
  let a = v128.load(at);
  let b = v128.load(at, 16);
  let c = v128.load(at, 32);
  let d = v128.load(at, 48);
  let e = v128.load(at, 64);
  let f = v128.load(at, 80);
  let g = v128.load(at, 96);
  let h = v128.load(at, 112);
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
  }
  v128.store(at, a);
  v128.store(at, b, 16);
  v128.store(at, c, 32);
  v128.store(at, d, 48);
  v128.store(at, e, 64);
  v128.store(at, f, 80);
  v128.store(at, g, 96);
  v128.store(at, h, 112);
}

/** Loads `bytes` (a multiple of 128) from `at` on, and adds them up so that none can be left out. */
export function loads(at: usize, bytes: usize): void {
  let a = i64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = at + bytes; at < end; at += 128) {
    a = v128.xor(a, v128.load(at));
    b = v128.xor(b, v128.load(at, 16));
    c = v128.xor(c, v128.load(at, 32));
    d = v128.xor(d, v128.load(at, 48));
    a = v128.xor(a, v128.load(at, 64));
    b = v128.xor(b, v128.load(at, 80));
    c = v128.xor(c, v128.load(at, 96));
    d = v128.xor(d, v128.load(at, 112));
  }
  v128.store(0, v128.xor(v128.xor(a, b), v128.xor(c, d)));
}
