import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { calibration } from "../../models/digits/data.ts";
import { quantize, readFloatModel } from "../../src/index.ts";
import { npy } from "./npy-file.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.node.js", import.meta.url));
const float = fileURLToPath(new URL("../../models/digits/digits-float.tflite", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);

const samples = calibration().slice(0, 20);
const data = Buffer.concat(samples.map(({ buffer }) => Buffer.from(buffer)));
writeFileSync(at("samples.npy"), npy("<f4", "(20, 28, 28, 1)", data));
writeFileSync(at("short.npy"), npy("<f4", "(20, 28, 27)", data.subarray(0, 4 * 20 * 28 * 27)));
writeFileSync(at("flat.npy"), npy("<f4", "(20, 784)", data));
writeFileSync(at("turned.npy"), npy("<f4", "(28, 20, 28)", data));
writeFileSync(at("bytes.npy"), npy("|u1", "(1, 28, 28)", Buffer.alloc(784)));

function thimble(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "quantize", ...args], {
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

test("quantize writes what the function returns, and tells how far it is from float32", () => {
  const text = thimble(float, at("samples.npy"), "-o", at("out.tflite"));
  expect(text.err).toBe("");
  expect(text.out).toMatch(/int8; against float32 on the 20 samples/);
  expect(text.out).toMatch(/scores +[\d.]+ +[\d.e-]+ +[\d.]+%/);
  const bytes = quantize(readFloatModel(readFileSync(float)), samples);
  expect(readFileSync(at("out.tflite")).equals(bytes)).toBe(true);
  expect(thimble(float, at("flat.npy"), "-o", at("flat.tflite")).status).toBe(0);
  expect(readFileSync(at("flat.tflite")).equals(bytes)).toBe(true);
  const json = JSON.parse(thimble(float, at("samples.npy"), "-o", at("out.tflite"), "--json").out) as {
    bytes: number;
    samples: number;
    outputs: { name: string; maxError: number; sameBest: number }[];
  };
  expect([json.bytes, json.samples]).toEqual([bytes.length, 20]);
  expect(json.outputs[0]?.name).toBe("scores");
  expect(json.outputs[0]?.maxError).toBeLessThan(0.2);
  expect(json.outputs[0]?.sameBest).toBeGreaterThanOrEqual(0.95);
});

test("samples may be of NumPy's default type", () => {
  const doubles = Float64Array.from(samples.flatMap((sample) => [...sample]));
  writeFileSync(at("doubles.npy"), npy("<f8", "(20, 28, 28, 1)", new Uint8Array(doubles.buffer)));
  expect(thimble(float, at("samples.npy"), "-o", at("of-floats.tflite")).status).toBe(0);
  expect(thimble(float, at("doubles.npy"), "-o", at("of-doubles.tflite")).err).toBe("");
  expect(readFileSync(at("of-doubles.tflite")).equals(readFileSync(at("of-floats.tflite")))).toBe(true);
});

test.each([
  [2, "takes 1 file of samples, not 0", [float, "-o", at("x.tflite")]],
  [2, "needs -o", [float, at("samples.npy")]],
  [2, "takes no --sram", [float, at("samples.npy"), "-o", at("x.tflite"), "--sram", "64K"]],
  [1, "npy-shape", [float, at("short.npy"), "-o", at("x.tflite")]],
  [1, "x.transpose(1, 0, 2)", [float, at("turned.npy"), "-o", at("x.tflite")]],
  [1, "npy-type", [float, at("bytes.npy"), "-o", at("x.tflite")]],
  [1, "unreadable", [float, at("missing.npy"), "-o", at("x.tflite")]],
  [1, "not-float", [at("out.tflite"), at("samples.npy"), "-o", at("x.tflite")]],
])("exit code %s: %s", (status, words, args) => {
  const answer = thimble(...args);
  expect(answer.err).toContain(words);
  expect(answer.status).toBe(status);
});
