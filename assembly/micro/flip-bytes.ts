/** x[i] ^= 0x80 for `bytes` of x. */
export function flipBytes(start: usize, bytes: usize): void {
  const end = start + bytes;
  let at = start;
  if (ASC_FEATURE_SIMD) {
    // Not a constant by its looks, which V8 would make anew at each use: no tensor has 2^31 bytes.
    const mask = i8x16.splat(<i8>(((<i32>bytes) >> 31) ^ 0x80));
    for (; at + 16 <= end; at += 16) v128.store(at, v128.xor(v128.load(at), mask));
  }
  for (; at < end; at++) store<u8>(at, load<u8>(at) ^ 0x80);
}
