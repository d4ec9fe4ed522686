import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { encode } from "jpeg-js";
import type { ColorType } from "pngjs";
import { PNG } from "pngjs";
import { afterAll, describe, expect, test } from "vitest";
import { mediaInput } from "../../src/cli/media.ts";
import { Progress } from "../../src/cli/progress.ts";
import { InputError, load } from "../../src/index.ts";
import { wavFile } from "../front/wav-file.ts";
import { BUILTIN, options, VALID, writeModel } from "../model-writer.ts";
import { int8, named } from "../written-models.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.node.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);

/** Red, green and blue of an 8 × 8 picture, averaged: a model whose answer is the picture's colour. */
const colour = writeModel(
  named(
    {
      in: int8([1, 8, 8, 3], 1 / 255, -128),
      mean: int8([1, 1, 1, 3], 1 / 255, -128),
      out: int8([1, 3], 1 / 255, -128),
    },
    [
      {
        builtin: BUILTIN.averagePool2d,
        options: options.pool2d(VALID, 8, 8),
        inputs: ["in"],
        output: "mean",
      },
      { builtin: BUILTIN.reshape, options: options.reshape([1, 3]), inputs: ["mean"], output: "out" },
    ],
    ["in"],
    ["out"],
  ),
);
writeFileSync(at("colour.tflite"), colour);
writeFileSync(at("labels.txt"), "red\ngreen\nblue\n");

const RED = [250, 20, 30] as const;
const BLUE = [10, 20, 240];

function pixels([r = 0, g = 0, b = 0]: readonly number[], width: number, height: number): Buffer {
  return Buffer.from(Array.from({ length: width * height }, () => [r, g, b, 255]).flat());
}

function png(of: readonly number[], width = 20, height = 10, colorType: ColorType = 2): Buffer {
  const picture = new PNG({ width, height });
  picture.data = pixels(of, width, height);
  return PNG.sync.write(picture, { colorType });
}

const jpeg = (of: readonly number[]): Buffer =>
  encode({ width: 16, height: 24, data: pixels(of, 16, 24) }, 90).data;
writeFileSync(at("red.png"), png(RED));
writeFileSync(at("BLUE.JPG"), jpeg(BLUE));
writeFileSync(at("fake.png"), jpeg(RED));
writeFileSync(at("fake.jpg"), png(RED));
writeFileSync(at("word.wav"), wavFile([0.5, -0.5], { rate: 16000, channels: 1, bits: 16 }));

function thimble(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { status, out: stdout, err: stderr };
}

const bestOf = (json: string): string | undefined =>
  (JSON.parse(json) as { outputs: { top: { label?: string }[] }[] }).outputs[0]?.top[0]?.label;

test("run takes pictures, one or many, and names the classes", () => {
  const labels = ["--labels", at("labels.txt")];
  const one = thimble("run", at("colour.tflite"), "-i", at("red.png"), ...labels);
  expect(one.err).toBe("");
  expect(one.out).toMatch(/class +value +score\n +0 +12\d +0\.98\d+ +red/);

  const many = thimble("run", at("colour.tflite"), at("red.png"), at("BLUE.JPG"), ...labels, "--top", "1");
  expect([many.status, many.err]).toEqual([0, ""]);
  expect(many.out).toMatch(/^\S*red\.png: red 0\.98\d+\n\S*BLUE\.JPG: blue 0\.9\d+\n$/);

  const json = thimble("run", at("colour.tflite"), "-i", at("red.png"), at("BLUE.JPG"), ...labels, "--json");
  const lines = json.out.trimEnd().split("\n");
  expect(lines.map(bestOf)).toEqual(["red", "blue"]);
  expect(JSON.parse(lines[1] ?? "")).toMatchObject({ inputs: [at("BLUE.JPG")], model: "colour" });
});

test("a file that cannot be read ends its own run alone", () => {
  const files = ["red.png", "fake.png", "missing.jpg", "BLUE.JPG"].map(at);
  const labels = ["--labels", at("labels.txt"), "--top", "1"];
  const { status, out, err } = thimble("run", at("colour.tflite"), ...files, ...labels);
  expect(out).toMatch(/^\S*red\.png: red \S+\n\S*BLUE\.JPG: blue \S+\n$/);
  expect(err).toMatch(
    /^thimble: png: \S*fake\.png: this is no PNG.*\nthimble: unreadable: \S*missing\.jpg .*\n$/,
  );
  expect(status).toBe(1);
});

test("run fits a picture and takes it in the range that it is told", () => {
  // 20 × 10 on black: half of it remains.
  const padded = thimble("run", at("colour.tflite"), at("red.png"), "--fit", "pad", "--json");
  const red = (text: string): number =>
    (JSON.parse(text) as { outputs: { real: number[] }[] }).outputs[0]?.real[0] ?? NaN;
  expect(red(padded.out)).toBeCloseTo(RED[0] / 255 / 2, 2);
  const halves = thimble("run", at("colour.tflite"), at("red.png"), "--range=-1..1", "--json");
  expect(red(halves.out)).toBeCloseTo((2 * RED[0]) / 255 - 1, 2);
});

test.each([
  [["fake.png"], 1, /png: \S*fake\.png: this is no PNG/],
  [["fake.jpg"], 1, /jpeg: \S*fake\.jpg: this is no JPEG/],
  [["word.wav"], 1, /sound-shape: \S*word\.wav/],
  [["red.png", "missing.png"], 1, /unreadable: \S*missing\.png/],
  [["red.png", "--fit", "squeeze"], 2, /--fit takes crop, pad, stretch/],
  [["red.png", "red.png", "--trace", "out.jsonl"], 2, /one run/],
])("%j ends with exit code %i and a message", (files, code, message) => {
  const { status, err } = thimble(
    "run",
    at("colour.tflite"),
    ...files.map((file) => (/^--|^[^.]*$|\.\./.test(file) ? file : at(file))),
  );
  expect(status).toBe(code);
  expect(err).toMatch(message);
  expect(err).not.toMatch(/\n\s+at /);
});

describe("decoding", async () => {
  const [port] = (await load(colour)).inputs;
  if (port === undefined) throw new Error("a model without inputs");
  const read = async (name: string, bytes: Uint8Array): Promise<number[]> =>
    Array.from((await mediaInput(name, bytes, port, {})) ?? [], (q) => q + 128);

  test("PNG of every kind of colour", async () => {
    for (const colorType of [2, 6] as const) {
      expect((await read("x.png", png(RED, 8, 8, colorType))).slice(0, 6)).toEqual([...RED, ...RED]);
    }
    const [grey] = await read("x.png", png(RED, 8, 8, 0));
    expect(await read("x.png", png(RED, 8, 8, 0))).toEqual(Array<number>(192).fill(grey ?? NaN));
  });

  test("JPEG, nearly", async () => {
    const made = await read("x.jpeg", jpeg(BLUE));
    for (const [i, value] of made.entries()) expect(Math.abs(value - (BLUE[i % 3] ?? NaN))).toBeLessThan(8);
  });

  const header = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(png(RED));
    change(bytes);
    return bytes;
  };
  test.each([
    ["a huge PNG", "x.png", "picture-size", header((bytes) => bytes.fill(0xff, 16, 24))],
    ["an interlaced PNG", "x.png", "png", header((bytes) => bytes.writeUInt8(1, 28))],
    ["a PNG of no pixels", "x.png", "png", header((bytes) => bytes.writeUInt32BE(0, 16))],
    ["a PNG that is larger than its data", "x.png", "png", header((bytes) => bytes.writeUInt32BE(4000, 20))],
    ["a PNG of a wrong checksum", "x.png", "png", header((bytes) => bytes.writeUInt8(7, 50))],
    ["no bytes", "x.png", "png", Buffer.alloc(0)],
    ["no bytes of JPEG", "x.jpg", "jpeg", Buffer.alloc(0)],
    ["a JPEG's first bytes alone", "x.jpg", "jpeg", Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
  ])("%s is refused", async (_, name, code, bytes) => {
    await expect(read(name, bytes)).rejects.toMatchObject({ name: "InputError", code });
  });

  test("a huge JPEG is refused", async () => {
    const bytes = jpeg(BLUE);
    const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
    bytes.writeUInt16BE(65535, frame + 5);
    bytes.writeUInt16BE(65535, frame + 7);
    await expect(read("x.jpg", bytes)).rejects.toMatchObject({ code: "jpeg" });
  });

  test.each([
    ["x.png", png(RED)],
    ["x.jpg", jpeg(BLUE)],
  ])("damaged %s ends as a picture or as an error of ours", async (name, good) => {
    const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(changes, fc.option(fc.nat(good.length)), async (changes, cut) => {
        const bytes = new Uint8Array(good);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          expect((await read(name, bytes.subarray(0, cut ?? bytes.length))).length).toBe(192);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("other files are left to other readers", async () => {
    expect(await mediaInput("x.npy", new Uint8Array(0), port, {})).toBeUndefined();
  });
});

test("progress shows on a terminal alone, and clears what it wrote", () => {
  let written = "";
  const terminal = (isTTY: boolean): Progress =>
    new Progress({ isTTY, write: (text: string) => (written += text) });
  terminal(false).show("1 of 2");
  expect(written).toBe("");
  const progress = terminal(true);
  progress.show("1 of 2");
  progress.clear();
  progress.clear();
  expect(written).toBe("1 of 2\r      \r");
});
