/**
 * Logistic function and tanh by the table of sigmoid-table.ts, whose names these are, one at a time. With s the sign of t, all ones or none, r ^ s
 * is r or −r − 1.
 *
 * Inlined, because a call costs an interpreter half as much as what it does. Formatter and linter do not parse the decorator.
 */

/** |t| from which on the table has no entry to interpolate with; the result stays what it is just below. */
export const SIGMOID_LIMIT = 255 << 9;

/** ½ of the logistic function, with the ten bits that are rounded off. */
export const SIGMOID_HALF = 1 << 24;
/** tanh from where on the table has no entry to interpolate with, with the eight bits that are rounded off. */
export const TANH_LIMIT = 0x7fff << 8;

/** |t| < SIGMOID_LIMIT. Reference: TFLite reference/integer_ops/logistic.h, int16. */
@inline
export function sigmoidByTable(t: i32, table: usize): i32 {
  const sign = t >> 31;
  const magnitude = (t ^ sign) - sign;
  const entry = table + <usize>((magnitude >> 8) & ~1);
  const low = <i32>load<i16>(entry);
  const r = (low << 9) + (magnitude & 511) * (<i32>load<i16>(entry, 2) - low);
  return ((r ^ sign) + (SIGMOID_HALF + 512)) >> 10;
}

/** tanh(x) = 2 · sigmoid(2x) − 1, for any t. Reference: TFLite reference/integer_ops/tanh.h, int16. */
@inline
export function tanhByTable(t: i32, table: usize): i32 {
  const sign = t >> 31;
  const magnitude = (t ^ sign) - sign;
  let r: i32 = TANH_LIMIT;
  // Unsigned, as −2^31 has no magnitude.
  if (<u32>magnitude < 255 << 8) {
    const entry = table + <usize>((magnitude >> 7) & ~1);
    const low = <i32>load<i16>(entry);
    r = (low << 8) + (magnitude & 255) * (<i32>load<i16>(entry, 2) - low);
  }
  return ((r ^ sign) + 128) >> 8;
}
