import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { depthwiseNet } from "../depthwise-net.ts";
import { int8Values } from "../ops/node.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.node.js", import.meta.url));
const digits = fileURLToPath(new URL("../../models/digits/digits.tflite", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);
const input = int8Values(4, 32 * 32 * 3);
writeFileSync(at("net.tflite"), depthwiseNet(2));
writeFileSync(at("other.tflite"), depthwiseNet(3));
writeFileSync(at("in.bin"), input);

function diff(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "diff", ...args], {
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

interface Comparison {
  equal: boolean;
  models: { variant: string; steps: number }[];
  tensors: { name: string; steps: number[]; differing: number; first?: number; largest?: number }[];
  onlyIn: string[][];
}

test("a model is the same in every variant and schedule", () => {
  const variants = diff(at("net.tflite"), "--variant", "mcu,simd");
  expect([variants.status, variants.err]).toEqual([0, ""]);
  expect(variants.out).toMatch(
    /^net \(mcu, 12 steps\) against net \(simd, 12 steps\): 12 tensors compared\nequal/,
  );

  const schedules = diff(at("net.tflite"), "--schedule", "layer,minimum", "--sram", "unbounded", "--json");
  expect(schedules.status).toBe(0);
  const { equal, models, tensors, onlyIn } = JSON.parse(schedules.out) as Comparison;
  expect(equal).toBe(true);
  expect(models[0]?.steps).toBe(12);
  expect(models[1]?.steps).toBeLessThan(12);
  // What streams make row by row no trace can see.
  expect(tensors.length + (onlyIn[0]?.length ?? 0)).toBe(12);
  expect(onlyIn[1]).toEqual([]);
});

test("two models differ by as much as their traces say", async () => {
  const json = diff(at("net.tflite"), at("other.tflite"), "--input", at("in.bin"), "--json");
  expect(json.status).toBe(1);
  const { equal, tensors } = JSON.parse(json.out) as Comparison;
  expect(equal).toBe(false);
  const [left, right] = await Promise.all(
    [2, 3].map((seed) => load(depthwiseNet(seed), { variant: "simd" })),
  );
  const traces = [left, right].map((model) => [...(model?.trace(input) ?? [])]);
  for (const [i, entry] of (traces[0] ?? []).entries()) {
    const other = new Int8Array(traces[1]?.[i]?.bytes.buffer ?? new ArrayBuffer(0));
    const off = Array.from(new Int8Array(entry.bytes.buffer), (value, at) =>
      Math.abs(value - (other[at] ?? NaN)),
    );
    const compared = tensors[i];
    expect(compared?.name).toBe(entry.tensor.name);
    expect(compared?.steps).toEqual([i, i]);
    expect(compared?.differing).toBe(off.filter((value) => value > 0).length);
    expect(compared?.largest ?? 0).toBe(Math.max(...off));
    if (compared?.first !== undefined) expect(off.findIndex((value) => value > 0)).toBe(compared.first);
  }
  const text = diff(at("net.tflite"), at("other.tflite"));
  expect(text.status).toBe(1);
  expect(text.out).toMatch(/differ, the first in step 0 and 0 \(conv2d "stem"\)/);
});

test.each([
  [["net.tflite", digits], 1, /diff-inputs.*\[1, 32, 32, 3\].*\[1, 28, 28, 1\]/],
  [["net.tflite", "other.tflite", "net.tflite"], 2, /one MODEL or two/],
  [["net.tflite"], 2, /give a second MODEL, or --variant A,B, or --schedule A,B/],
  [["net.tflite", "--variant", "simd", "--schedule", "layer,layer"], 2, /give a second MODEL/],
  [["net.tflite", "--variant", "mcu,avx"], 2, /--variant takes mcu, simd, relaxed, signed, not "avx"/],
  [["net.tflite", "--variant", "mcu,simd,mcu"], 2, /not "mcu,simd,mcu"/],
])("%j ends with exit code %i and a message", (args, code, message) => {
  const { status, err } = diff(
    ...args.map((argument) => (/^\w+\.tflite$/.test(argument) ? at(argument) : argument)),
  );
  expect(status).toBe(code);
  expect(err).toMatch(message);
});
