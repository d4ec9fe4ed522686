import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import type { CompileOptions, Image, InputValues, Model, Variant } from "../../src/index.ts";
import { compile, MemoryError } from "../../src/index.ts";
import { Header } from "../../src/plan/format.ts";
import { writeModel } from "../model-writer.ts";
import { noise } from "../passes/graphs.ts";
import { blockModel } from "../schedule/block-model.ts";
import { joinedModel } from "../schedule/joined-model.ts";
import { hasShared, modelBytes } from "../shared.ts";
import { startWatched } from "../watched.ts";

function inputsOf(model: Model): InputValues[] {
  return model.inputs.map(({ length, rows, type }, i): InputValues => {
    const values = new Int8Array(noise(7 + i, length).buffer);
    const whole = type === "int8" ? values : Float32Array.from(values, (x) => x / 64);
    if (rows === undefined) return whole;
    return (row, into) => {
      into.set(whole.subarray((row * length) / rows, ((row + 1) * length) / rows));
    };
  });
}

/** Bytes [begin, end) that must keep their content until step `index` runs. */
function liveBefore({ report, inputs, states }: Image, index: number): [number, number][] {
  const given = new Set([...inputs, ...states].map(({ value }) => value));
  return report.map
    .filter(({ kind, value, firstStep, lastStep }) => {
      const isThere = firstStep < index || (value !== undefined && given.has(value));
      return kind === "activation" && isThere && lastStep >= index;
    })
    .map(({ address, bytes }) => [address, address + bytes]);
}

/** The outputs as they are stored. */
function stored({ outputs }: Image, memory: Uint8Array): Uint8Array[] {
  return outputs.map(({ address, shape, storedType }) => {
    const bytes = shape.reduce((a, b) => a * b, storedType === "float32" ? 4 : 1);
    return memory.slice(address, address + bytes);
  });
}

/** Everything but header, plan, resident weights and what is alive becomes `pattern`. */
function poison(image: Image, memory: Uint8Array, index: number, pattern: number): void {
  const alive = liveBefore(image, index);
  const kept = alive.map(([begin, end]) => memory.slice(begin, end));
  memory.fill(pattern, image.sram.length);
  for (const [i, [begin]] of alive.entries()) memory.set(kept[i] ?? [], begin);
}

const OPTIONS: readonly (readonly [string, CompileOptions])[] = [
  ["layers", { schedule: "layer", sram: "unbounded" }],
  ["layers, weights in tiles", { schedule: "layer", sram: 96 * 1024 }],
  ["auto in 64 KiB", { sram: 64 * 1024 }],
  ["minimum, weights resident", { schedule: "minimum", sram: "unbounded" }],
  ["minimum, weights streamed", { schedule: "minimum", sram: 2 ** 20 }],
  ["minimum, rows of input", { schedule: "minimum", sram: "unbounded", input: "streamed" }],
  ["minimum, in strips", { schedule: "minimum", sram: "unbounded", input: "streamed", maxRecompute: 0.2 }],
];

const MODELS = [
  ["a generated network", () => depthwiseNet(3)],
  ...(hasShared
    ? ["kws_dscnn_int8", "ic_resnet8_int8", "person_detect_int8", "mcunet_vww", "mnist_lstm_int8"].map(
        (name) => [name, () => modelBytes(name)] as const,
      )
    : []),
] as const;

/** Runs with all that is not alive overwritten before each step, and answers how many different bytes its outputs have. */
async function checkPoisoned(image: Image): Promise<number> {
  const { report } = image;
  const { model, memory } = await startWatched(image);
  const inputs = inputsOf(model);
  model.run(inputs);
  const wanted = stored(image, memory);

  const before = memory.slice(0, image.sram.length);
  const arena = new DataView(image.sram.buffer).getUint32(4 * Header.arenaAddress, true);
  const end = report.ramBytes - report.slackBytes;
  const touched = new Uint8Array(memory.length);
  for (const pattern of [0xa5, 0x5a]) {
    // Inputs are copied in before the first step, so what is overwritten before it is overwritten first.
    memory.fill(pattern, image.sram.length);
    model.reset();
    let previous: Uint8Array | undefined;
    const compare = (): void => {
      if (previous === undefined) return;
      for (let i = image.sram.length; i < memory.length; i++) if (memory[i] !== previous[i]) touched[i] = 1;
    };
    model.runSteps(inputs, (step) => {
      compare();
      if (step + 1 < report.steps.length) poison(image, memory, step + 1, pattern);
      previous = memory.slice();
    });
    expect(stored(image, memory)).toEqual(wanted);
  }
  expect(memory.subarray(0, image.sram.length)).toEqual(before);
  // High water: what steps after the first have written lies in the arena, and reaches where the report says.
  if (touched.includes(1)) expect(touched.indexOf(1)).toBeGreaterThanOrEqual(arena);
  expect(touched.lastIndexOf(1) + 1).toBeLessThanOrEqual(end);
  return new Set(wanted.flatMap((output) => [...output])).size;
}

describe.each(MODELS)("%s, all that is not alive overwritten before each step", (_, bytesOf) => {
  describe.each(["mcu", "simd"] as const satisfies Variant[])("%s", (variant) => {
    test.each(OPTIONS)("%s", async (_, options) => {
      expect(await checkPoisoned(compile(bytesOf(), { variant, ...options }))).toBeGreaterThan(1);
    });
  });
});

/** In more memory than `options` have, where that is what the model needs. */
function compileSomehow(bytes: Uint8Array, options: CompileOptions): Image {
  try {
    return compile(bytes, options);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    return compile(bytes, { ...options, sram: error.neededBytes ?? NaN });
  }
}

test("any network, all that is not alive overwritten before each step", async () => {
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 3, arbitrary: blockModel() }, { weight: 1, arbitrary: joinedModel(1) }),
      fc.constantFrom<Variant>("mcu", "simd"),
      fc.constantFrom(...OPTIONS),
      async (model, variant, [, options]) => {
        const image = compileSomehow(writeModel(model), { variant, ...options });
        steps += image.report.steps.length;
        await checkPoisoned(image);
      },
    ),
    { numRuns: 80 },
  );
  expect(steps).toBeGreaterThan(160);
});

/** Bytes that a run writes, of the arena, found with two patterns. */
async function highWater(image: Image): Promise<{ used: number; reserved: number }> {
  const { model, memory } = await startWatched(image);
  const inputs = inputsOf(model);
  const arena = new DataView(image.sram.buffer).getUint32(4 * Header.arenaAddress, true);
  const touched = new Uint8Array(memory.length);
  for (const pattern of [0xa5, 0x5a]) {
    memory.fill(pattern, image.sram.length);
    model.reset();
    model.run(inputs);
    for (let i = image.sram.length; i < memory.length; i++) if (memory[i] !== pattern) touched[i] = 1;
  }
  return {
    used: touched.lastIndexOf(1) + 1 - arena,
    reserved: image.report.ramBytes - image.report.slackBytes - arena,
  };
}

/** What scratch is rounded up by. */
const TAIL = 48;

test.each(MODELS)("%s reaches as far as the report says, and no further", async (_, bytesOf) => {
  for (const variant of ["mcu", "simd"] as const) {
    for (const [title, options] of OPTIONS) {
      const { used, reserved } = await highWater(compile(bytesOf(), { variant, ...options }));
      expect(used, `${variant}, ${title}`).toBeLessThanOrEqual(reserved);
      // Strips have the scratch of whole rows.
      if (options.maxRecompute !== undefined) continue;
      expect(used, `${variant}, ${title}`).toBeGreaterThanOrEqual(reserved - TAIL);
    }
  }
});
