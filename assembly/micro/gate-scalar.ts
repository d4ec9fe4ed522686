import { TWICE } from "../fixed-point.ts";

/**
 * mcu: one row of an LSTM's gate, int16 at `gate`, from the sums of its two products:
 *
 *   clamp16(clamp16(requantize(sum)) + clamp16(requantize(hiddenSum)))
 *
 * requantize(a) = (((a · multiplier + 2^30) >> 31) · TWICE + half) >> right
 *
 * Inlined, because a call costs an interpreter as much as this. Formatter and linter do not parse the decorator.
 */
@inline
export function storeGate(
  gate: usize,
  sum: i64,
  hiddenSum: i64,
  multiplier: i64,
  right: i64,
  half: i64,
  hiddenMultiplier: i64,
  hiddenRight: i64,
  hiddenHalf: i64,
): void {
  // Where TWICE does not hold, beyond 2^30, the result is beyond int16 as well.
  const scaled = (sum * multiplier + (1 << 30)) >> 31;
  const own = (scaled * TWICE + half) >> right;
  const scaledHidden = (hiddenSum * hiddenMultiplier + (1 << 30)) >> 31;
  const ofHidden = (scaledHidden * TWICE + hiddenHalf) >> hiddenRight;
  const both = own + ofHidden;
  store<i16>(gate, <i16>both);
  // One test for all three, and stored twice where it fails: a clamp of an int64 is four operations of an interpreter, and a local that a
  // branch changes two.
  if (<u64>((own + 32768) | (ofHidden + 32768) | (both + 32768)) > 65535) {
    store<i16>(gate, <i16>clamp16(clamp16(own) + clamp16(ofHidden)));
  }
}

function clamp16(value: i64): i64 {
  return min<i64>(max<i64>(value, -32768), 32767);
}
