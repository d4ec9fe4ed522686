import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import type { Model, Variant } from "../../src/index.ts";
import { compile, decodeImage, encodeImage, load, provesVariant, VARIANTS } from "../../src/index.ts";
import { Header, SLACK_BYTES } from "../../src/plan/format.ts";
import { BUILTIN, options, writeModel } from "../model-writer.ts";
import { int8Values } from "../ops/node.ts";
import { resizable } from "../resizable.ts";
import { startWatched } from "../watched.ts";
import { float32, int8, named, svdfInputs, svdfTensors } from "../written-models.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

const bytes = depthwiseNet(3);
const LENGTH = 32 * 32 * 3;

describe.each(proved)("a session in %s", (variant) => {
  test("guarded, notices a change of any byte but the arena's, in a run and in a trace", async () => {
    const image = compile(bytes, { variant });
    const { model, memory } = await startWatched(image, { guard: true });
    const input = int8Values(1, LENGTH);
    const arena = new Uint32Array(image.sram.slice(0, 4 * Header.words).buffer)[Header.arenaAddress] ?? 0;
    const above = image.report.ramBytes - SLACK_BYTES;
    expect(image.sram.length).toBe(arena);
    const answer = [...model.run(input)];
    for (const at of [0, 4 * Header.words - 1, arena - 1, above, memory.length - 1]) {
      const right = memory[at] ?? 0;
      memory[at] = right ^ 1;
      const damaged = expect.objectContaining({ code: "memory-damaged" }) as Error;
      expect(() => model.run(input), `byte ${at}`).toThrow(damaged);
      expect(() => [...model.trace(input)], `byte ${at}`).toThrow(damaged);
      memory[at] = right;
      expect([...model.run(input)]).toEqual(answer);
    }
    memory[arena] = (memory[arena] ?? 0) ^ 1;
    memory[above - 1] = (memory[above - 1] ?? 0) ^ 1;
    expect([...model.run(input)]).toEqual(answer);
  });

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
  const buffer = resizable(LENGTH);
  const shrunk = new Int8Array(buffer, 0, LENGTH);
  buffer.resize(8);
  const wrong: unknown[] = [
    new Int8Array(LENGTH - 1),
    new Uint8Array(LENGTH),
    new Float32Array(LENGTH),
    new Int8Array(LENGTH + 1),
    new Int8Array(resizable(LENGTH), 0, LENGTH - 8),
    new DataView(new ArrayBuffer(LENGTH)),
    detached,
    shrunk,
  ];
  for (const input of wrong) {
    expect(() => model.run(input as Int8Array)).toThrow(expect.objectContaining({ code: "input-mismatch" }));
  }
  for (const input of [detached, shrunk]) expect(() => model.run(input)).toThrow(/transferred.*resized/);
  expect([...model.run(new Int8Array(resizable(LENGTH)))]).toEqual(wanted);
  expect(() => model.run(Array(LENGTH).fill(0) as unknown as Int8Array)).toThrow(/plain array.*Int8Array of/);
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
  const values = [0.5 / 128, -0.5 / 128, 1.5 / 128, 9, -9, NaN, Infinity, -Infinity, 1e300, -0];
  expect([...(port?.quantize(values) ?? [])]).toEqual([1, -1, 2, 127, -128, 0, 127, -128, 127, 0]);
  expect([...(port?.dequantize([1, -128]) ?? [])]).toEqual([1 / 128, -1]);
});

/** The host quantises its input and dequantises its output, but for `passes: []`. */
const BORDER = named(
  {
    in: float32([9]),
    quantized: int8([9]),
    more: int8([9], 0.1, 3),
    out: float32([9]),
  },
  [
    { builtin: BUILTIN.quantize, inputs: ["in"], output: "quantized" },
    {
      builtin: BUILTIN.add,
      inputs: ["quantized", "quantized"],
      output: "more",
      options: options.elementwise(),
    },
    { builtin: BUILTIN.dequantize, inputs: ["more"], output: "out" },
  ],
  ["in"],
  ["out"],
);

test("floats that are no numbers are quantised alike by the host and by the kernels", async () => {
  const model = writeModel(BORDER);
  const values = Float32Array.of(NaN, Infinity, -Infinity, 1e38, -1e38, 1e-45, -0, 0.075, -0.075);
  const byHost = await load(model);
  const byKernels = await load(model, { passes: [] });
  expect([byHost, byKernels].map(({ report }) => report.steps.length)).toEqual([1, 3]);
  // Zero point 3 of scale 0.05; the sum has scale 0.1, so that it is the same number, times 0.1 less the zero point.
  const wanted = [3, 127, -128, 127, -128, 3, 3, 5, 1].map((value) => Math.fround(0.1) * (value - 3));
  expect([...byHost.run(values)]).toEqual([...Float32Array.from(wanted)]);
  expect([...byKernels.run(values)]).toEqual([...Float32Array.from(wanted)]);
});

/** Three float inputs, of whose sum a state remembers something. */
const REMEMBERED = named(
  {
    ...{ a: float32([1, 2400]), b: float32([1, 2400]), c: float32([1, 2400]) },
    ...{ qa: int8([1, 2400]), qb: int8([1, 2400]), qc: int8([1, 2400]) },
    ...{ ab: int8([1, 2400], 0.1), sum: int8([1, 2400], 0.1) },
    ...svdfTensors("s", 2400, 3, 40),
    out: int8([1, 3], 2, 2),
  },
  [
    { builtin: BUILTIN.quantize, inputs: ["a"], output: "qa" },
    { builtin: BUILTIN.quantize, inputs: ["b"], output: "qb" },
    { builtin: BUILTIN.quantize, inputs: ["c"], output: "qc" },
    { builtin: BUILTIN.add, inputs: ["qa", "qb"], output: "ab", options: options.elementwise() },
    { builtin: BUILTIN.add, inputs: ["ab", "qc"], output: "sum", options: options.elementwise() },
    { builtin: BUILTIN.svdf, inputs: svdfInputs("s", "sum"), output: "out", options: options.svdf(2, 1) },
  ],
  ["a", "b", "c"],
  ["out"],
);

test("floats on their way in touch no other input and no state", async () => {
  for (const variant of proved) {
    for (const schedule of ["auto", "minimum"] as const) {
      const byHost = await load(writeModel(REMEMBERED), { variant, schedule });
      const byKernels = await load(writeModel(REMEMBERED), { variant, schedule, passes: [] });
      const answers = new Set<string>();
      for (let run = 0; run < 50; run++) {
        const inputs = [1, 2, 3].map((i) =>
          Float32Array.from(int8Values(10 * run + i, 2400), (value) => value / 20),
        );
        const answer = [...(byHost.run(inputs)[0] ?? [])];
        expect(answer).toEqual([...(byKernels.run(inputs)[0] ?? [])]);
        answers.add(answer.join());
      }
      expect(answers.size).toBeGreaterThan(20);
    }
  }
});

test("an output of floats that was transferred to elsewhere is there again after the next run", async () => {
  const model = await load(writeModel(BORDER));
  const input = Float32Array.from({ length: 9 }, (_, i) => i / 10);
  const first = model.run(input);
  const wanted = [...first];
  structuredClone(first.buffer, { transfer: [first.buffer as ArrayBuffer] });
  expect(first.length).toBe(0);
  expect([...model.run(input)]).toEqual(wanted);
  expect(model.run(input)).toBe(model.run(input));
});

test("an engine that has no room for another model says so, and what to do", () => {
  const script = fileURLToPath(new URL("memory-limit.mjs", import.meta.url));
  const output = execFileSync(process.execPath, [script], { encoding: "utf8" });
  const { name, code, message } = JSON.parse(output) as Record<string, string>;
  expect(name).toBe("MemoryError");
  expect(code).toBe("engine-memory");
  expect(message).toMatch(/drop models that are no longer used/);
});

describe("a trace", () => {
  const input = int8Values(8, LENGTH);
  const interruptions: readonly (readonly [string, (model: Model) => void])[] = [
    ["run", (model) => void model.run(new Int8Array(LENGTH))],
    [
      "run by steps",
      (model) => {
        model.runSteps(new Int8Array(LENGTH), () => undefined);
      },
    ],
    ["traced", (model) => void model.trace(new Int8Array(LENGTH)).next()],
    [
      "reset",
      (model) => {
        model.reset();
      },
    ],
  ];

  test.each(interruptions)("of a model that is %s in between says so", async (_, interrupt) => {
    const model = await load(bytes);
    const trace = model.trace(input);
    expect(trace.next().done).toBe(false);
    interrupt(model);
    expect(() => trace.next()).toThrow(
      expect.objectContaining({ name: "InputError", code: "trace-interrupted" }),
    );
  });

  test("goes on after a run that was refused, not after the model was disposed", async () => {
    const model = await load(bytes);
    const wanted = [...model.trace(input)].map(({ bytes }) => bytes);
    const seen: Uint8Array[] = [];
    for (const { bytes } of model.trace(input)) {
      seen.push(bytes);
      expect(() => model.run(new Int8Array(1))).toThrow(/input/);
    }
    expect(seen).toEqual(wanted);
    const trace = model.trace(input);
    trace.next();
    model[Symbol.dispose]();
    expect(() => trace.next()).toThrow(expect.objectContaining({ code: "disposed" }));
  });
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

test.each([false, true])(
  "disposing gives the memory back, although the model is still held (guard: %s)",
  async (guard) => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const model = await load(bytes, { guard });
    const memory = ((): WeakRef<ArrayBufferLike> => new WeakRef(model.run(new Int8Array(LENGTH)).buffer))();
    model[Symbol.dispose]();
    // A weak reference holds on to its target until the turn ends.
    await setTimeout(10);
    collect();
    expect(memory.deref()).toBeUndefined();
    expect(model.outputs[0]?.length).toBe(10);
  },
);
