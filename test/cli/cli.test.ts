import { spawnSync } from "node:child_process";
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import type { Report } from "../../src/index.ts";
import { load } from "../../src/index.ts";
import { int8Values } from "../ops/node.ts";
import { crc32Hex } from "../shared.ts";
import { npy } from "./npy-file.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.node.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);
const bytes = depthwiseNet(2);
const input = int8Values(4, 32 * 32 * 3);
writeFileSync(at("net.tflite"), bytes);
writeFileSync(at("in.bin"), input);
writeFileSync(at("in.json"), JSON.stringify([[...input]]));
writeFileSync(at("labels.txt"), Array.from({ length: 10 }, (_, i) => `class-${i}`).join("\n"));

writeFileSync(at("in.npy"), npy("|i1", "(1, 32, 32, 3)", new Uint8Array(input.buffer)));
writeFileSync(at("wrong.npy"), npy("<f8", "(1, 32, 32, 3)", new Uint8Array(8 * input.length)));

writeFileSync(at("channels-first.npy"), npy("|i1", "(1, 3, 32, 32)", new Uint8Array(input.buffer)));

function thimble(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { status, out: stdout, err: stderr };
}

test("inspect tells every byte, and --json is the report", async () => {
  const text = thimble("inspect", at("net.tflite"), "--variant", "simd");
  expect(text.status).toBe(0);
  for (const word of ["plan", "weights", "arena", "scratch", "slack", "peak", "depthwiseConv2d", "flash"]) {
    expect(text.out).toContain(word);
  }
  const json = thimble("inspect", at("net.tflite"), "--variant", "simd", "--json");
  const model = await load(bytes, { variant: "simd", name: "net" });
  expect(JSON.parse(json.out)).toEqual(model.report);
  const { arenaBytes, scratchBytes, weightTileBytes, residentWeightBytes, planBytes, slackBytes } =
    model.report;
  expect(arenaBytes + scratchBytes + weightTileBytes + residentWeightBytes + planBytes + slackBytes).toBe(
    model.report.ramBytes,
  );
  const plan = thimble("inspect", at("net.tflite"), "--plan");
  expect(plan.out).toMatch(/conv2d.*16×16×8/);
  expect(plan.out.trimEnd()).toMatch(/end$/);
});

test("run answers the same from raw bytes, JSON and NumPy, and from an image", async () => {
  const wanted = [...(await load(bytes)).run(input)];
  const compiled = thimble("compile", at("net.tflite"), "-o", at("net.thimble"), "--sram", "20K");
  expect(compiled.status).toBe(0);
  for (const [model, file] of [
    ["net.tflite", "in.bin"],
    ["net.tflite", "in.json"],
    ["net.tflite", "in.npy"],
    ["net.thimble", "in.bin"],
  ] as const) {
    const { status, out, err } = thimble("run", at(model), "--input", at(file), "--json");
    expect(err).toBe("");
    expect(status).toBe(0);
    const answer = JSON.parse(out) as { outputs: { values: number[] }[] };
    expect(answer.outputs[0]?.values).toEqual(wanted);
  }
  const best = wanted.indexOf(Math.max(...wanted));
  const labelled = thimble(
    "run",
    at("net.tflite"),
    "-i",
    at("in.bin"),
    "--labels",
    at("labels.txt"),
    "--top",
    "1",
  );
  expect(labelled.out).toContain(`class-${best}`);
});

test("run --quantize takes real numbers of NumPy's default types, and says how to make them of others", async () => {
  const model = await load(bytes);
  const values = Float64Array.from(input, (value) => value / 100);
  const whole = BigInt64Array.from(input, (value) => BigInt(value % 2));
  writeFileSync(at("real.npy"), npy("<f8", "(1, 32, 32, 3)", new Uint8Array(values.buffer)));
  writeFileSync(at("whole.npy"), npy("<i8", "(1, 32, 32, 3)", new Uint8Array(whole.buffer)));
  const wanted = [values, Array.from(whole, Number)].map((real) => [
    ...model.run(model.inputs[0]?.quantize(real) ?? new Int8Array()),
  ]);
  const given = ["real.npy", "whole.npy"].map((name) => {
    const { out, err } = thimble("run", at("net.tflite"), at(name), "--quantize", "--json");
    expect(err).toBe("");
    return (JSON.parse(out) as { outputs: { values: number[] }[] }).outputs[0]?.values;
  });
  expect(given).toEqual(wanted);
  const refused = thimble("run", at("net.tflite"), at("in.npy"), "--quantize");
  expect(refused.err).toMatch(/npy-type: .*holds \|i1; .*: save real numbers with x\.astype\('<f4'\)\n$/);
  const hinted = thimble("run", at("net.tflite"), at("real.npy"));
  expect(hinted.err).toMatch(/add --quantize if these are real numbers\n$/);
});

test("run --trace writes every tensor", async () => {
  const { status } = thimble("run", at("net.tflite"), "-i", at("in.bin"), "--trace", at("trace.jsonl"));
  expect(status).toBe(0);
  const lines = readFileSync(at("trace.jsonl"), "utf8").trimEnd().split("\n");
  const model = await load(bytes);
  const entries = [...model.trace(input)];
  expect(lines.length).toBe(entries.length);
  for (const [i, line] of lines.entries()) {
    const parsed = JSON.parse(line) as { tensor: number; crc32: string; data: string };
    expect(parsed.tensor).toBe(entries[i]?.tensor.id);
    expect(parsed.crc32).toBe(crc32Hex(entries[i]?.bytes ?? new Uint8Array(0)));
    expect(crc32Hex(Buffer.from(parsed.data, "base64"))).toBe(parsed.crc32);
  }
});

test("bench prints latency, and with --profile every step against the machine", () => {
  const { status, out } = thimble("bench", at("net.tflite"), "--time", "50", "--json");
  expect(status).toBe(0);
  const timing = JSON.parse(out) as { min: number; median: number; p99: number; profile?: unknown };
  expect(timing.min).toBeGreaterThan(0);
  expect(timing.median).toBeGreaterThanOrEqual(timing.min);
  expect(timing.p99).toBeGreaterThanOrEqual(timing.median);
  expect(timing.profile).toBeUndefined();

  const profiled = thimble(
    "bench",
    at("net.tflite"),
    "--time",
    "50",
    "--profile",
    "--json",
    "--svg",
    at("roof.svg"),
  );
  const { profile } = JSON.parse(profiled.out) as {
    profile: { limits: Record<string, number>; steps: { macs: number; min: number; bytes: number }[] };
  };
  expect(profile.limits["gigahertz"]).toBeGreaterThan(0);
  expect(profile.limits["bytesPerCycle"]).toBeGreaterThan(0);
  expect(profile.steps.length).toBe(12);
  expect(profile.steps.every(({ min, bytes }) => min >= 0 && bytes > 0)).toBe(true);
  // A circle per step with products, and one per kind of operator in the legend.
  const drawn = readFileSync(at("roof.svg"), "utf8");
  const circles = drawn.match(/<circle class="step"/g) ?? [];
  expect(circles.length).toBe(profile.steps.filter(({ macs }) => macs > 0).length);
  expect(drawn).not.toMatch(/NaN|Infinity|undefined/);

  const text = thimble("bench", at("net.tflite"), "--time", "50", "--profile", "--variant", "mcu");
  expect(text.out).toMatch(/the slowest step is \d+ \(/);
});

test.each([
  [["inspect", "missing.tflite"], 1, /unreadable/],
  [
    ["run", "net.tflite"],
    2,
    /^thimble: run needs an input: net takes "\S+" int8 \[1, 32, 32, 3\]; give .*--input FILE/,
  ],
  [
    ["run", "net.tflite", "-i", "in.bin", "-i", "in.bin", "--trace", "x"],
    2,
    /--trace takes the inputs of one run/,
  ],
  [["run", "net.tflite", "-i", "labels.txt"], 1, /input-bytes.*3072/],
  [["run", "net.tflite", "-i", "wrong.npy"], 1, /npy-type.*<f8/],
  [["run", "net.tflite", "-i", "channels-first.npy"], 1, /npy-shape.*x\.transpose\(0, 2, 3, 1\)/],
  [["inspect", "in.bin"], 1, /not-tflite|model/],
  [
    ["inspect", "net.tflite", "--sram", "4K", "--schedule", "layer"],
    1,
    /arena-overflow.*raise --sram to \d+.* --schedule minimum and --rows and --max-recompute 0\.15 may/,
  ],
  [["compile", "net.tflite"], 2, /-o/],
  [["inspect", "net.tflite", "--variant", "avx"], 2, /variant/],
  [["inspect", "net.tflite", "--sram", "lots"], 2, /sram/],
  [["inspect", "net.tflite", "--frobnicate"], 2, /frobnicate/],
  [["explode", "net.tflite"], 2, /explode/],
  [[], 2, /no command/],
])("%j ends with exit code %i and a message", (args, code, message) => {
  const files = args.map((argument) => (/\.(tflite|bin|npy|txt)$/.test(argument) ? at(argument) : argument));
  const { status, out, err } = thimble(...files);
  expect(status).toBe(code);
  expect(out).toBe("");
  expect(err).toMatch(message);
  expect(err).not.toMatch(/\n\s+at /);
});

test("help and version", () => {
  const { out } = thimble("--help");
  expect(out).toContain("thimble inspect MODEL");
  expect(out).toMatch(/^ {2}-i, --input FILE/m);
  expect(out).toMatch(/^ {2}-o, --output FILE/m);
  expect(out).toMatch(/^Exit codes: .*nothing fits --budget/m);
  expect(thimble("--version").out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a reader that stops reading is no error", () => {
  const shell = `"${process.execPath}" "${main}" inspect "${at("net.tflite")}" --json | head -c 10`;
  const { status, stderr } = spawnSync("bash", ["-o", "pipefail", "-c", shell], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test.skipIf(!existsSync("/dev/full"))("an answer that cannot be written is an error", () => {
  const shell = `"${process.execPath}" "${main}" inspect "${at("net.tflite")}" > /dev/full`;
  const { status, stderr } = spawnSync("bash", ["-c", shell], { encoding: "utf8" });
  expect(stderr).toMatch(/^thimble: unwritable: the answer could not be written \(.*ENOSPC.*\); .*\n$/);
  expect(status).toBe(1);
});

test("inspect shows streams, and draws the map", () => {
  const text = thimble(
    "inspect",
    at("net.tflite"),
    "--variant",
    "simd",
    "--schedule",
    "minimum",
    "--rows",
    "--sram",
    "unbounded",
    "--svg",
    at("map.svg"),
  );
  expect(text.status).toBe(0);
  expect(text.out).toMatch(/stream of step \d+/);
  expect(text.out).toMatch(/input +\d/);
  expect(text.out).toContain("schedule minimum, inputs streamed");
  expect(readFileSync(at("map.svg"), "utf8")).toMatch(/^<svg [^]*<\/svg>\n$/);
});

test("inspect tells what the peak is made of, down to the byte", () => {
  for (const schedule of ["layer", "minimum"]) {
    const options = ["--variant", "mcu", "--schedule", schedule];
    const { out } = thimble("inspect", at("net.tflite"), ...options);
    const peak =
      /^peak: ([\d,]+) bytes of activations in step \d+ \((.+)\).*\n((?: +-?[\d,]+ {2}\S.*\n)+)/m.exec(out);
    const number = (text = ""): number => Number(text.replaceAll(",", ""));
    const parts = [...(peak?.[3] ?? "").matchAll(/^ +(-?[\d,]+) {2}/gm)].map(([, bytes]) => number(bytes));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.reduce((sum, bytes) => sum + bytes, 0)).toBe(number(peak?.[1]));
    const { steps, peakStep } = JSON.parse(
      thimble("inspect", at("net.tflite"), ...options, "--json").out,
    ) as Report;
    expect(number(peak?.[1])).toBe(steps[peakStep]?.liveBytes);
    if (steps[peakStep]?.op === "stream") expect(peak?.[2]).toMatch(/^stream of /);
    // No line that is the same for every model.
    expect(out).not.toMatch(/^moved /m);
  }
});

test("a model compiled for rows runs on a file as any other", () => {
  const rows = ["--rows", "--schedule", "minimum"];
  const whole = thimble("run", at("net.tflite"), "--input", at("in.bin"), "--json");
  const streamed = thimble("run", at("net.tflite"), "--input", at("in.bin"), "--json", ...rows);
  expect(streamed.status).toBe(0);
  const outputs = (text: string): unknown => (JSON.parse(text) as { outputs: unknown }).outputs;
  expect(outputs(streamed.out)).toEqual(outputs(whole.out));
  expect(thimble("bench", at("net.tflite"), "--time", "20", ...rows).status).toBe(0);
});

test("--budget says whether a model fits, and how", () => {
  const fits = thimble("inspect", at("net.tflite"), "--budget", "16K");
  expect(fits.status).toBe(0);
  expect(fits.out).toMatch(/^fits 16,384 bytes as it is: [\d,]+ with --sram 16384\n/);
  const none = thimble("inspect", at("net.tflite"), "--budget", "1K", "--json");
  expect(none.status).toBe(1);
  const { fits: verdict, ways } = JSON.parse(none.out) as {
    fits: boolean;
    ways: { ramBytes: number; best: boolean }[];
  };
  expect(verdict).toBe(false);
  expect(ways[0]?.best).toBe(true);
  const bytes = ways.map(({ ramBytes }) => ramBytes);
  expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
});

test.each([
  ["inspect", "--budget", "16K", "--sram", "64K"],
  ["inspect", "--budget", "16K", "--schedule", "layer"],
  ["inspect", "--budget", "16K", "--rows"],
  ["inspect", "--budget", "16K", "--plan"],
  ["inspect", "--budget", "16K", "--svg", "x"],
  ["inspect", "--budget", "none"],
  ["inspect", "--schedule", "fast"],
  ["inspect", "--max-recompute", "-1"],
  ["inspect", "--max-recompute", "11"],
  ["inspect", "--rows", "in.bin"],
  ["run", "--svg", "x"],
  ["bench", "--budget", "16K"],
])("%s %s %s is wrong usage", (command, ...options) => {
  expect(thimble(command, at("net.tflite"), ...options).status).toBe(2);
});

test.each([
  ["--schedule", "layer"],
  ["--rows"],
  ["--max-recompute", "0.1"],
  ["--sram", "64K"],
  ["--budget", "64K"],
])("a compiled image is what it is: %s %s is wrong usage", (...options) => {
  thimble("compile", at("net.tflite"), "-o", at("fixed.thimble"), "--schedule", "minimum", "--rows");
  const { status, err } = thimble("inspect", at("fixed.thimble"), ...options);
  expect(status).toBe(2);
  expect(err).toMatch(/is a compiled image/);
  expect(thimble("inspect", at("fixed.thimble")).out).toContain("schedule minimum, inputs streamed");
  expect(thimble("run", at("fixed.thimble"), "-i", at("in.bin")).status).toBe(0);
});

test("a map that cannot be written is named", () => {
  const { status, err } = thimble("inspect", at("net.tflite"), "--svg", at("nowhere/map.svg"));
  expect(status).toBe(1);
  expect(err).toMatch(/unwritable.*map\.svg/);
});

describe("what is read is not written over", () => {
  const kept = ["net.tflite", "float.tflite", "samples.npy", "in.bin", "labels.txt"] as const;
  writeFileSync(at("float.tflite"), "a float32 model");
  writeFileSync(at("samples.npy"), npy("<f4", "(1,)", new Uint8Array(4)));
  symlinkSync(at("net.tflite"), at("symbolic.tflite"));
  linkSync(at("net.tflite"), at("hard.tflite"));
  const run = ["run", "net.tflite", "-i", "in.bin", "--labels", "labels.txt", "--trace"];
  test.each([
    [["compile", "net.tflite", "-o", "net.tflite"]],
    [["compile", "net.tflite", "-o", "symbolic.tflite"]],
    [["compile", "symbolic.tflite", "-o", "net.tflite"]],
    [["compile", "net.tflite", "-o", "hard.tflite"]],
    [["compile", "net.tflite", "--bundle", "-o", "./net.tflite"]],
    [["quantize", "float.tflite", "samples.npy", "-o", "float.tflite"]],
    [["quantize", "float.tflite", "samples.npy", "-o", "samples.npy"]],
    [["inspect", "net.tflite", "--svg", "net.tflite"]],
    [["bench", "net.tflite", "--svg", "net.tflite"]],
    [[...run, "net.tflite"]],
    [[...run, "in.bin"]],
    [[...run, "labels.txt"]],
    [["run", "net.tflite", "in.bin", "--trace", "in.bin"]],
  ])("%j", (args) => {
    const before = kept.map((name) => readFileSync(at(name)));
    const paths = args.map((argument) => (argument.includes(".") ? `${folder}/${argument}` : argument));
    const { status, out, err } = thimble(...paths);
    expect(err).toMatch(/would be written over .*, which is read; name another file to write\n$/);
    expect([status, out]).toEqual([2, ""]);
    expect(kept.map((name) => readFileSync(at(name)))).toEqual(before);
  });

  test("an earlier output may be", () => {
    for (let time = 0; time < 2; time++)
      expect(thimble("compile", at("net.tflite"), "-o", at("again.thimble")).status).toBe(0);
  });
});
