import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import type { Variant } from "../../src/index.ts";
import { compile, decodeImage, encodeImage, load, provesVariant, VARIANTS } from "../../src/index.ts";
import { Header } from "../../src/plan/format.ts";
import { int8Values } from "../ops/node.ts";
import { startWatched } from "../watched.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

const bytes = depthwiseNet(3);
const LENGTH = 32 * 32 * 3;

describe.each(proved)("a session in %s", (variant) => {
  test("answers the same again and again, and as other models run between", async () => {
    const model = await load(bytes, { variant });
    const other = await load(depthwiseNet(4), { variant });
    const inputs = [1, 2, 3].map((seed) => int8Values(seed, LENGTH));
    const alone = inputs.map((input) => [...model.run(input)]);
    for (const [i, input] of inputs.entries()) {
      other.run(int8Values(i + 9, LENGTH));
      expect([...model.run(input)]).toEqual(alone[i]);
    }
    expect(new Set(alone.map(String)).size).toBeGreaterThan(1);
  });

  test("gives the same bits from an image that went through a file", async () => {
    const input = int8Values(5, LENGTH);
    const image = compile(bytes, { variant, sram: 12 * 1024 });
    expect(image.report.streamedBytes).toBeGreaterThan(0);
    const direct = await load(image);
    const reread = await load(encodeImage(image));
    const wanted = [...(await load(bytes, { variant })).run(input)];
    expect([...direct.run(input)]).toEqual(wanted);
    expect([...reread.run(input)]).toEqual(wanted);
    expect(decodeImage(encodeImage(image)).report).toEqual(image.report);
  });

  test("leaves everything but the arena as it was", async () => {
    const image = compile(bytes, { variant, sram: 12 * 1024 });
    const { model, memory } = await startWatched(image);
    const arena = new DataView(memory.buffer).getUint32(4 * Header.arenaAddress, true);
    const usable = image.report.ramBytes - image.report.slackBytes;
    memory.fill(0x5a, usable);
    const before = memory.slice();
    model.run(int8Values(6, LENGTH));
    expect(Buffer.compare(memory.subarray(0, arena), before.subarray(0, arena))).toBe(0);
    expect(Buffer.compare(memory.subarray(usable), before.subarray(usable))).toBe(0);
    expect(Buffer.compare(memory.subarray(arena, usable), before.subarray(arena, usable))).not.toBe(0);
    expect(memory.length).toBe(image.report.linearMemoryBytes);
  });
});

test("what the caller does to its bytes afterwards has no effect", async () => {
  const input = int8Values(7, LENGTH);
  for (const copy of [bytes.slice(), Buffer.from(bytes), encodeImage(compile(bytes, { sram: 12 * 1024 }))]) {
    const model = await load(copy);
    const wanted = [...model.run(input)];
    copy.fill(0);
    expect([...model.run(input)]).toEqual(wanted);
  }
});

test("refuses inputs that do not fit, and then still runs", async () => {
  const model = await load(bytes);
  const wanted = [...model.run(new Int8Array(LENGTH))];
  const detached = new Int8Array(LENGTH);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const wrong: unknown[] = [
    new Int8Array(LENGTH - 1),
    new Uint8Array(LENGTH),
    new Float32Array(LENGTH),
    detached,
  ];
  for (const input of wrong) {
    expect(() => model.run(input as Int8Array)).toThrow(expect.objectContaining({ code: "input-mismatch" }));
  }
  for (const input of [undefined, 3, "zeros", [], [new Int8Array(LENGTH), new Int8Array(LENGTH)]]) {
    expect(() => model.run(input as unknown as Int8Array)).toThrow(
      expect.objectContaining({ code: "input-count" }),
    );
  }
  expect([...model.run(new Int8Array(new SharedArrayBuffer(LENGTH)))]).toEqual(wanted);
  expect([...(model.run([new Int8Array(LENGTH)])[0] ?? [])]).toEqual(wanted);
});

test("quantise and dequantise as the reference rounds", async () => {
  const [port] = (await load(bytes)).inputs;
  // scale 1/128, zero point 0: halves away from zero, NaN to the zero point, the rest clamped.
  expect([...(port?.quantize([0.5 / 128, -0.5 / 128, 1.5 / 128, 9, -9, NaN]) ?? [])]).toEqual([
    1, -1, 2, 127, -128, 0,
  ]);
  expect([...(port?.dequantize([1, -128]) ?? [])]).toEqual([1 / 128, -1]);
});

test("a disposed model says so", async () => {
  const model = await load(bytes);
  model[Symbol.dispose]();
  expect(() => model.run(new Int8Array(LENGTH))).toThrow(expect.objectContaining({ code: "disposed" }));
});

test("an image is of one variant, and options must mean something", async () => {
  const image = compile(bytes, { variant: "mcu" });
  await expect(load(image, { variant: "simd" })).rejects.toMatchObject({ code: "image-variant" });
  for (const sram of [0, -1, 1.5, NaN, 2 ** 32]) {
    expect(() => compile(bytes, { sram })).toThrow(expect.objectContaining({ code: "sram" }));
  }
  expect(() => compile(bytes, { variant: "avx" as Variant })).toThrow(
    expect.objectContaining({ code: "variant" }),
  );
});

test("100,000 runs allocate nothing", () => {
  const script = fileURLToPath(new URL("allocation.mjs", import.meta.url));
  const output = execFileSync(process.execPath, ["--expose-gc", script], { encoding: "utf8" });
  const { grown, collections } = JSON.parse(output) as { grown: number; collections: number };
  // The measurement allocates a little and the engine's compiler may; the smallest object a run would be 1.6 MB.
  expect(grown).toBeLessThan(1_000_000);
  expect(collections).toBe(0);
});

test("disposing gives the memory back, although the model is still held", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const model = await load(bytes);
  const memory = ((): WeakRef<ArrayBufferLike> => new WeakRef(model.run(new Int8Array(LENGTH)).buffer))();
  model[Symbol.dispose]();
  // A weak reference holds on to its target until the turn ends.
  await setTimeout(10);
  collect();
  expect(memory.deref()).toBeUndefined();
  expect(model.outputs[0]?.length).toBe(10);
});
