import { spectrum } from "./fft.ts";
import { FFT, FRAME, frameCount, HOP, mel, RATE } from "./frames.ts";
import { checkSamples } from "./samples.ts";

const BINS = 40;
const [LOWEST, HIGHEST] = [20, 4000];
const COEFFICIENTS = 10;

/**
 * The features of MLPerf Tiny's keyword spotting: 10 mel-frequency cepstral coefficients of every frame, as TensorFlow's
 * signal library computes them: samples over their maximum; Hann window (periodic) of 480; magnitudes of 512 points; 40 mel
 * bins from 20 to 4000 Hz, triangles on the mel scale; log(x + 10⁻⁶); DCT II, Σ x cos(…) √(2 / 40).
 *
 * samples  16 kHz; `sound-samples` is thrown as by `soundInput`
 * returns  [frames, 10]
 *
 * Source: mlcommons/tiny, training/keyword_spotting/get_dataset.py.
 */
export function mfcc(samples: Float32Array): Float32Array {
  checkSamples(samples);
  const most = samples.reduce((a, b) => Math.max(a, b), 0);
  const gain = most > 0 ? 1 / most : 1;
  const frames = frameCount(samples.length);
  const result = new Float32Array(frames * COEFFICIENTS);
  const window = Float64Array.from(
    { length: FRAME },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME),
  );
  const weights = melWeights();
  const padded = new Float64Array(FFT);
  for (let frame = 0; frame < frames; frame++) {
    for (let i = 0; i < FRAME; i++) padded[i] = (samples[frame * HOP + i] ?? 0) * gain * (window[i] ?? 0);
    const magnitudes = spectrum(padded);
    const logs = weights.map((row) =>
      Math.log(row.reduce((sum, weight, k) => sum + weight * (magnitudes[k] ?? 0), 0) + 1e-6),
    );
    for (let c = 0; c < COEFFICIENTS; c++) {
      const sum = logs.reduce((sum, x, n) => sum + x * Math.cos((Math.PI * c * (2 * n + 1)) / (2 * BINS)), 0);
      result[frame * COEFFICIENTS + c] = sum * Math.sqrt(2 / BINS);
    }
  }
  return result;
}

/** Per mel bin the weight of each of the spectrum's FFT / 2 + 1 frequencies; that of 0 Hz is 0. */
function melWeights(): number[][] {
  const edge = (i: number): number => mel(LOWEST) + ((mel(HIGHEST) - mel(LOWEST)) * i) / (BINS + 1);
  return Array.from({ length: BINS }, (_, bin) =>
    Array.from({ length: FFT / 2 + 1 }, (_, k) => {
      const at = mel((k * RATE) / FFT);
      const rise = (at - edge(bin)) / (edge(bin + 1) - edge(bin));
      const fall = (edge(bin + 2) - at) / (edge(bin + 2) - edge(bin + 1));
      return k === 0 ? 0 : Math.max(0, Math.min(rise, fall));
    }),
  );
}
