/** 2¹⁶ · (log2(1 + i / 128) − i / 128): what a straight line lacks. */
const LACKING = Array.from({ length: 129 }, (_, i) =>
  Math.round(2 ** 16 * (Math.log2(1 + i / 128) - i / 128)),
);
/** 2¹⁶ · ln 2. */
const LN2 = 45426;

/**
 * 64 · ln x of a uint32 in fixed point; 0 below 2. Source: tflite-micro, signal/src/log.cc, which interpolates with 2⁻¹⁶ of the
 * difference between two entries, thus hardly.
 */
export function logarithm(x: number): number {
  if (x < 2) return 0;
  const whole = 31 - Math.clz32(x);
  const rest = x - 2 ** whole;
  const fraction = whole < 16 ? rest << (16 - whole) : Math.floor(rest / 2 ** (whole - 16));
  const segment = fraction >> 9;
  const [c0 = 0, c1 = 0] = [LACKING[segment], LACKING[segment + 1]];
  const log2 = whole * 2 ** 16 + fraction + c0 + (((c1 - c0) * (fraction & 511)) >> 16);
  const natural = Math.floor((LN2 * log2 + 2 ** 15) / 2 ** 16);
  return (64 * natural + 2 ** 15) >>> 16;
}
