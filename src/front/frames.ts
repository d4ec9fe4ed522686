/** What both front ends cut sound into: 30 ms every 20 ms, at 16 kHz. */
export const RATE = 16000;
export const FRAME = 480;
export const HOP = 320;
/** Length of the transform of a frame, which zeros fill up. */
export const FFT = 512;

/** Frames that lie wholly in so many samples. */
export function frameCount(samples: number): number {
  return Math.max(0, Math.floor((samples - FRAME) / HOP) + 1);
}

/** Hertz on the mel scale, as HTK and TensorFlow have it. */
export function mel(hertz: number): number {
  return 1127 * Math.log1p(hertz / 700);
}
