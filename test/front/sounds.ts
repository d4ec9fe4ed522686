/**
 * Sounds of a second at 16 kHz, in whole numbers so that every engine makes the same: `recorded` is the CRC-32 of the int8
 * features that TensorFlow Lite Micro's interpreter gave for them with micro_speech's audio_preprocessor_int8.tflite.
 */
export const SOUNDS: Readonly<
  Record<string, { readonly sample: () => (i: number) => number; readonly recorded: string }>
> = {
  silence: { sample: () => () => 0, recorded: "f544a502" },
  "the least noise": { sample: () => noise(1), recorded: "29b33d6d" },
  "quiet noise": { sample: () => noise(300), recorded: "8fd721b6" },
  "loud noise": { sample: () => noise(32768), recorded: "c920464c" },
  "a rising tone": { sample: () => sweep(20000), recorded: "20ef3db6" },
  "a rising tone over noise": {
    sample: () => {
      const [tone, hiss] = [sweep(6000), noise(900)];
      return (i) => tone(i) + hiss();
    },
    recorded: "f733efa1",
  },
  "bursts of noise": {
    sample: () => {
      const hiss = noise(25000);
      return (i) => (((i >> 11) & 3) === 1 ? hiss() : 0);
    },
    recorded: "8edceac6",
  },
  "a square wave, full scale": { sample: () => (i) => (i % 37 < 18 ? 32767 : -32767), recorded: "7d8d94fe" },
  "a click": { sample: () => (i) => (i === 5000 ? 30000 : 0), recorded: "bc7e4ffe" },
  "a constant": { sample: () => () => 12345, recorded: "6bdf6789" },
};

export function sound(name: string): Int16Array {
  const sample = SOUNDS[name]?.sample() ?? (() => NaN);
  return Int16Array.from({ length: 16000 }, (_, i) => sample(i));
}

/** Evenly spread below ±`size`. */
function noise(size: number): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return ((state >> 16) * size) >> 15;
  };
}

/** A triangle wave that rises from 0 to 4 kHz. */
function sweep(size: number): (i: number) => number {
  let phase = 0;
  return (i) => {
    phase = (phase + i) & 0xffff;
    const triangle = Math.abs(phase - 32768) - 16384;
    return (triangle * size) >> 14;
  };
}
