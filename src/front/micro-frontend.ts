import { FixedFft } from "./fixed-fft.ts";
import { FFT, FRAME, frameCount, HOP, mel, RATE } from "./frames.ts";
import { logarithm } from "./fixed-log.ts";
import { gainControl } from "./gain-control.ts";
import { checkSamples } from "./samples.ts";

const CHANNELS = 40;
const [LOWEST, HIGHEST] = [125, 7500];
/** Fraction bits of the window, and of the filters' weights. */
const WEIGHT_BITS = 12;
/** log2(FFT) less half the filters' bits: what square roots of their sums lack. */
const CORRECTION_BITS = 3;
/** Fraction bits of the noise estimate, and of the factors below. */
const SMOOTHING_BITS = 10;
const FACTOR = 2 ** 14;
/** How fast the estimate follows: of even channels, of odd ones. */
const SMOOTHING = [0.025, 0.06].map((share) => Math.trunc(share * FACTOR));
/** What is left of a signal at least. */
const LEAST_SIGNAL = Math.trunc(0.05 * FACTOR);

/**
 * The features that TensorFlow Lite Micro's micro_speech takes, in its integer arithmetic: of every frame 40 channels from
 * 125 to 7500 Hz. Hann window (Q12), scaled to fill 16 bits; fixed-point FFT; energies; triangles on the mel scale; square
 * root; noise, estimated channel by channel from frame to frame, taken off; automatic gain (PCAN); 64 · ln x.
 *
 * samples  16 kHz; `sound-samples` is thrown as by `soundInput`
 * returns  [frames, 40], 0 … 670 or so
 *
 * Source: tflite-micro, signal/src and micro_speech/audio_preprocessor.py, whose filters truncate their weights.
 */
export function microFrontend(samples: Float32Array): Int16Array {
  checkSamples(samples);
  const window = Int16Array.from({ length: FRAME }, (_, i) =>
    Math.round(2 ** WEIGHT_BITS * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / FRAME))),
  );
  const filters = melFilters();
  const fft = new FixedFft();
  const gain = gainControl(SMOOTHING_BITS - CORRECTION_BITS, CORRECTION_BITS);
  const noise = new Float64Array(CHANNELS);
  const frames = frameCount(samples.length);
  const result = new Int16Array(frames * CHANNELS);
  for (let frame = 0; frame < frames; frame++) {
    const { frame: scaled, shift } = windowed(samples.subarray(frame * HOP, frame * HOP + FRAME), window);
    fft.transform(scaled);
    const sums = channelSums(fft, filters);
    for (let channel = 0; channel < CHANNELS; channel++) {
      const signal = squareRoot(sums[channel] ?? 0) >>> shift;
      const quiet = withoutNoise(signal, noise, channel);
      const value = gain(quiet, noise[channel] ?? 0);
      result[frame * CHANNELS + channel] = Math.min(logarithm((value << CORRECTION_BITS) >>> 0), 32767);
    }
  }
  return result;
}

/** A frame under the window, filled up with zeros, shifted left as far as 16 bits allow. */
function windowed(samples: Float32Array, window: Int16Array): { frame: Int16Array; shift: number } {
  const frame = new Int16Array(FFT);
  let most = 0;
  for (let i = 0; i < FRAME; i++) {
    const sample = Math.max(-32768, Math.min(32767, Math.round((samples[i] ?? 0) * 32768)));
    const value = (sample * (window[i] ?? 0)) >> WEIGHT_BITS;
    frame[i] = value;
    most = Math.max(most, Math.abs(value));
  }
  const shift = most === 0 ? 0 : Math.max(0, Math.clz32(most) - 17);
  return { frame: frame.map((value) => value << shift), shift };
}

/** Where a channel's filter falls from its centre to the next one's: the next channel's rises by the rest. */
interface Slope {
  readonly first: number;
  readonly falling: readonly number[];
  readonly rising: readonly number[];
}

/** CHANNELS + 1 slopes between as many centres; float32, as the reference's tables are made. */
function melFilters(): Slope[] {
  const f32 = Math.fround;
  const melOf = (bin: number): number => f32(mel(f32((bin * RATE) / FFT)));
  const [low, high] = [f32(mel(LOWEST)), f32(mel(HIGHEST))];
  const spacing = f32(f32(high - low) / f32(CHANNELS + 1));
  const centre = (i: number): number => (i < 0 ? low : f32(low + f32(spacing * (i + 1))));
  let bin = Math.round(1 + (LOWEST * FFT) / RATE);
  return Array.from({ length: CHANNELS + 1 }, (_, i) => {
    const first = bin;
    const [falling, rising]: [number[], number[]] = [[], []];
    for (; melOf(bin) <= centre(i); bin++) {
      const weight = f32(f32(centre(i) - melOf(bin)) / f32(centre(i) - centre(i - 1)));
      falling.push(Math.trunc(weight * 2 ** WEIGHT_BITS));
      rising.push(Math.trunc((1 - weight) * 2 ** WEIGHT_BITS));
    }
    return { first, falling, rising };
  });
}

/** Σ weight · (re² + im²) of every channel: below 2⁵³, so that doubles are exact. */
function channelSums({ re, im }: FixedFft, filters: readonly Slope[]): Float64Array {
  const sums = new Float64Array(CHANNELS);
  for (const [i, { first, falling, rising }] of filters.entries()) {
    for (let k = 0; k < falling.length; k++) {
      const [a, b] = [re[first + k] ?? 0, im[first + k] ?? 0];
      const energy = a * a + b * b;
      // The first slope rises to channel 0, the last one falls from the last channel.
      if (i > 0) sums[i - 1] = (sums[i - 1] ?? 0) + (falling[k] ?? 0) * energy;
      if (i < CHANNELS) sums[i] = (sums[i] ?? 0) + (rising[k] ?? 0) * energy;
    }
  }
  return sums;
}

/** √x to the nearest; x whole, below 2⁴⁸. */
function squareRoot(x: number): number {
  const root = Math.floor(Math.sqrt(x));
  const isShort = x < 2 ** 32 && root === 0xffff;
  return x - root * root > root && !isShort ? root + 1 : root;
}

/** Brings a channel's estimate up to date and takes it off the signal. */
function withoutNoise(signal: number, noise: Float64Array, channel: number): number {
  const smoothing = SMOOTHING[channel & 1] ?? 0;
  const scaled = (signal << SMOOTHING_BITS) >>> 0;
  const estimate = Math.floor((scaled * smoothing + (noise[channel] ?? 0) * (FACTOR - smoothing)) / FACTOR);
  noise[channel] = estimate;
  const least = Math.floor((signal * LEAST_SIGNAL) / FACTOR);
  return Math.max(least, (scaled - Math.min(estimate, scaled)) >>> SMOOTHING_BITS);
}
