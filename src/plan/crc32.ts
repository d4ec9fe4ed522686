const ONE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
const TWO = followed(ONE);
const THREE = followed(TWO);
const FOUR = followed(THREE);

/** What a byte does to the sum, where one more byte follows it than in `table`. */
function followed(table: Int32Array): Int32Array {
  return table.map((crc) => (ONE[crc & 0xff] ?? 0) ^ (crc >>> 8));
}

/** CRC-32 as in zlib and PNG: polynomial 0xEDB88320, initial and final complement. */
export function crc32(bytes: Uint8Array): number {
  // Four at a time and by index, and so in half the time in code that runs for the first time; an iterator takes three times as long.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
  let crc = -1;
  for (let i = 0; i < words.length; i++) {
    crc ^= words[i] ?? 0;
    crc =
      (FOUR[crc & 0xff] ?? 0) ^
      (THREE[(crc >>> 8) & 0xff] ?? 0) ^
      (TWO[(crc >>> 16) & 0xff] ?? 0) ^
      (ONE[crc >>> 24] ?? 0);
  }
  for (let i = 4 * words.length; i < bytes.length; i++) {
    crc = (ONE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
