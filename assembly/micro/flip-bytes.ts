/** x[i] ^= 0x80 for `bytes` of x. */
export function flipBytes(start: usize, bytes: usize): void {
  const end = start + bytes;
  let at = start;
  if (ASC_FEATURE_SIMD) {
    for (; at + 16 <= end; at += 16) v128.store(at, v128.xor(v128.load(at), i8x16.splat(-128)));
  }
  for (; at < end; at++) store<u8>(at, load<u8>(at) ^ 0x80);
}
