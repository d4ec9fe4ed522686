import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readWav } from "../../src/front/wav.ts";
import { InputError } from "../../src/index.ts";
import type { WavFormat } from "./wav-file.ts";
import { wavFile } from "./wav-file.ts";

const KINDS = [
  { bits: 8 },
  { bits: 16 },
  { bits: 24 },
  { bits: 32 },
  { bits: 32, isFloat: true },
  { bits: 64, isFloat: true },
];
const sample = fc.double({ min: -1, max: 1, noNaN: true });
const format: fc.Arbitrary<WavFormat> = fc
  .tuple(
    fc.constantFrom(...KINDS),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 192000 }),
    fc.boolean(),
  )
  .map(([kind, channels, rate, isExtensible]) => ({ ...kind, channels, rate, isExtensible }));

test("WAV of every kind gives its samples back, the channels' mean", () => {
  fc.assert(
    fc.property(format, fc.array(sample, { maxLength: 30 }), (format, samples) => {
      const { channels, bits, isFloat } = format;
      const frames = Math.floor(samples.length / channels);
      const before = [["LIST", Uint8Array.of(1, 2, 3)] as const];
      const sound = readWav(wavFile(samples, { ...format, before }));
      expect(sound.rate).toBe(format.rate);
      expect(sound.samples.length).toBe(frames);
      const step = isFloat === true ? 1e-6 : 2 ** (1 - bits) + 1e-6;
      for (let i = 0; i < frames; i++) {
        const mean = samples.slice(i * channels, (i + 1) * channels).reduce((a, b) => a + b, 0) / channels;
        expect(Math.abs((sound.samples[i] ?? NaN) - mean)).toBeLessThanOrEqual(step);
      }
    }),
  );
});

test("16-bit samples are exact", () => {
  const values = [-32768, -1, 0, 1, 32767];
  const file = wavFile(
    values.map((value) => value / 32768),
    { rate: 8000, channels: 1, bits: 16 },
  );
  expect([...readWav(file).samples].map((value) => value * 32768)).toEqual(values);
});

test("a file is read from whatever holds its bytes, and from nothing else", () => {
  const file = wavFile([0.5, -0.5], { rate: 8000, channels: 1, bits: 16 });
  const wanted = readWav(file);
  expect(readWav(Uint8Array.from(file).buffer)).toEqual(wanted);
  expect(readWav(Buffer.concat([Buffer.alloc(3), file]).subarray(3))).toEqual(wanted);
  for (const other of ["word.wav", undefined, [...file]]) {
    expect(() => readWav(other as unknown as Uint8Array)).toThrow(
      expect.objectContaining({
        code: "bytes",
        message: expect.stringMatching(/Uint8Array or an ArrayBuffer.*read the file first$/) as string,
      }),
    );
  }
  const gone = Uint8Array.from(file);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  for (const each of [gone, gone.buffer]) {
    expect(() => readWav(each)).toThrow(
      expect.objectContaining({ code: "bytes", message: expect.stringContaining("transferred") as string }),
    );
  }
});

test("a file written to a pipe does not know its size", () => {
  for (const dataSize of [0, 0xffffffff]) {
    const file = wavFile([0.5, -0.5], { rate: 8000, channels: 1, bits: 16, dataSize });
    expect([...readWav(file).samples]).toEqual([0.5, -0.5]);
  }
});

describe("bad bytes", () => {
  const good = wavFile([0.1, 0.2, 0.3, 0.4], { rate: 16000, channels: 2, bits: 16 });
  const refused = (bytes: Uint8Array): boolean => {
    try {
      const { rate, samples } = readWav(bytes);
      return !(rate > 0 && samples.every(Number.isFinite));
    } catch (error) {
      return error instanceof InputError && error.code === "wav";
    }
  };

  test("cut anywhere, the file is refused", () => {
    for (let length = 0; length < good.length; length++) expect(refused(good.subarray(0, length))).toBe(true);
  });

  test.each([
    ["no WAV", [0, 0x52494658]],
    ["samples of 12 bits", [34, 12]],
    ["samples of 0 bits", [34, 0]],
    ["no channels", [22, 0]],
    ["channels that do not make a block", [22, 7]],
    ["a compressed format", [20, 2]],
    ["a rate of 0", [24, 0]],
  ])("%s", (_, [at = 0, value = 0]) => {
    const bytes = Buffer.from(good);
    if (at === 0) bytes.writeUInt32BE(value, at);
    else bytes.writeUInt16LE(value, at);
    expect(refused(bytes)).toBe(true);
    expect(() => readWav(bytes)).toThrow(InputError);
  });

  test("sizes that lie", () => {
    for (const size of [9, 2 ** 31, 0xfffffffe]) {
      const bytes = Buffer.from(good);
      bytes.writeUInt32LE(size, 40);
      expect(() => readWav(bytes)).toThrow(/header says/);
      bytes.writeUInt32LE(8, 40);
      bytes.writeUInt32LE(size, 16);
      expect(() => readWav(bytes)).toThrow(InputError);
    }
  });

  test("any bytes end as sound or as an error of ours", () => {
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          expect(readWav(bytes).samples.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: "wav" });
        }
      }),
      { numRuns: 500 },
    );
  });
});
