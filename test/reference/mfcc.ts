/**
 * MFCC as TensorFlow's signal library defines them, term by term: frames of 480 every 320 under a periodic Hann window, the
 * Fourier sum of 512 points, mel triangles, logarithm, orthonormal-scaled cosine sum. Samples at 16 kHz.
 */
export function mfccReference(samples: readonly number[]): number[] {
  const loudest = Math.max(...samples);
  const mel = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);
  const edges = Array.from({ length: 42 }, (_, i) => mel(20) + (i * (mel(4000) - mel(20))) / 41);
  const result: number[] = [];
  for (let start = 0; start + 480 <= samples.length; start += 320) {
    const frame = Array.from(
      { length: 480 },
      (_, n) => ((samples[start + n] ?? NaN) / loudest) * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / 480)),
    );
    const magnitude = (k: number): number => {
      const turn = (2 * Math.PI * k) / 512;
      const re = frame.reduce((sum, x, n) => sum + x * Math.cos(turn * n), 0);
      const im = frame.reduce((sum, x, n) => sum + x * Math.sin(turn * n), 0);
      return Math.sqrt(re * re + im * im);
    };
    const magnitudes = Array.from({ length: 257 }, (_, k) => magnitude(k));
    const logs = Array.from({ length: 40 }, (_, band) => {
      const [left = NaN, centre = NaN, right = NaN] = edges.slice(band, band + 3);
      let sum = 0;
      for (let k = 1; k < 257; k++) {
        const at = mel(31.25 * k);
        const weight = Math.min((at - left) / (centre - left), (right - at) / (right - centre));
        sum += Math.max(0, weight) * (magnitudes[k] ?? NaN);
      }
      return Math.log(sum + 1e-6);
    });
    for (let c = 0; c < 10; c++) {
      const sum = logs.reduce((sum, x, n) => sum + 2 * x * Math.cos((Math.PI * c * (n + 0.5)) / 40), 0);
      result.push(sum / Math.sqrt(2 * 40));
    }
  }
  return result;
}
