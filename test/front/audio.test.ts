import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mfcc, microFrontend, soundFeatures, soundInput } from "../../src/front/audio.ts";
import { spectrum } from "../../src/front/fft.ts";
import { FixedFft } from "../../src/front/fixed-fft.ts";
import { logarithm } from "../../src/front/fixed-log.ts";
import { resample } from "../../src/front/resample.ts";
import type { ModelPort } from "../../src/index.ts";
import { load } from "../../src/index.ts";
import { mfccReference } from "../reference/mfcc.ts";
import { crc32Hex, hasShared, modelBytes } from "../shared.ts";
import { sound, SOUNDS } from "./sounds.ts";

const real = (name: string): Float32Array => Float32Array.from(sound(name), (value) => value / 32768);

/** Magnitudes by the sum itself. */
function spectrumReference(x: ArrayLike<number>): number[] {
  return Array.from({ length: x.length / 2 + 1 }, (_, k) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < x.length; n++) {
      re += (x[n] ?? NaN) * Math.cos((2 * Math.PI * ((k * n) % x.length)) / x.length);
      im -= (x[n] ?? NaN) * Math.sin((2 * Math.PI * ((k * n) % x.length)) / x.length);
    }
    return Math.hypot(re, im);
  });
}

describe("transforms", () => {
  test("the float one is the Fourier sum", () => {
    const size = fc.integer({ min: 1, max: 7 }).map((bits) => 2 ** bits);
    const input = size.chain((length) =>
      fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length }),
    );
    fc.assert(
      fc.property(input, (values) => {
        const wanted = spectrumReference(values);
        const made = spectrum(Float64Array.from(values));
        expect(made.length).toBe(wanted.length);
        for (const [k, value] of wanted.entries()) expect(made[k]).toBeCloseTo(value, 9);
      }),
    );
  });

  test("the fixed one is the Fourier sum over 512, but for its roundings", () => {
    const fft = new FixedFft();
    for (const name of ["loud noise", "a rising tone", "a click", "a constant"]) {
      const samples = sound(name).subarray(4800, 5312);
      fft.transform(samples);
      const wanted = spectrumReference(samples);
      for (const [k, value] of wanted.entries()) {
        expect(Math.abs(Math.hypot(fft.re[k] ?? NaN, fft.im[k] ?? NaN) - value / 512)).toBeLessThan(6);
      }
    }
  });

  test("the fixed logarithm is 64 ln x", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2 ** 32 - 1 }), (x) => {
        expect(Math.abs(logarithm(x) - 64 * Math.log(x))).toBeLessThan(1);
      }),
    );
    expect([0, 1, 2, 2 ** 32 - 1].map(logarithm)).toEqual([0, 0, 44, 1420]);
  });
});

describe("resampling", () => {
  test.each([8000, 11025, 22050, 44100, 48000, 96000])(
    "tones of %s samples a second keep their shape",
    (rate) => {
      const limit = 0.4 * Math.min(rate, 16000);
      for (const hertz of [100, 1000, 0.9 * limit]) {
        const tone = (at: number) => (_: unknown, i: number) => Math.sin((2 * Math.PI * hertz * i) / at);
        const made = resample(Float32Array.from({ length: rate / 4 }, tone(rate)), rate, 16000);
        expect(made.length).toBe(4000);
        // Away from the ends, where the sound begins and breaks off.
        const off = Array.from({ length: 4000 }, tone(16000)).map((value, i) =>
          Math.abs(value - (made[i] ?? NaN)),
        );
        expect(Math.max(...off.slice(100, -100))).toBeLessThan(0.01);
      }
    },
  );

  test("what 16 kHz cannot hold is filtered out", () => {
    const high = Float32Array.from({ length: 12000 }, (_, i) => Math.sin((2 * Math.PI * 11000 * i) / 48000));
    const made = resample(high, 48000, 16000).slice(100, -100);
    expect(Math.max(...made.map(Math.abs))).toBeLessThan(0.01);
  });
});

describe("MFCC", () => {
  test.each(["loud noise", "a rising tone over noise", "a square wave, full scale"])("of %s", (name) => {
    const samples = real(name).slice(0, 480 + 2 * 320);
    const wanted = mfccReference([...samples]);
    const made = mfcc(samples);
    expect(made.length).toBe(wanted.length);
    for (const [i, value] of wanted.entries()) expect(made[i]).toBeCloseTo(value, 3);
  });

  test("of any loudness are the same", () => {
    const samples = real("a rising tone").slice(0, 4000);
    const [loud, quiet] = [mfcc(samples), mfcc(samples.map((value) => value / 50))];
    for (const [i, value] of loud.entries()) expect(quiet[i]).toBeCloseTo(value, 3);
    expect(mfcc(new Float32Array(16000)).every(Number.isFinite)).toBe(true);
  });
});

describe.skipIf(!hasShared)("micro_speech", () => {
  test.each(Object.entries(SOUNDS))("%s has the recorded features", async (name, { recorded }) => {
    const [port] = (await load(modelBytes("micro_speech_int8"))).inputs;
    const features = port && soundInput(port, { rate: 16000, samples: real(name) });
    expect(crc32Hex(new Uint8Array(features?.buffer ?? new ArrayBuffer(0)))).toBe(recorded);
  });

  test("answers silence with silence, at any rate", async () => {
    const model = await load(modelBytes("micro_speech_int8"));
    const [port] = model.inputs;
    for (const rate of [8000, 16000, 48000]) {
      const input = port && soundInput(port, { rate, samples: new Float32Array(100) });
      const scores = [...model.run(input ?? new Int8Array(0))];
      expect(scores.indexOf(Math.max(...scores))).toBe(0);
    }
  });
});

describe("sound as an input", () => {
  const port = (shape: readonly number[], type: ModelPort["type"] = "float32"): ModelPort =>
    ({ name: "in", shape, type, quantize: (values: ArrayLike<number>) => values }) as unknown as ModelPort;

  test("is features by the input's shape", () => {
    expect(soundFeatures(port([1, 49, 10, 1]))).toBe("mfcc");
    expect(soundFeatures(port([1, 1960]))).toBe("micro");
    expect(soundFeatures(port([1, 49, 40, 1]))).toBe("micro");
    expect(soundFeatures(port([1, 96, 96, 1]))).toBeUndefined();
    expect(soundFeatures(port([1, 1960], "int32"))).toBeUndefined();
    const samples = real("a rising tone");
    expect(soundInput(port([1, 49, 10, 1]), { rate: 16000, samples })).toEqual(mfcc(samples));
    const micro = soundInput(port([1, 1960]), { rate: 16000, samples });
    expect([...micro]).toEqual([...microFrontend(samples)].map((value) => Math.fround(value / 25.6)));
  });

  test("is the loudest second, or followed by silence", () => {
    const word = real("a rising tone");
    const long = new Float32Array(50000);
    long.set(word, 23456);
    long[100] = 0.9;
    const wanted = soundInput(port([1, 1960]), { rate: 16000, samples: word });
    expect(soundInput(port([1, 1960]), { rate: 16000, samples: long })).toEqual(wanted);
    const padded = Float32Array.from({ length: 16000 }, (_, i) => (i < 5000 ? (word[i] ?? 0) : 0));
    expect(soundInput(port([1, 1960]), { rate: 16000, samples: word.slice(0, 5000) })).toEqual(
      soundInput(port([1, 1960]), { rate: 16000, samples: padded }),
    );
  });

  test.each([0, 1, 3999, 1e6, NaN, Infinity])("%s samples a second are none", (rate) => {
    expect(() => soundInput(port([1, 1960]), { rate, samples: new Float32Array(9) })).toThrow(
      expect.objectContaining({ code: "sound-rate" }),
    );
  });

  test.each([
    ["Int16Array", sound("a rising tone"), "not Int16Array; of 16-bit ones make"],
    ["Array", [0, 0.5], "not Array"],
    ["nothing", undefined, "not undefined"],
    ["NaN", new Float32Array(16000).fill(NaN), "sample 0 is NaN"],
    // Beyond the loudest second.
    ["an infinity", new Float32Array(40000).fill(-Infinity, 39999), "sample 39999 is -Infinity"],
  ])("samples of %s are refused", (_, samples, words) => {
    const refusal = expect.objectContaining({
      name: "InputError",
      code: "sound-samples",
      message: expect.stringContaining(words) as string,
    }) as Error;
    const given = samples as Float32Array;
    for (const shape of [
      [1, 49, 10, 1],
      [1, 1960],
    ])
      expect(() => soundInput(port(shape), { rate: 16000, samples: given })).toThrow(refusal);
    expect(() => mfcc(given)).toThrow(refusal);
    expect(() => microFrontend(given)).toThrow(refusal);
  });

  test("does not go into a picture", () => {
    expect(() => soundInput(port([1, 96, 96, 1]), { rate: 16000, samples: new Float32Array(9) })).toThrow(
      expect.objectContaining({
        code: "sound-shape",
        message: expect.stringContaining("[1, 49, 10, 1], [1, 49, 40, 1], [1, 1960]") as string,
      }),
    );
  });
});
