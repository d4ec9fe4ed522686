import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emit, fixedPlanBytes } from "../../src/emit/emit.ts";
import { verifyImage } from "../../src/emit/image.ts";
import type { CompileOptions, Image, InputValues, Model, Report, Variant } from "../../src/index.ts";
import { compile, load, MemoryError, PASSES, provesVariant, VARIANTS } from "../../src/index.ts";
import { demandMemory } from "../../src/memory/lifetimes.ts";
import { planMemory } from "../../src/memory/planner.ts";
import { runPasses } from "../../src/passes/index.ts";
import { segmentsOf } from "../../src/schedule/segments.ts";
import type { Step } from "../../src/schedule/layers.ts";
import { programOf } from "../../src/schedule/program.ts";
import { importModel } from "../../src/tflite/import.ts";
import { BUILTIN, options as optionsOf, SAME, writeModel } from "../model-writer.ts";
import { noise } from "../passes/graphs.ts";
import { randomModel } from "../random-model.ts";
import { bias, int32, int8, named, weights } from "../written-models.ts";
import { blockModel } from "./block-model.ts";
import { joinedModel } from "./joined-model.ts";

/** A builtin without a name in BUILTIN. */
const RELU = 19;

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

const SCHEDULES: readonly CompileOptions[] = [
  { schedule: "minimum", sram: "unbounded" },
  { schedule: "minimum", sram: 2 ** 22 },
  { schedule: "minimum", sram: "unbounded", input: "streamed" },
  { schedule: "minimum", sram: "unbounded", maxRecompute: 1 },
  { schedule: "minimum", sram: "unbounded", maxRecompute: 1, input: "streamed" },
];

/** How many images have such steps. */
interface Seen {
  streams: number;
  strips: number;
  inPlace: number;
}

function note({ steps, map }: Report, seen: Seen): void {
  if (steps.some(({ op }) => op === "stream")) seen.streams++;
  if (steps.some(({ strips }) => strips !== undefined)) seen.strips++;
  // A depthwise convolution that takes its input's place makes no entry of its own.
  const made = steps.filter(({ op }) => op === "depthwiseConv2d").flatMap(({ outputs }) => outputs);
  if (made.some(({ id }) => !map.some(({ value }) => value === id))) seen.inPlace++;
}

function outputs(model: Model, seed: number): Uint8Array[] {
  const run = (first: number): Uint8Array[] => {
    const given = model.inputs.map(({ length, rows }, i): InputValues => {
      const whole = new Int8Array(noise(first + i, length).buffer);
      if (rows === undefined) return whole;
      return (row, into) => {
        into.set(whole.subarray((row * length) / rows, ((row + 1) * length) / rows));
      };
    });
    return model.run(given).map(({ buffer, byteOffset, byteLength }) => {
      return new Uint8Array(buffer, byteOffset, byteLength).slice();
    });
  };
  // Twice: nothing of the first run may show in the second.
  run(seed + 100);
  return run(seed);
}

describe.each(proved)("streams give the bits of whole layers (%s)", (variant) => {
  test.each([
    ["blocks", blockModel(), 40, 20],
    // Few of these gain by streams: mostly they show that nothing else has changed.
    ["any operators", fc.noBias(randomModel()), 40, 0],
  ] as const)("%s", async (_, arbitrary, numRuns, least) => {
    const seen: Seen = { streams: 0, strips: 0, inPlace: 0 };
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(1000), async (written, seed) => {
        const bytes = writeModel(written);
        const layers = await load(bytes, { guard: true, variant, schedule: "layer", sram: "unbounded" });
        expect(layers.report.steps.every(({ op }) => op !== "stream")).toBe(true);
        const wanted = outputs(layers, seed);
        for (const options of SCHEDULES) {
          const model = await load(bytes, { guard: true, variant, ...options });
          note(model.report, seen);
          expect(outputs(model, seed), JSON.stringify(options)).toEqual(wanted);
        }
        // What "minimum" fits, "auto" fits too; what it refuses, it tells the bytes for.
        const { ramBytes } = compile(bytes, { variant, schedule: "minimum", sram: 2 ** 22 }).report;
        expect(outputs(await load(bytes, { guard: true, variant, sram: ramBytes }), seed)).toEqual(wanted);
        const refusal = await load(bytes, { guard: true, variant, sram: ramBytes >> 1 }).catch(
          (error: unknown) => error,
        );
        expect(refusal).toBeInstanceOf(MemoryError);
        const { neededBytes = 0 } = refusal as MemoryError;
        expect(neededBytes).toBeLessThanOrEqual(ramBytes);
        expect(outputs(await load(bytes, { guard: true, variant, sram: neededBytes }), seed)).toEqual(wanted);
      }),
      { numRuns },
    );
    // The test tells something.
    expect(seen.streams).toBeGreaterThanOrEqual(least);
  });

  test("however a network is cut into steps", async () => {
    const seen: Seen = { streams: 0, strips: 0, inPlace: 0 };
    const networks = fc.oneof(
      { weight: 3, arbitrary: blockModel() },
      { weight: 1, arbitrary: randomModel() },
      { weight: 2, arbitrary: joinedModel(1) },
    );
    await fc.assert(
      fc.asyncProperty(networks, fc.nat(1000), fc.boolean(), async (written, seed, isStreamed) => {
        const bytes = writeModel(written);
        const wanted = outputs(
          await load(bytes, { guard: true, variant, schedule: "layer", sram: "unbounded" }),
          seed,
        );
        for (let cut = 0; cut < 4; cut++) {
          const image = cutAnyhow(bytes, variant, isStreamed, seed + cut);
          note(image.report, seen);
          expect(outputs(await load(image, { guard: true }), seed), `cut ${cut}`).toEqual(wanted);
        }
      }),
      { numRuns: 80 },
    );
    expect(seen.streams).toBeGreaterThan(30);
    expect(seen.strips).toBeGreaterThan(15);
    expect(seen.inPlace).toBeGreaterThan(5);
  });
});

/**
 * Steps picked at random among all that the schedule looks at, strips with any halo among them, and a plan for them, with more or fewer
 * of the copies that can be saved.
 */
function cutAnyhow(bytes: Uint8Array, variant: Variant, isStreamed: boolean, seed: number): Image {
  const saved = (["none", "runs", "channels"] as const)[seed % 3];
  const program = programOf(runPasses(importModel(bytes), PASSES), isStreamed, 0, saved);
  const packed = new Map(program.operations.map((each) => [each, each.op.pack?.(each.bound, variant)]));
  const blobs = program.operations.map((each) => packed.get(each));
  const { from } = segmentsOf(program, blobs, variant, undefined, Infinity);
  const pick = noise(seed, 4 * program.operations.length);
  const steps: Step[] = [];
  for (let at = 0, i = 0; at < from.length; i++) {
    const segments = from[at] ?? [];
    const cut = segments.filter(({ step }) => step.strips !== undefined);
    const inPlace = segments.filter(({ step }) => step.inPlace === true);
    const kind = (pick[2 * i] ?? 0) % 3;
    const choices =
      kind === 0 && cut.length > 0 ? cut : kind === 1 && inPlace.length > 0 ? inPlace : segments;
    const segment = choices[(pick[2 * i + 1] ?? 0) % choices.length];
    if (segment === undefined) throw new Error("nothing to do");
    steps.push(segment.step);
    at = segment.end;
  }
  const demand = demandMemory(program, steps, packed, variant);
  const layout = planMemory({
    ...demand,
    budget: Infinity,
    fixedPlanBytes: fixedPlanBytes(program, variant),
  });
  const image = emit({
    program,
    packed,
    steps,
    demand,
    layout,
    variant,
    budget: Infinity,
    schedule: "auto",
    cycles: 0,
  });
  verifyImage(image);
  return image;
}

test("what is made in the place of a part lies where the part does", async () => {
  const like = int8([1, 12, 5, 3]);
  const pool = { builtin: BUILTIN.maxPool2d, options: optionsOf.pool2d(SAME, 1, 3) };
  const model = named(
    { in: like, early: like, pooled: like, late: like, all: int8([1, 24, 5, 3]), out: int8([1, 24, 5, 3]) },
    [
      { ...pool, inputs: ["in"], output: "early" },
      { ...pool, inputs: ["in"], output: "pooled" },
      { builtin: RELU, inputs: ["pooled"], output: "late" },
      {
        builtin: BUILTIN.concatenation,
        inputs: ["early", "late"],
        output: "all",
        options: optionsOf.concatenation(1),
      },
      { ...pool, inputs: ["all"], output: "out" },
    ],
    ["in"],
    ["out"],
  );
  const bytes = writeModel(model);
  const wanted = outputs(await load(bytes, { schedule: "layer" }), 1);
  let streams = 0;
  for (let seed = 0; seed < 24; seed++) {
    const image = cutAnyhow(bytes, "mcu", false, seed);
    if (image.report.steps.some(({ operators }) => operators.some(({ op }, i) => op === "relu" && i > 0)))
      streams++;
    expect(outputs(await load(image), 1), `cut ${seed}`).toEqual(wanted);
  }
  expect(streams).toBeGreaterThan(3);
});

test("the fewest bytes are never more than those of whole layers, and add up", () => {
  fc.assert(
    fc.property(blockModel(), fc.constantFrom(...VARIANTS), (written, variant) => {
      const bytes = writeModel(written);
      const ram = (options: CompileOptions): number => {
        const { report } = compile(bytes, { variant, ...options });
        const { arenaBytes, scratchBytes, weightTileBytes, residentWeightBytes, planBytes, slackBytes } =
          report;
        expect(report.ramBytes).toBe(
          arenaBytes + scratchBytes + weightTileBytes + residentWeightBytes + planBytes + slackBytes,
        );
        return report.ramBytes;
      };
      const layers = ram({ schedule: "layer", sram: "unbounded" });
      const resident = ram({ schedule: "minimum", sram: "unbounded" });
      expect(resident).toBeLessThanOrEqual(layers);
      expect(ram({ schedule: "minimum", sram: "unbounded", maxRecompute: 0.5 })).toBeLessThanOrEqual(
        resident,
      );
      expect(ram({ schedule: "minimum", sram: 2 ** 22 })).toBeLessThanOrEqual(resident);
    }),
    { numRuns: 60 },
  );
});

/** Rows of an image, averaged until a number is left of each. */
const ROW_MEANS = named(
  {
    in: int8([1, 16, 8, 4]),
    w: weights([12, 3, 3, 4]),
    bias: bias(12),
    wide: int8([1, 16, 8, 12], 0.4),
    axis: int32([2]),
    columns: int8([1, 16, 12], 0.2),
    out: int8([1, 16], 0.1),
  },
  [
    {
      builtin: BUILTIN.conv2d,
      inputs: ["in", "w", "bias"],
      output: "wide",
      options: optionsOf.conv2d(SAME, 1),
    },
    { builtin: BUILTIN.mean, inputs: ["wide", "axis"], output: "columns", options: optionsOf.mean(false) },
    { builtin: BUILTIN.mean, inputs: ["columns", "axis"], output: "out", options: optionsOf.mean(false) },
  ],
  ["in"],
  ["out"],
);

test.each(proved)("a mean that leaves a matrix ends a stream, or stands behind it (%s)", async (variant) => {
  const bytes = writeModel(ROW_MEANS);
  const wanted = outputs(
    await load(bytes, { guard: true, variant, schedule: "layer", sram: "unbounded" }),
    3,
  );
  for (const options of SCHEDULES)
    expect(outputs(await load(bytes, { guard: true, variant, ...options }), 3)).toEqual(wanted);
});
