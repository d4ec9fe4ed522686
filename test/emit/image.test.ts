import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import { compile } from "../../src/compile.ts";
import type { Image } from "../../src/emit/image.ts";
import { decodeImage, encodeImage, isImageFile } from "../../src/emit/image-file.ts";
import type { ThimbleError } from "../../src/errors.ts";
import { ExecutionError, InputError } from "../../src/errors.ts";
import { crc32 } from "../../src/plan/crc32.ts";
import { FetchField, Head, Header, Op } from "../../src/plan/format.ts";
import { align } from "../../src/plan/packing.ts";
import { encodePortTable, PortWord } from "../../src/plan/port-table.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
import type { TensorArray } from "../../src/plan/arrays.ts";
import type { Model } from "../../src/runtime/session.ts";
import { inlineKernels } from "../../src/runtime/inline-kernels.ts";
import { startSession } from "../../src/runtime/session.ts";
import { provesVariant } from "../../src/runtime/index.ts";
import { writeModel } from "../model-writer.ts";
import { noise } from "../passes/graphs.ts";
import { ONE_OPERATOR, OPERATOR_NAMES, RESIDUAL } from "../written-models.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

const HEADER_BYTES = 48;
const METADATA_BYTES = 16;

/** The file with its checksum as it should be, so that what was changed is looked at. */
function sealed(file: Uint8Array): Uint8Array {
  new DataView(file.buffer).setUint32(12, crc32(file.subarray(16)), true);
  return file;
}

/** The file with its description changed. */
function described(image: Image, change: (description: Description) => void): Uint8Array {
  const description = structuredClone({
    inputs: image.inputs,
    outputs: image.outputs,
    states: image.states,
    report: image.report,
  }) as unknown as Description;
  change(description);
  return encodeImage({ ...image, ...(description as unknown as Image) });
}

interface Description {
  inputs: Record<string, unknown>[];
  outputs: Record<string, unknown>[];
  states: Record<string, unknown>[];
  report: Record<string, unknown> & {
    steps: (Record<string, unknown> & { outputs: Record<string, unknown>[] })[];
  };
}

function inputsOf(model: Model, seed: number): TensorArray[] {
  return model.inputs.map(({ type, length }, i) => {
    const values = new Int8Array(noise(seed + i, length).buffer);
    return type === "int8" ? values : Float32Array.from(values, (x) => x * 0.03);
  });
}

/** Runs an image, and traces it: all that a loaded image may be asked to do. */
async function answers(image: Image): Promise<{ outputs: TensorArray[]; trace: Uint8Array[] }> {
  const model = await startSession(inlineKernels, image);
  const inputs = inputsOf(model, 7);
  const outputs = model.run(inputs).map((output) => output.slice());
  const trace = [...model.trace(inputs)].map(({ bytes }) => bytes);
  return { outputs, trace };
}

/** An image that is damaged, or what does not even begin as one. */
function isRefusal(error: unknown, file: Uint8Array): error is ThimbleError {
  if (isImageFile(file)) return error instanceof ExecutionError;
  return error instanceof InputError && error.code === "not-an-image";
}

function refused(file: Uint8Array): ThimbleError {
  try {
    decodeImage(file);
  } catch (error) {
    if (isRefusal(error, file)) return error;
    throw error;
  }
  throw new Error("the file was accepted");
}

describe.each(proved)("%s", (variant) => {
  test.each(OPERATOR_NAMES)("%s is the same in a file", async (name) => {
    const image = compile(writeModel(ONE_OPERATOR[name]), { variant });
    const decoded = decodeImage(encodeImage(image));
    expect(decoded).toEqual(image);
    expect(await answers(decoded)).toEqual(await answers(image));
  });

  test("networks are the same in a file, with weights in flash and in SRAM", async () => {
    for (const bytes of [writeModel(RESIDUAL), depthwiseNet(5)]) {
      for (const sram of [24 * 1024, "unbounded"] as const) {
        const image = compile(bytes, { variant, sram, name: "名前 \u2028 \ud800" });
        const decoded = decodeImage(encodeImage(image));
        expect(decoded).toEqual(image);
        expect(await answers(decoded)).toEqual(await answers(image));
      }
    }
  });
});

const image = compile(writeModel(RESIDUAL), { sram: 2 ** 16, schedule: "minimum" });
const file = encodeImage(image);

test("the image in these tests has weights in flash", () => {
  expect(image.flash.length).toBeGreaterThan(0);
});

test("a file may lie anywhere, and may change afterwards", () => {
  const larger = Buffer.alloc(file.length + 32, 0x77);
  larger.set(file, 5);
  const view = larger.subarray(5, 5 + file.length);
  expect(isImageFile(view)).toBe(true);
  const decoded = decodeImage(view);
  larger.fill(0);
  expect(decoded).toEqual(image);
});

describe("files that are not as they were written are refused", () => {
  test("every truncation", () => {
    for (let length = 0; length < file.length; length += length < 64 ? 1 : 13) refused(file.slice(0, length));
    for (let cut = 1; cut < 64; cut++) refused(file.slice(0, -cut));
    // Not even if the checksum is right.
    for (let length = HEADER_BYTES; length < file.length; length += 97)
      refused(sealed(file.slice(0, length)));
  });

  test("bytes behind it", () => {
    refused(Uint8Array.of(...file, 0));
  });

  test("any byte changed", () => {
    fc.assert(
      fc.property(fc.noBias(fc.nat(file.length - 1)), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const copy = file.slice();
        copy[at] = (copy[at] ?? 0) ^ flip;
        refused(copy);
      }),
      { numRuns: 1000 },
    );
  });

  test("another version says so", () => {
    const copy = file.slice();
    new DataView(copy.buffer).setUint32(4, 999, true);
    expect(refused(copy).code).toBe("image-version");
  });

  test("another variant than its plan's", () => {
    const copy = file.slice();
    for (const [variant, code] of [
      [0, "image-damaged"],
      [7, "image-damaged"],
    ] as const) {
      new DataView(copy.buffer).setUint32(8, variant, true);
      expect(refused(copy).code).toBe(code);
    }
  });

  test("section lengths that contradict the file", () => {
    for (let section = 0; section < 4; section++) {
      for (const length of [0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]) {
        const copy = file.slice();
        new DataView(copy.buffer).setUint32(METADATA_BYTES + 4 * section, length, true);
        refused(sealed(copy));
      }
    }
  });
});

describe("files whose checksum is right, but not what they say", () => {
  test("a description that is no JSON, or of something else", () => {
    const { inputs, outputs, report } = image;
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      "1",
      '"x"',
      "{}",
      '{"report":null}',
      '{"report":[]}',
      JSON.stringify({ inputs, outputs }),
      JSON.stringify({ inputs: {}, outputs, report }),
      JSON.stringify({ inputs, outputs: 1, report }),
      JSON.stringify({ inputs: [null], outputs, report }),
      JSON.stringify({ inputs, outputs, report: { ...report, variant: "mcu" } }),
      JSON.stringify({ inputs, outputs, report: { ...report, steps: 3 } }),
      JSON.stringify({ inputs, outputs, report: { ...report, steps: [null] } }),
      JSON.stringify({ inputs, outputs, report: { ...report, steps: [{ endRecord: 0, outputs: [1] }] } }),
      JSON.stringify({ inputs, outputs, report: { ...report, ramBytes: report.ramBytes + 1 } }),
      JSON.stringify({ inputs, outputs, report: { ...report, ramBytes: 1e300 } }),
      "[".repeat(100_000),
    ]) {
      refused(withDescription(text));
    }
  });

  function withDescription(text: string): Uint8Array {
    const before = new DataView(file.buffer).getUint32(METADATA_BYTES, true);
    const rest = file.subarray(HEADER_BYTES + Math.ceil(before / 16) * 16);
    const behind = HEADER_BYTES + Math.ceil(text.length / 16) * 16;
    const copy = new Uint8Array(behind + rest.length);
    copy.set(file.subarray(0, HEADER_BYTES));
    for (let i = 0; i < text.length; i++) copy[HEADER_BYTES + i] = text.charCodeAt(i);
    copy.set(rest, behind);
    new DataView(copy.buffer).setUint32(METADATA_BYTES, text.length, true);
    return sealed(copy);
  }

  const [input, output, other] = [image.inputs[0], image.outputs[0], image.outputs[1]];
  const large = 2 ** 31 - 1;
  test.each<[string, "inputs" | "outputs", object]>([
    ["an input outside of memory", "inputs", { address: large }],
    ["an input in the plan", "inputs", { address: 64 }],
    ["an input moved by a byte", "inputs", { address: (input?.address ?? 0) + 1 }],
    ["an output moved by a byte", "outputs", { address: (output?.address ?? 0) - 1 }],
    ["an input of another shape", "inputs", { shape: [4] }],
    ["an input of 2^93 elements", "inputs", { shape: [large, large, large] }],
    ["an input of fractions", "inputs", { shape: [0.5] }],
    ["a larger output", "outputs", { shape: [1, 600] }],
    ["an output of type int16", "outputs", { type: "int16" }],
    ["an output stored as float32", "outputs", { storedType: "float32" }],
    ["an output of value −1", "outputs", { value: -1 }],
    ["an output that is another value", "outputs", { value: other?.value }],
    ["a name that is no text", "outputs", { name: { toString: 1 } }],
    ["a scale that is no number", "inputs", { scale: "1" }],
  ])("%s", (_, side, fields) => {
    refused(described(image, (description) => void Object.assign(description[side][0] ?? {}, fields)));
  });

  test("an input that comes in rows, but has a place, and an output that comes in rows", () => {
    const streamed = compile(writeModel(RESIDUAL), { input: "streamed" });
    const rows = streamed.inputs[0]?.rows;
    expect(rows).toBeGreaterThan(1);
    refused(described(streamed, ({ inputs }) => void Object.assign(inputs[0] ?? {}, { address: 2 ** 30 })));
    refused(described(streamed, ({ outputs }) => void Object.assign(outputs[0] ?? {}, { rows: 1 })));
  });

  test("a port table that contradicts the description", () => {
    const table = encodePortTable(image.inputs, image.outputs, image.states);
    const copy = Uint8Array.from(file);
    const at = file.length - align(table.length, 16) + 4 * (3 + PortWord.address);
    expect(new DataView(file.buffer).getUint32(at, true)).toBe(image.inputs[0]?.address);
    copy[at] = (copy[at] ?? 0) ^ 16;
    expect(refused(sealed(copy)).message).toContain("table of inputs and outputs");
  });

  test("a further input of float32 between words", () => {
    const address = (output?.address ?? 0) + 1;
    const further = { ...input, type: "float32", storedType: "float32", shape: [1], value: 1000, address };
    expect(output?.address).not.toBe(input?.address);
    refused(described(image, ({ inputs }) => void inputs.unshift(further)));
  });

  const { steps, planBytes } = image.report;
  test.each<[string, number, number]>([
    ["outside the plan", steps.length - 1, 2 ** 30],
    ["within a record", 0, (steps[0]?.endRecord ?? 0) - 4],
    ["in the weights", steps.length - 1, planBytes + 64],
    ["before the step before it", 2, steps[0]?.endRecord ?? 0],
  ])("a step that ends %s", (_, step, endRecord) => {
    refused(described(image, ({ report }) => void Object.assign(report.steps[step] ?? {}, { endRecord })));
  });

  test.each([{ address: large }, { bytes: large }])("a traced tensor outside of memory: %j", (fields) => {
    refused(described(image, ({ report }) => void Object.assign(report.steps[0]?.outputs[0] ?? {}, fields)));
  });

  test("channels that a traced tensor lacks, and does not", () => {
    const tensor = image.report.steps[0]?.outputs[0];
    if (tensor === undefined) throw new Error("nothing is traced");
    const channels = tensor.shape.at(-1) ?? 0;
    const more = (shape: readonly number[], constants: unknown): Uint8Array =>
      described(
        image,
        ({ report }) => void Object.assign(report.steps[0]?.outputs[0] ?? {}, { shape, constants }),
      );
    const wider = [...tensor.shape.slice(0, -1), channels + 2];
    const one = [channels + 1, -128];
    expect(decodeImage(more(wider, [[0, 127], one]))).toBeDefined();
    for (const constants of [
      [one],
      [one, [0, 127]],
      [
        [0, 1],
        [0, 1],
      ],
      [[-1, 1], one],
      [
        [0, 1],
        [channels + 2, 1],
      ],
      [[0, 128], one],
      [[0, 0.5], one],
      [[0], one],
      [0, one],
      { length: 2 },
    ]) {
      refused(more(wider, constants));
    }
    refused(more([2 ** 20, ...wider], [[0, 127], one]));
    refused(more([], []));
  });

  test("fetches of several lengths from one place in flash", async () => {
    const copy = file.slice();
    const view = new DataView(copy.buffer);
    const [END, FETCH]: number[] = [Op.end, Op.fetch];
    const lengths = new Set<number>();
    let at = sramBegin() + 4 * Header.words;
    for (; view.getInt32(at, true) !== END; at += 4 * view.getInt32(at + 4 * Head.words, true)) {
      if (view.getInt32(at, true) !== FETCH) continue;
      lengths.add(view.getInt32(at + 4 * FetchField.bytes, true));
      view.setInt32(at + 4 * FetchField.source, 0, true);
    }
    expect(lengths.size).toBeGreaterThan(1);
    await answers(decodeImage(sealed(copy)));
  });

  /** Where the SRAM section begins in the file: it, flash and operands are at the end, each a multiple of 16 bytes. */
  function sramBegin(): number {
    const ports = encodePortTable(image.inputs, image.outputs, image.states);
    const sections = [image.sram.length, image.flash.length, 4 * image.operands.length, ports.length];
    return file.length - sections.reduce((sum, bytes) => sum + align(bytes, 16), 0);
  }

  test("any word changed: refused, or a model that runs", async () => {
    const sram = sramBegin();
    const changes = fc.tuple(
      fc.oneof(
        fc.noBias(fc.integer({ min: HEADER_BYTES, max: file.length - 4 })),
        // Mostly where the records are.
        fc.noBias(fc.integer({ min: sram, max: sram + image.report.planBytes })),
      ),
      fc.oneof(
        fc.integer(),
        fc.integer({ min: -8, max: 8 }),
        fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 0x10000),
      ),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(changes, async ([at, value, add]) => {
        const copy = file.slice();
        const view = new DataView(copy.buffer);
        const aligned = at & ~3;
        view.setInt32(aligned, add ? view.getInt32(aligned, true) + value : value, true);
        let decoded: Image;
        try {
          decoded = decodeImage(sealed(copy));
        } catch (error) {
          if (error instanceof ExecutionError) return;
          throw error;
        }
        await answers(decoded);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["int8", image],
    ["float32", compile(writeModel(ONE_OPERATOR.quantize), { passes: [] })],
    ["with state", compile(writeModel(ONE_OPERATOR.unidirectionalSequenceLstm))],
    ["float32 in part", compile(writeModel(ONE_OPERATOR.dequantize))],
  ])("any number of the description changed, %s: refused, or a model that runs", async (_, before) => {
    await fc.assert(
      fc.asyncProperty(
        fc.noBias(fc.nat(2 ** 30)),
        fc.oneof(
          fc.integer(),
          fc.integer({ min: -8, max: 8 }),
          fc.double(),
          fc.constant("x"),
          fc.constant(null),
        ),
        fc.boolean(),
        async (at, value, add) => {
          const text = described(before, (description) => {
            const places: ((change: (old: number) => unknown) => void)[] = [];
            const visit = (node: object): void => {
              for (const [key, member] of Object.entries(node) as [string, unknown][]) {
                if (typeof member === "number") {
                  places.push((change) => void Object.assign(node, { [key]: change(member) }));
                } else if (typeof member === "object" && member !== null) visit(member);
              }
            };
            visit(description);
            places[at % places.length]?.((old) => (add && typeof value === "number" ? old + value : value));
          });
          let decoded: Image;
          try {
            decoded = decodeImage(text);
          } catch (error) {
            if (error instanceof ExecutionError) return;
            throw error;
          }
          await answers(decoded);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
