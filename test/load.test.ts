import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import * as asset from "../src/asset.ts";
import type { CompileOptions, Image, LoadOptions, Model, Pass, Source } from "../src/index.ts";
import { compile, decodeImage, encodeImage, load, loadImage, verifyImage } from "../src/index.ts";

// What callers get wrong is refused with what to do; nothing that they ask for is left aside in silence.

const path = fileURLToPath(new URL("../models/digits/digits.tflite", import.meta.url));
const bytes = new Uint8Array(await readFile(path));
const image = compile(bytes, { variant: "simd" });
const file = encodeImage(image);

function inputError(code: string, message: RegExp | string = ""): Error {
  return expect.objectContaining({
    name: "InputError",
    code,
    message: expect.stringMatching(message) as string,
  }) as Error;
}

describe("options", () => {
  const planning: readonly CompileOptions[] = [
    { sram: 65536 },
    { schedule: "minimum" },
    { input: "streamed" },
    { maxRecompute: 0.1 },
    { passes: [] },
  ];

  test.each(planning)("%o is refused with a compiled image", async (options) => {
    const [name = ""] = Object.keys(options);
    for (const source of [image, file]) {
      await expect(load(source, options)).rejects.toEqual(inputError("image-options", name));
      const asImage = options as LoadOptions;
      for (const entry of [loadImage, asset.loadImage])
        await expect(entry(source, asImage)).rejects.toEqual(inputError("option", `"${name}"`));
    }
  });

  test("that mean something with an image are taken, and those that are undefined left aside", async () => {
    const undefinedOnes = { sram: undefined, srams: undefined } as unknown as LoadOptions;
    for (const source of [image, file]) {
      const model = await load(source, { ...undefinedOnes, variant: "simd", guard: true, name: "mine" });
      expect(model.report).toEqual(image.report);
    }
  });

  test("of names that nobody knows are refused, with those that there are", async () => {
    const wrong = { srams: 65536 } as CompileOptions;
    expect(() => compile(bytes, wrong)).toThrow(inputError("option", /"srams"; it has sram, /));
    expect(() => compile(bytes, { guard: true } as CompileOptions)).toThrow(inputError("option"));
    await expect(load(bytes, wrong)).rejects.toEqual(inputError("option", /"srams".* guard/));
    await expect(
      load(path, { warmUp: false, guard: true, sram: 65536, name: "digits" }),
    ).resolves.toBeDefined();
  });

  test("are an object, and passes functions", async () => {
    for (const options of [null, 5, "unbounded"] as unknown as LoadOptions[]) {
      expect(() => compile(bytes, options)).toThrow(inputError("options"));
      await expect(load(bytes, options)).rejects.toEqual(inputError("options"));
      await expect(loadImage(file, options)).rejects.toEqual(inputError("options"));
    }
    for (const passes of [["fuse"], "fuse", null] as unknown as Pass[][])
      await expect(load(bytes, { passes })).rejects.toEqual(inputError("passes"));
  });
});

test("a model that does not fit names the options that may need less, unless they were given", () => {
  const message = (options: CompileOptions): string => {
    try {
      compile(bytes, { sram: 4096, ...options });
    } catch (error) {
      expect(error).toMatchObject({ code: "arena-overflow", neededBytes: expect.any(Number) as number });
      return String(error);
    }
    return "";
  };
  const ways = ['`schedule: "minimum"`', '`input: "streamed"`', "`maxRecompute: 0.15`"];
  const [lean = "", rows = "", twice = ""] = ways;
  const named = (options: CompileOptions): string[] => ways.filter((way) => message(options).includes(way));
  expect(named({})).toEqual([rows, twice]);
  expect(message({})).toContain("thimble inspect MODEL --budget 4096");
  expect(named({ schedule: "layer" })).toEqual([lean, rows, twice]);
  expect(named({ input: "streamed" })).toEqual([twice]);
  expect(named({ maxRecompute: 0.1 })).toEqual([rows]);
  expect(message({ input: "streamed", maxRecompute: 0.1 })).not.toMatch(/may need less|inspect/);
});

describe("bytes", () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [path, /string was given: read the file first/],
    [Promise.resolve(bytes), /await it/],
    [new Blob([bytes]), /await blob\.arrayBuffer/],
    [undefined, /undefined was given/],
    [null, /null was given/],
    [{}, /Object was given/],
  ];

  test.each(wrong)("%o are none, to compile and decodeImage", (given, mend) => {
    for (const take of [compile, decodeImage])
      expect(() => take(given as Uint8Array)).toThrow(inputError("bytes", mend));
  });

  test("may be an ArrayBuffer", async () => {
    const bufferOf = (given: Uint8Array): ArrayBuffer => Uint8Array.from(given).buffer;
    expect(compile(bufferOf(bytes), { variant: "simd" })).toEqual(image);
    expect(decodeImage(bufferOf(file))).toEqual(image);
    expect(() => decodeImage(bufferOf(bytes))).toThrow(inputError("not-an-image", /compile the model first/));
    expect((await load(bufferOf(file))).report).toEqual(image.report);
  });

  test("that were transferred are gone", async () => {
    const gone = Uint8Array.from(bytes);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    for (const given of [gone, gone.buffer]) {
      expect(() => compile(given)).toThrow(inputError("bytes", "transferred"));
      await expect(load(given)).rejects.toEqual(inputError("bytes", "transferred"));
    }
  });
});

test.each([
  ["an empty object", {}],
  ["null", null],
  ["an array", []],
  ["half of one", { sram: bytes, report: null }],
])("%s is no image", async (_, given) => {
  const wrong = given as unknown as Image;
  expect(() => encodeImage(wrong)).toThrow(inputError("not-an-image"));
  expect(() => {
    verifyImage(wrong);
  }).toThrow(inputError("not-an-image"));
  await expect(load(wrong, { sram: 65536 })).rejects.toMatchObject({ name: "InputError" });
});

describe("sources", () => {
  const loaded = (source: unknown): Promise<Model> => load(source as Source);
  const streamOf = (chunks: unknown[]): ReadableStream<unknown> => {
    return new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
  };

  test("that must be turned into others say into which", async () => {
    await expect(loaded(Promise.resolve(new Response(bytes)))).rejects.toEqual(
      inputError("source", "await it"),
    );
    await expect(loaded(new Blob([bytes]))).rejects.toEqual(inputError("source", /await blob\.arrayBuffer/));
    const stream = createReadStream(path);
    await expect(loaded(stream)).rejects.toEqual(inputError("source", /Readable\.toWeb/));
    expect((await loaded(Readable.toWeb(stream))).outputs.length).toBe(1);
  });

  test("that have been read are refused", async () => {
    const response = new Response(bytes);
    await response.arrayBuffer();
    await expect(loaded(response)).rejects.toEqual(inputError("source-used", /the response/));
    const stream = streamOf([bytes]);
    stream.getReader();
    await expect(loaded(stream)).rejects.toEqual(inputError("source-used", /the stream/));
    const begun = streamOf([bytes]);
    const reader = begun.getReader();
    await reader.read();
    reader.releaseLock();
    await expect(loaded(begun)).rejects.toEqual(inputError("unreadable"));
  });

  test("that break off or hold no bytes are refused", async () => {
    await expect(loaded(streamOf(["text"]))).rejects.toEqual(inputError("unreadable"));
    const broken = new ReadableStream({
      pull: () => {
        throw new TypeError("terminated");
      },
    });
    await expect(loaded(new Response(broken))).rejects.toEqual(inputError("unreadable", "terminated"));
  });

  test("without a name are called what they are", async () => {
    await expect(loaded("")).rejects.toEqual(inputError("source", "the path of the model is empty"));
    await expect(loaded(new Response("x", { status: 404 }))).rejects.toEqual(
      inputError("unreadable", /^the response answered 404; check/),
    );
  });
});
