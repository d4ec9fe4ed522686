/**
 * Magnitudes of the discrete Fourier transform of `real`, whose length is a power of two: |Σ x[n] e^(−2πi k n / N)| for
 * k = 0 … N / 2. Radix 2, in double.
 */
export function spectrum(real: Float64Array): Float64Array {
  const size = real.length;
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0, reversed = 0; i < size; i++) {
    re[reversed] = real[i] ?? 0;
    // Adds 1 at the other end, carrying to the right.
    let bit = size >> 1;
    for (; (reversed & bit) !== 0; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const [cos, sin] = [Math.cos((Math.PI * k) / half), -Math.sin((Math.PI * k) / half)];
      for (let at = k; at < size; at += 2 * half) {
        const [a, b] = [re[at + half] ?? 0, im[at + half] ?? 0];
        const [x, y] = [a * cos - b * sin, a * sin + b * cos];
        const [u, v] = [re[at] ?? 0, im[at] ?? 0];
        re[at] = u + x;
        im[at] = v + y;
        re[at + half] = u - x;
        im[at + half] = v - y;
      }
    }
  }
  return Float64Array.from({ length: size / 2 + 1 }, (_, k) => Math.hypot(re[k] ?? 0, im[k] ?? 0));
}
