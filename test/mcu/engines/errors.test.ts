/**
 * Images that are cut, changed or of another thimble, and too little memory, through the C API: wabt's wasm2c under gcc's
 * sanitizers, and wasm3.
 */
import fc from "fast-check";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { depthwiseNet } from "../../depthwise-net.ts";
import type { CompileOptions } from "../../../src/compile.ts";
import { compile } from "../../../src/compile.ts";
import type { Image } from "../../../src/emit/image.ts";
import { encodeImage } from "../../../src/emit/image-file.ts";
import type { Engine } from "../../../src/mcu/firmware.ts";
import { firmware } from "../../../src/mcu/firmware.ts";
import { crc32 } from "../../../src/plan/crc32.ts";
import { FetchField, Head, Header, Op } from "../../../src/plan/format.ts";
import { kernelBytes } from "../../../src/runtime/kernel-bytes.ts";
import { writeModel } from "../../model-writer.ts";
import { ONE_OPERATOR } from "../../written-models.ts";
import type { Program } from "./cases.ts";
import { buildNative, buildWithWasm3, translate, wasm3Include } from "./cases.ts";

/** thimble_status of examples/mcu/thimble.h. */
const STATUS = [
  "ok",
  "not an image",
  "truncated",
  "checksum",
  "version",
  "variant",
  "memory",
  "port",
  "rows",
  "flash",
  "operator",
  "trap",
  "engine",
] as const;
type Status = (typeof STATUS)[number];

const folder = mkdtempSync(join(tmpdir(), "thimble-errors-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const net = (options: CompileOptions): Image =>
  compile(depthwiseNet(3), { variant: "mcu", schedule: "minimum", ...options });
const image = net({});
const file = encodeImage(image);
const { ramBytes } = image.report;

/** Builds errors.c with an engine. */
function build(engine: Engine): Program {
  const own = join(folder, engine);
  mkdirSync(own);
  for (const [name, data] of firmware(image, kernelBytes("mcu"), engine).files)
    writeFileSync(join(own, name), data);
  if (engine === "wasm3") return buildWithWasm3(own, ["errors.c"]);
  translate(own);
  return buildNative(own, ["errors.c"], ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
}

interface Attempt {
  readonly image: Uint8Array;
  readonly memoryBytes?: number;
}

/** What opening and running each image ended as. */
function statuses(program: Program, attempts: readonly Attempt[]): [open: Status, run: Status][] {
  const named = attempts.flatMap(({ image, memoryBytes = ramBytes }, i) => {
    const path = join(folder, `image-${i}`);
    writeFileSync(path, image);
    return [path, String(memoryBytes)];
  });
  const lines = program(named).trimEnd().split("\n");
  return lines.map((line) => {
    const [open, run] = line.split(" ").map((status) => STATUS[Number(status)]);
    if (open === undefined || run === undefined) throw new Error(`unknown status: ${line}`);
    return [open, run];
  });
}

/** The file with words changed and its checksum as it should be. */
function changed(words: Readonly<Record<number, number>>, bytes = file): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  for (const [at, value] of Object.entries(words)) view.setUint32(Number(at), value, true);
  view.setUint32(12, crc32(copy.subarray(16)), true);
  return copy;
}

const sramAt = 48 + Math.ceil(new DataView(file.buffer).getUint32(16, true) / 16) * 16;

/** Where the table of one input and one output begins: three words and seven for each. */
const tableAt = file.length - 80;

/** Where the file has the first fetch record. */
function firstFetch(): number {
  const view = new DataView(file.buffer);
  let at = sramAt + view.getUint32(sramAt + 4 * Header.entry, true);
  const fetches: readonly number[] = [Op.fetch, Op.tiles];
  const isFetch = (): boolean => fetches.includes(view.getInt32(at, true));
  while (!isFetch()) at += 4 * view.getInt32(at + 4 * Head.words, true);
  return at;
}

describe.each<Engine>(wasm3Include === undefined ? ["wasm2c"] : ["wasm2c", "wasm3"])("with %s", (engine) => {
  const program = build(engine);
  const html = new TextEncoder().encode("<!doctype html><title>404</title>".repeat(4));
  const flipped = Uint8Array.from(file);
  flipped[file.length - 200] = (flipped[file.length - 200] ?? 0) ^ 1;
  const fetchAt = firstFetch();
  const source = fetchAt + 4 * FetchField.source;
  const destination = fetchAt + 4 * FetchField.destination;
  const mul = encodeImage(compile(writeModel(ONE_OPERATOR.mul), { variant: "mcu" }));
  const cases: readonly (readonly [string, Attempt, Status, Status?])[] = [
    ["the image itself", { image: file }, "ok"],
    ["with memory to spare", { image: file, memoryBytes: ramBytes + 1000 }, "ok"],
    ["nothing", { image: new Uint8Array(0) }, "not an image"],
    ["three bytes", { image: file.subarray(0, 3) }, "not an image"],
    ["a web page", { image: html }, "not an image"],
    ["another version", { image: changed({ 4: 99 }) }, "version"],
    ["another variant", { image: encodeImage(compile(depthwiseNet(3), { variant: "simd" })) }, "variant"],
    ["a changed bit", { image: flipped }, "checksum"],
    ["a byte of memory too little", { image: file, memoryBytes: ramBytes - 1 }, "memory"],
    ["no memory", { image: file, memoryBytes: 0 }, "memory"],
    ["a section of 4 GiB", { image: changed({ 24: 0xffffffff }) }, "truncated"],
    ["two inputs where one is", { image: changed({ [tableAt]: 2 }) }, "truncated"],
    ["a state where none is", { image: changed({ [tableAt + 8]: 1 }) }, "truncated"],
    ["an input of no type", { image: changed({ [tableAt + 12]: 6 }) }, "truncated"],
    ["input in rows, which nothing gives", { image: encodeImage(net({ input: "streamed" })) }, "ok", "rows"],
    ["weights past the end of flash", { image: changed({ [source]: image.flash.length }) }, "ok", "flash"],
    ["weights at 2^32 − 1", { image: changed({ [source]: 0xffffffff }) }, "ok", "flash"],
    ["weights to outside of memory", { image: changed({ [destination]: ramBytes }) }, "ok", "trap"],
    ["a model of other operators", { image: mul }, "ok", "operator"],
    ["a record of no operator", { image: changed({ [fetchAt]: 77 }) }, "ok", "operator"],
  ];
  const found = statuses(
    program,
    cases.map(([, attempt]) => attempt),
  );

  test.each(cases.map(([what, , open, run = open], i) => [what, open, run, found[i]] as const))(
    "%s: %s, %s",
    (_, open, run, status) => {
      expect(status).toEqual([open, run]);
    },
  );

  test("cut anywhere", () => {
    const lengths = Array.from({ length: 200 }, (_, i) => Math.floor((i * file.length) / 200));
    const ends = Array.from({ length: 16 }, (_, i) => file.length - 1 - i);
    const cut = [...lengths, ...ends].map((length) => ({ image: file.subarray(0, length) }));
    for (const [open] of statuses(program, cut)) expect(["not an image", "truncated"]).toContain(open);
  });

  test("any word of the file's head, of the SRAM section's sizes, and of the port table changed", () => {
    const head = Array.from({ length: 12 }, (_, i) => 4 * i).filter((at) => at !== 12);
    const sizes = [sramAt + 4 * Header.ramBytes];
    const table = Array.from({ length: 17 }, (_, i) => tableAt + 4 * i);
    const words = fc.record({
      at: fc.constantFrom(...head, ...sizes, ...table),
      value: fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 100 })),
    });
    const attempts = fc.sample(words, { numRuns: 500, seed: 5 }).map(({ at, value }) => ({
      image: changed({ [at]: value }),
    }));
    // Each ended as a status: the sanitizers saw nothing.
    expect(statuses(program, attempts)).toHaveLength(500);
  });
});
