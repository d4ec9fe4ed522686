import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emit, fixedPlanBytes } from "../../src/emit/emit.ts";
import type { Image, Report } from "../../src/emit/image.ts";
import { decodeImage, encodeImage } from "../../src/emit/image-file.ts";
import { planToVerify, verifyImage } from "../../src/emit/image.ts";
import { ExecutionError } from "../../src/errors.ts";
import { byteSize, tensorOf } from "../../src/graph/graph.ts";
import { compile, load, provesVariant, VARIANTS, type Variant } from "../../src/index.ts";
import { planProgram } from "../../src/memory/search.ts";
import type { Schedule } from "../../src/plan/schedule.ts";
import { Head, Header, View } from "../../src/plan/format.ts";
import { decodeRecord, FIELDS } from "../../src/plan/record.ts";
import type { SavedCopies } from "../../src/schedule/program.ts";
import { programOf } from "../../src/schedule/program.ts";
import { importModel } from "../../src/tflite/import.ts";
import type { WrittenModel } from "../model-writer.ts";
import { writeModel } from "../model-writer.ts";
import { noise } from "../passes/graphs.ts";
import { findBreak } from "../plan/oracle.ts";
import { runGraph } from "../reference/run-graph.ts";
import { JoinedNet, joinedModel } from "./joined-model.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

/** An image whose plan saves just these copies, better or not. */
function imageOf(
  model: WrittenModel,
  saved: SavedCopies,
  variant: Variant,
  schedule: Schedule,
  budget = Infinity,
): Image {
  const program = programOf(importModel(writeModel(model)), false, 0, saved);
  const packed = new Map(program.operations.map((each) => [each, each.op.pack?.(each.bound, variant)]));
  const planned = planProgram({
    programs: [{ program, packed }],
    variant,
    schedule,
    budget,
    maxExtraMacs: 0,
    fixedPlanBytes: fixedPlanBytes(program, variant),
  });
  const image = emit({ ...planned, variant, budget, schedule });
  verifyImage(image);
  return image;
}

function operatorsOf({ report }: Image): string[] {
  return report.steps.flatMap(({ operators }) => operators.map(({ op }) => op));
}

/** Runs twice and traces, guarded; all must be as in the reference. */
async function checkRuns(image: Image, model: WrittenModel): Promise<void> {
  const graph = importModel(writeModel(model));
  const session = await load(image, { guard: true });
  for (const seed of [1, 2]) {
    const inputs = graph.inputs.map((id) => noise(seed, byteSize(tensorOf(graph, id))));
    const wanted = runGraph(graph, inputs);
    const given = inputs.map((values) => new Int8Array(values.slice().buffer));
    const outputs = session
      .run(given)
      .map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice());
    expect(outputs).toEqual(wanted.outputs);
    if (seed === 1) {
      for (const { tensor, bytes } of session.trace(given)) {
        const made = wanted.made.get(tensor.id);
        if (made !== undefined) expect(bytes, tensor.name).toEqual(made);
      }
    }
  }
}

describe.each(proved)("%s", (variant) => {
  test("any joins and splits of channels, with and without their copies, in every schedule", async () => {
    let saved = 0;
    await fc.assert(
      fc.asyncProperty(
        joinedModel(),
        fc.constantFrom<Schedule>("layer", "auto", "minimum"),
        fc.constantFrom(Infinity, 2 ** 20),
        async (model, schedule, budget) => {
          const copying = imageOf(model, "none", variant, schedule, budget);
          const viewing = imageOf(model, "channels", variant, schedule, budget);
          saved += operatorsOf(copying).length - operatorsOf(viewing).length;
          await checkRuns(copying, model);
          await checkRuns(viewing, model);
        },
      ),
      { numRuns: 40 },
    );
    expect(saved).toBeGreaterThan(40);
  });
});

/** A network of 8 × 8 pixels of 4 channels. */
function netOf(build: (net: JoinedNet) => number): WrittenModel {
  const net = new JoinedNet([1, 8, 8, 4]);
  return net.model([build(net)]);
}

test("a fire module needs its squeezed pixels and its output, not the expanded ones twice", () => {
  const fire = netOf((net) => net.fire(net.input, 4, 16));
  // Both expanded tensors and what they are joined to, against that and what both are made of.
  expect(imageOf(fire, "none", "simd", "layer").report.arenaBytes).toBe(64 * (16 + 16 + 32));
  expect(imageOf(fire, "channels", "simd", "layer").report.arenaBytes).toBe(64 * (4 + 32));
  const { report } = compile(writeModel(fire), { schedule: "layer" });
  expect(report.arenaBytes).toBe(64 * (4 + 32));
});

test("what was joined gives way to what is made of it, where nothing else lies within", () => {
  const pooled = netOf((net) => net.pool(net.fire(net.input, 4, 16), 3));
  // A row of the pool is made while the row before it is still needed: it ends where that begins, two rows further down.
  expect(imageOf(pooled, "channels", "simd", "layer").report.arenaBytes).toBe((64 + 2 * 8) * 32);
  const parted = netOf((net) => {
    const all = net.fire(net.input, 4, 16);
    return net.join([net.pool(net.cut(all, 0, 16), 3), net.pool(net.cut(all, 16, 16), 3)]);
  });
  expect(imageOf(parted, "channels", "simd", "layer").report.arenaBytes).toBe(64 * (32 + 32));
});

test("what a dense block joins again and again is made where it is to lie in the end", () => {
  const dense = netOf((net) => net.dense(net.input, 3, 4));
  const image = imageOf(dense, "channels", "mcu", "layer");
  expect(operatorsOf(image)).toEqual(Array<string>(7).fill("conv2d"));
  // 5 channels, and 4 more from each of three layers; beside them what the last layer's are made of.
  expect(image.report.arenaBytes).toBe(64 * (5 + 3 * 4 + 8));
  expect(imageOf(dense, "none", "mcu", "layer").report.arenaBytes).toBe(64 * (13 + 4 + 17));
});

test("an operator that takes apart, and one of several records, step from pixel to pixel too", async () => {
  const split = netOf((net) => {
    const [a = 0, b = 0] = net.split(net.conv(net.input, 6, 1), 2);
    return net.join([net.conv(a, 3, 1), net.depthwise(b)]);
  });
  const wide = netOf((net) => net.conv(net.cut(net.conv(net.input, 40, 1), 4, 32), 3, 3));
  const unet = netOf((net) => net.hourglass(net.input, 5, true));
  for (const variant of proved) {
    for (const [model, operators] of [
      [split, ["conv2d", "conv2d", "depthwiseConv2d"]],
      [wide, ["conv2d", "conv2d"]],
      [unet, ["conv2d", "averagePool2d", "transposeConv"]],
    ] as const) {
      const viewing = imageOf(model, "channels", variant, "layer");
      expect(operatorsOf(viewing)).toEqual(operators);
      const input = new Int8Array(noise(5, 256).buffer);
      const [wanted, found] = await Promise.all(
        [imageOf(model, "none", variant, "layer"), viewing].map(async (image) =>
          (await load(image, { guard: true })).run(input),
        ),
      );
      expect(found).toEqual(wanted);
    }
  }
});

/** Builtins that have no name in BUILTIN. */
const RELU = 19;
const QUANTIZE = 114;

test.each<[string, (net: JoinedNet) => number]>([
  [
    "who makes a part knows no pixels",
    (net) => net.join([net.pool(net.input, 3), net.unary(RELU, net.input)]),
  ],
  [
    "who reads a part knows no pixels",
    (net) => {
      const part = net.conv(net.input, 4, 1);
      return net.join([net.unary(QUANTIZE, part), net.join([part, net.pool(net.input, 3)])]);
    },
  ],
  [
    "who makes a part sees other pixels",
    (net) => {
      const part = net.reshape(net.conv(net.input, 4, 1), [1, 8, 4, 8]);
      return net.join([part, net.reshape(net.conv(net.input, 4, 1), [1, 8, 4, 8])]);
    },
  ],
  ["columns", (net) => net.join([net.pool(net.input, 3), net.pool(net.input, 2)], 2)],
  [
    "a kernel of several rows reads few channels",
    (net) => net.conv(net.cut(net.conv(net.input, 40, 1), 4, 31), 3, 3),
  ],
  [
    "one part is made of another",
    (net) => {
      const part = net.conv(net.input, 4, 1);
      return net.join([part, net.conv(part, 4, 1)]);
    },
  ],
])("copies stay: %s", (_, build) => {
  const model = netOf(build);
  const image = imageOf(model, "channels", "mcu", "layer");
  expect(operatorsOf(image)).toEqual(operatorsOf(imageOf(model, "none", "mcu", "layer")));
});

/** The words of a view that say where pixels are, by what they may be changed. */
const LIES: readonly (readonly [View, readonly number[]])[] = [
  [View.pixelBytes, [-32, -16, -5, -1, 1, 4, 16, 2 ** 20]],
  [View.rowBytes, [-32, -1, 1, 32, 288, 2 ** 20]],
  [View.address, [-64, -16, -1, 1, 3, 16, 2 ** 20]],
  [View.width, [-1, 1]],
];

test("an image whose pitch lies is refused, or does no harm where it is read by", () => {
  const seen = { written: 0, read: 0 };
  for (const variant of ["mcu", "simd"] as const) {
    const image = imageOf(
      netOf((net) => net.branches(net.fire(net.input, 4, 15), 3, 4)),
      "channels",
      variant,
      "layer",
    );
    const words = new Int32Array(image.sram.slice().buffer);
    for (let at: number = Header.words, op = ""; op !== "end"; at += words[at + Head.words] ?? 0) {
      const record = decodeRecord(words, at);
      op = record?.op ?? "end";
      if (record === undefined || !("outputView" in record)) continue;
      const fields = FIELDS[record.op] as unknown as Record<string, number>;
      for (const name of ["inputView", "outputView"] as const) {
        if (record[name].pixelBytes === record[name].channels) continue;
        for (const [word, changes] of LIES) {
          for (const change of changes) {
            const changed = { ...image, sram: image.sram.slice() };
            const index = at + (fields[name] ?? 0) + word;
            new Int32Array(changed.sram.buffer)[index] = (words[index] ?? 0) + change;
            const what = `${variant} record ${at} ${name} word ${word} by ${change}`;
            if (name === "outputView") {
              expect(isAccepted(changed), what).toBe(false);
              seen.written++;
            } else if (isAccepted(changed)) {
              expect(findBreak(planToVerify(changed)), what).toBeUndefined();
            } else seen.read++;
          }
        }
      }
    }
  }
  expect(seen.written).toBeGreaterThan(100);
  expect(seen.read).toBeGreaterThan(40);
});

function isAccepted(image: Image): boolean {
  try {
    verifyImage(image);
    return true;
  } catch (error) {
    if (!(error instanceof ExecutionError)) throw error;
    return false;
  }
}

test.each([
  ["further apart than memory reaches", { bytes: 16, step: 2 ** 20 }],
  ["closer than they are wide", { bytes: 16, step: 15 }],
  ["not of whole pixels", { bytes: 15, step: 32 }],
  ["of no bytes", { bytes: 0, step: 32 }],
  ["of fractions", { bytes: 0.5, step: 32 }],
  ["none", 7],
])("a file whose traced pixels are %s is refused", (_, pixels) => {
  const image = imageOf(
    netOf((net) => net.fire(net.input, 4, 16)),
    "channels",
    "simd",
    "layer",
  );
  const { report } = image;
  expect(report.steps.flatMap(({ outputs }) => outputs.flatMap(({ pixels = [] }) => pixels))).toEqual([
    { bytes: 16, step: 32 },
    { bytes: 16, step: 32 },
  ]);
  const steps = report.steps.map((step) => ({
    ...step,
    outputs: step.outputs.map((output) => (output.pixels === undefined ? output : { ...output, pixels })),
  }));
  const file = encodeImage({ ...image, report: { ...report, steps } as Report });
  expect(() => decodeImage(file)).toThrow(
    expect.objectContaining({ name: "ExecutionError", code: "image-damaged" }) as Error,
  );
});
