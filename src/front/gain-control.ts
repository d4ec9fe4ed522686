const STRENGTH = 0.95;
const OFFSET = 80;
const GAIN_BITS = 21;
/** Fraction bits of the signal over its noise, and of the result. */
const RATIO_BITS = 12;
const OUTPUT_BITS = 6;

/**
 * Per-channel automatic gain (PCAN): signal · gain(noise), gain(n) = (n + 80)^−0.95, then small ratios shrunk: x² / 4 below 2,
 * x − 1 above. `noiseBits` are the noise's fraction bits; the signal has −`correctionBits`. All uint32.
 *
 * Source: tflite-micro, signal/src/pcan_argc_fixed.cc; the table: microfrontend/lib/pcan_gain_control_util.c.
 */
export function gainControl(
  noiseBits: number,
  correctionBits: number,
): (signal: number, noise: number) => number {
  const gain = gainOf(noiseBits);
  const scale = 2 ** (GAIN_BITS - correctionBits - RATIO_BITS);
  return (signal, noise) => {
    const ratio = Math.floor((signal * gain(noise)) / scale) >>> 0;
    return ratio < 2 << RATIO_BITS
      ? (ratio * ratio) >>> (2 + 2 * RATIO_BITS - OUTPUT_BITS)
      : (ratio >>> (RATIO_BITS - OUTPUT_BITS)) - (1 << OUTPUT_BITS);
  };
}

/** The gain by a parabola between powers of two, through values of int16. */
function gainOf(noiseBits: number): (noise: number) => number {
  const exact = (noise: number): number => {
    const gain = 2 ** GAIN_BITS * (noise / 2 ** noiseBits + OFFSET) ** -STRENGTH;
    return Math.min(32767, Math.floor(gain + 0.5));
  };
  const parabolas = Array.from({ length: 33 }, (_, bits) => {
    const begin = 2 ** (bits - 1);
    const [y0, y1, y2] = [begin, 1.5 * begin, Math.min(2 * begin, 2 ** 32 - 1)].map((x) =>
      exact(Math.floor(x)),
    );
    const [middle, end] = [(y1 ?? 0) - (y0 ?? 0), (y2 ?? 0) - (y0 ?? 0)];
    const linear = 4 * middle - end;
    return { constant: y0 ?? 0, linear, square: end - linear };
  });
  const [none, one] = [exact(0), exact(1)];
  return (noise) => {
    if (noise < 2) return noise === 0 ? none : one;
    const bits = 32 - Math.clz32(noise);
    const { constant = 0, linear = 0, square = 0 } = parabolas[bits] ?? {};
    // The ten bits after the first.
    const fraction = (bits < 11 ? noise << (11 - bits) : noise >>> (bits - 11)) & 0x3ff;
    const slope = ((square * fraction) >> 5) + linear * 32;
    return constant + ((slope * fraction + (1 << 14)) >> 15);
  };
}
