/** Sound to the inputs of keyword models: `thimble/audio`. */
import { InputError } from "../errors.ts";
import type { TensorArray } from "../plan/arrays.ts";
import type { ModelPort } from "../runtime/port.ts";
import { RATE } from "./frames.ts";
import { mfcc } from "./mfcc.ts";
import { microFrontend } from "./micro-frontend.ts";
import { resample } from "./resample.ts";
import { checkSamples } from "./samples.ts";
import type { Sound } from "./wav.ts";

export { readWav } from "./wav.ts";
export type { Sound } from "./wav.ts";
export { mfcc, microFrontend };

/** Ways to make features of a second of sound: 49 frames of 30 ms every 20 ms. */
export type Features = "mfcc" | "micro";

const SHAPES: Readonly<Record<string, Features>> = {
  "1,49,10,1": "mfcc",
  "1,49,40,1": "micro",
  "1,1960": "micro",
};

/**
 * Which features an input takes, by its shape: "mfcc" for [1, 49, 10, 1], MLPerf Tiny's keyword spotting; "micro" for
 * [1, 1960] or [1, 49, 40, 1], TensorFlow Lite Micro's micro_speech; undefined for any other.
 */
export function soundFeatures({ shape, type }: Pick<ModelPort, "shape" | "type">): Features | undefined {
  return type === "int8" || type === "int16" || type === "float32" ? SHAPES[shape.join()] : undefined;
}

/**
 * A second of sound as the values of an input. Of longer sound the second with the most energy is taken, shorter sound is
 * followed by silence; other rates are brought to 16 kHz.
 * @throws InputError `sound-shape`: an input that takes no sound; `sound-rate`: fewer than 4,000 or more than 768,000 samples
 * a second; `sound-samples`: samples of another type than Float32Array, or that are no finite numbers
 */
export function soundInput(port: ModelPort, sound: Sound): TensorArray {
  const features = soundFeatures(port);
  if (features === undefined) {
    throw new InputError(
      "sound-shape",
      `input "${port.name}" is ${port.type} of shape [${port.shape.join(", ")}]; sound goes into features of ` +
        Object.keys(SHAPES)
          .map((shape) => `[${shape.replaceAll(",", ", ")}]`)
          .join(", "),
    );
  }
  checkSamples(sound.samples);
  const { rate } = sound;
  if (!(rate >= 4000 && rate <= 768000)) {
    throw new InputError("sound-rate", `${rate} samples a second are none of sound; give 4,000 to 768,000`);
  }
  const samples = secondOf(resample(loudest(sound.samples, Math.round(rate)), rate, RATE));
  if (features === "mfcc") return port.quantize(mfcc(samples));
  const energies = microFrontend(samples);
  // As micro_speech's own host code has it: to 0 … 26, and to int8 in integers.
  if (port.type === "int8") return Int8Array.from(energies, microSpeechInt8);
  return port.quantize(Float32Array.from(energies, (value) => value / 25.6));
}

/** (value / 25.6) / 26 · 256 − 128 with 666 for 25.6 · 26. */
function microSpeechInt8(value: number): number {
  return Math.min(127, Math.floor((value * 256 + 333) / 666) - 128);
}

/** The `length` samples that follow each other and have the most energy; all if they are fewer. */
function loudest(samples: Float32Array, length: number): Float32Array {
  let [energy, most, best] = [0, 0, 0];
  for (let end = 0; end < samples.length; end++) {
    energy += (samples[end] ?? 0) ** 2 - (samples[end - length] ?? 0) ** 2;
    if (energy > most && end >= length) [most, best] = [energy, end - length + 1];
    else if (end < length) most = energy;
  }
  return samples.subarray(best, best + length);
}

/** RATE samples, the last ones silent where there are fewer. */
function secondOf(samples: Float32Array): Float32Array {
  const second = new Float32Array(RATE);
  second.set(samples.subarray(0, RATE));
  return second;
}
