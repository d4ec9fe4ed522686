/** (a, b) → lane 0 of i32x4.relaxed_dot_i8x16_i7x16_add_s(i32x4.splat(a), i32x4.splat(b), 0), as a WebAssembly module. */
const MODULE = [
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f],
  ...[3, 2, 1, 0],
  ...[7, 7, 1, 3, 0x64, 0x6f, 0x74, 0, 0],
  ...[10, 22, 1, 20, 0],
  ...[0x20, 0, 0xfd, 0x11, 0x20, 1, 0xfd, 0x11, 0x41, 0, 0xfd, 0x11, 0xfd, 0x93, 2, 0xfd, 0x1b, 0, 0x0b],
];

/**
 * What this engine's relaxed dot product makes of 1 · 0x80: 128 or −128, by whether it takes the second operand as unsigned; undefined where it
 * has none. It tells which kernels are worth reading; only their own probe proves them.
 */
export function relaxedDot(): number | undefined {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(MODULE)));
    return (exports as { dot: (a: number, b: number) => number }).dot(1, 0x80);
  } catch {
    return undefined;
  }
}
