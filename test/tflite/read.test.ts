import fc from "fast-check";
import { Builder } from "flatbuffers";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import { encodeImage } from "../../src/emit/image-file.ts";
import type { WrittenModel } from "../model-writer.ts";
import { writeModel } from "../model-writer.ts";
import { ONE_OPERATOR, OPERATOR_NAMES, RESIDUAL } from "../written-models.ts";
import type { Place } from "./damage.ts";
import { compileError, damaged } from "./damage.ts";

const residual = writeModel(RESIDUAL);
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe("container", () => {
  test.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [7, "7 bytes"],
  ])("%i bytes are no model", (length, text) => {
    expect(compileError(residual.slice(0, length))).toMatchObject({
      code: "not-tflite",
      message: expect.stringContaining(`a file of ${text} is`) as string,
    });
  });

  test.each([
    "<!DOCTYPE html><html><head>",
    "\n  <html lang=en>",
    "\xef\xbb\xbf<?xml version='1.0'?><Error>",
  ])("a page instead of the model: %j", (text) => {
    const error = compileError(ascii(text.padEnd(300)));
    expect(error?.code).toBe("html-file");
    expect(error?.message).toMatch(/HTML/);
  });

  test("a pointer of Git LFS instead of the model", () => {
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    expect(compileError(ascii(pointer))?.code).toBe("lfs-pointer");
  });

  test("a compiled image or a module of WebAssembly instead of the model", () => {
    const image = encodeImage(compile(residual));
    expect(compileError(image)).toMatchObject({
      code: "compiled-image",
      message: expect.stringMatching(/compiled already.*`load`/) as string,
    });
    const module = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    expect(compileError(module)).toMatchObject({
      code: "wasm-file",
      message: expect.stringMatching(/WebAssembly.*--bundle/) as string,
    });
  });

  test("another identifier is shown as it is", () => {
    const error = compileError(ascii("\x08\0\0\0\x1b[2J".padEnd(64, "\0")));
    expect(error?.code).toBe("not-tflite");
    expect(error?.message).toContain("\\x1b[2J");
  });

  test("another version", () => {
    expect(compileError(writeModel({ ...RESIDUAL, version: 4 }))?.code).toBe("model-version");
  });

  test("truncation anywhere", () => {
    for (const whole of [residual, writeModel(ONE_OPERATOR.reshape)]) {
      const lengths = [
        ...Array.from({ length: 64 }, (_, i) => Math.floor((whole.length * i) / 64)),
        ...Array.from({ length: 16 }, (_, i) => whole.length - 1 - i),
      ];
      for (const length of lengths) expect(compileError(whole.slice(0, length)), `${length}`).toBeDefined();
    }
  });

  test("bytes behind the model are allowed", () => {
    const longer = new Uint8Array(residual.length + 1000);
    longer.set(residual);
    expect(compileError(longer)).toBeUndefined();
  });
});

describe("flatbuffer", () => {
  type Change = (view: DataView, place: Place) => void;
  const setSlot =
    (value: number): Change =>
    (view, { slot }) => {
      view.setUint32(slot, value, true);
    };
  const setTarget =
    (value: number): Change =>
    (view, { target }) => {
      view.setUint32(target, value, true);
    };
  const setVtable =
    (at: number, value: number): Change =>
    (view, { vtable }) => {
      view.setUint16(vtable + at, value, true);
    };
  const TENSORS = "subgraphs/0/tensors";

  test.each<[string, string, Change, string]>([
    ["the root offset is 0xffffffff", "", setSlot(0xffffffff), "flatbuffer-alignment"],
    ["the root offset is odd", "", setSlot(21), "flatbuffer-alignment"],
    ["the root offset is 0xfffffffc", "", setSlot(0xfffffffc), "flatbuffer-bounds"],
    ["a vector lies outside", TENSORS, setSlot(0xfffffff0), "flatbuffer-bounds"],
    ["a vtable lies before the file", "", setTarget(0x7ffffffc), "flatbuffer-bounds"],
    ["a vtable lies behind the file", "", setTarget(0x80000000), "flatbuffer-bounds"],
    ["a vtable of odd length", TENSORS, setVtable(0, 9), "flatbuffer-vtable"],
    ["a vtable of 2 bytes", TENSORS, setVtable(0, 2), "flatbuffer-vtable"],
    ["a vtable of 65,534 bytes", TENSORS, setVtable(0, 0xfffe), "flatbuffer-bounds"],
    ["a table of 0 bytes", TENSORS, setVtable(2, 0), "flatbuffer-vtable"],
    ["a field behind its table", TENSORS, setVtable(4, 0x7ff0), "flatbuffer-field"],
    ["2^31 − 1 tensors", TENSORS, setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["2^32 − 1 tensors", TENSORS, setTarget(0xffffffff), "flatbuffer-bounds"],
    ["2^31 − 1 operators", "subgraphs/0/operators", setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["2^31 − 1 buffers", "buffers", setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["2^31 − 1 operator codes", "operatorCodes", setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["2^31 − 1 dimensions", `${TENSORS}/3/shape`, setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["2^31 − 1 inputs", "subgraphs/0/operators/3/inputs", setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["2^31 − 1 scales", `${TENSORS}/1/quantization/scale`, setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["2^31 − 1 weights", "buffers/1/data", setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["a name past the end", `${TENSORS}/3/name`, setTarget(0x7fffffff), "flatbuffer-bounds"],
    ["as many tensors as the file has bytes", TENSORS, setTarget(residual.length), "flatbuffer-bounds"],
  ])("%s", (_, path, change, code) => {
    expect(compileError(damaged(residual, path, change))?.code).toBe(code);
  });
});

/** A flatbuffer value: an int32, a table of fields, a vector of int32, of one table over and over, or text. */
type Value =
  number | undefined | string | readonly number[] | { readonly table: readonly Value[] } | Repeated;
interface Repeated {
  readonly count: number;
  readonly of: { readonly table: readonly Value[] };
}

function place(builder: Builder, value: Exclude<Value, number | undefined>): number {
  if (typeof value === "string") return builder.createString(value);
  if (isInts(value)) {
    builder.startVector(4, value.length, 4);
    for (const item of [...value].reverse()) builder.addInt32(item);
    return builder.endVector();
  }
  if ("of" in value) {
    const entry = place(builder, value.of);
    builder.startVector(4, value.count, 4);
    for (let i = 0; i < value.count; i++) builder.addOffset(entry);
    return builder.endVector();
  }
  const placed = value.table.map((field) =>
    field === undefined || typeof field === "number" ? field : { at: place(builder, field) },
  );
  builder.startObject(placed.length);
  for (const [id, field] of placed.entries()) {
    if (typeof field === "number") builder.addFieldInt32(id, field, NaN);
    else if (field !== undefined) builder.addFieldOffset(id, field.at, 0);
  }
  return builder.endObject();
}

function isInts(value: Value): value is readonly number[] {
  return Array.isArray(value);
}

/** A model of such vectors; what is not given has one entry, or is empty. */
function repetitive(parts: {
  readonly codes?: Repeated;
  readonly subgraphs?: number;
  readonly buffers?: Repeated;
  readonly tensors?: Repeated;
  readonly operators?: Repeated;
}): Uint8Array {
  const empty = { table: [] };
  const builder = new Builder(1024);
  const subgraph = {
    table: [
      parts.tensors ?? { count: 4, of: { table: [[1]] } },
      [0],
      [1],
      parts.operators ?? { count: 1, of: { table: [0, [0], [1]] } },
    ],
  };
  const root = place(builder, {
    table: [
      3,
      parts.codes ?? { count: 1, of: empty },
      { count: parts.subgraphs ?? 1, of: subgraph },
      undefined,
      parts.buffers ?? { count: 1, of: empty },
    ],
  });
  builder.finish(root, "TFL3");
  return builder.asUint8Array().slice();
}

describe("parts of the schema that are not read", () => {
  const tensor = (fields: readonly Value[]): Parameters<typeof repetitive>[0] => ({
    tensors: { count: 2, of: { table: fields } },
  });
  let nested: { table: readonly Value[] } = { table: [] };
  for (let depth = 0; depth < 1000; depth++) nested = { table: [nested] };

  test.each<[string, Parameters<typeof repetitive>[0], string]>([
    [
      "sparsity",
      tensor([[1], undefined, undefined, "", undefined, undefined, { table: [] }]),
      "sparse-tensor",
    ],
    ["data outside of the file", { buffers: { count: 1, of: { table: [undefined, 1] } } }, "external-data"],
    ["several subgraphs", { subgraphs: 2 }, "several-subgraphs"],
    [
      "options nested 1,000 deep",
      { operators: { count: 1, of: { table: [0, [0], [1], undefined, nested] } } },
      "input-count",
    ],
  ])("%s", (_, parts, code) => {
    expect(compileError(repetitive(parts))?.code).toBe(code);
  });
});

describe("vectors that repeat one table take time in proportion to the file", () => {
  const MANY = 300_000;
  const numbers = Array.from({ length: 1000 }, (_, i) => i % 4);

  test.each<[string, Parameters<typeof repetitive>[0]]>([
    ["tensors", { tensors: { count: MANY, of: { table: [[1]] } } }],
    ["long names", { tensors: { count: MANY, of: { table: [[1], 0, 0, "x".repeat(1000)] } } }],
    ["long shapes", { tensors: { count: MANY, of: { table: [numbers] } } }],
    ["many scales", { tensors: { count: MANY, of: { table: [[1], 0, 0, "", { table: [0, 0, numbers] }] } } }],
    ["operators", { operators: { count: MANY, of: { table: [0, [0], [1]] } } }],
    ["operators of many inputs", { operators: { count: MANY, of: { table: [0, numbers, [1]] } } }],
    ["operators without outputs", { operators: { count: MANY, of: { table: [0, [], []] } } }],
    ["buffers", { buffers: { count: MANY, of: { table: [numbers] } } }],
    ["operator codes", { codes: { count: MANY, of: { table: [] } } }],
    ["custom operator codes", { codes: { count: MANY, of: { table: [32, "custom".repeat(200), 0, 32] } } }],
    ["subgraphs", { subgraphs: MANY }],
    ["a million tensors", { tensors: { count: 1_000_000, of: { table: [[1]] } } }],
  ])("%s", (_, parts) => {
    const file = repetitive(parts);
    expect(file.length).toBeGreaterThan(4 * MANY);
    expect(compileError(file)).toBeDefined();
  });
});

describe("random damage ends in an image or in one coded error", () => {
  const small = [residual, ...OPERATOR_NAMES.map((name) => writeModel(ONE_OPERATOR[name]))];
  // Without bias, which would have most damage at the file's ends.
  const position = fc.noBias(fc.nat(2 ** 30));
  const word = fc.oneof(
    fc.constantFrom(0, 1, -1, 2, 0x7fffffff, -0x80000000, 0xff, 0x7f, 0x10000, 0x7fc00000, 0x7f800000),
    fc.integer(),
    fc.integer({ min: -64, max: 64 }),
  );

  test("bytes", () => {
    const change = fc.tuple(position, fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom(...small),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (file, changes) => {
          const copy = file.slice();
          for (const [at, value] of changes) copy[at % copy.length] = value;
          compileError(copy);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("words", () => {
    fc.assert(
      fc.property(fc.constantFrom(...small), position, word, (file, at, value) => {
        const copy = file.slice();
        new DataView(copy.buffer).setInt32((at % (copy.length / 4)) * 4, value, true);
        compileError(copy);
      }),
      { numRuns: 5000 },
    );
  });

  test("what a whole model says", () => {
    const models = [RESIDUAL, ...OPERATOR_NAMES.map((name) => ONE_OPERATOR[name])];
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        fc.array(fc.tuple(position, word), { minLength: 1, maxLength: 2 }),
        (model, changes) => {
          compileError(
            writeModel(changes.reduce((changed, [at, value]) => withNumber(changed, at, value), model)),
          );
        },
      ),
      { numRuns: 5000 },
    );
  });
});

/** The model with one of the numbers that it consists of replaced. */
function withNumber(model: WrittenModel, at: number, value: number): WrittenModel {
  const places: ((value: number) => void)[] = [];
  const copy = structuredClone(model);
  const visit = (node: object): void => {
    for (const [key, member] of Object.entries(node) as [string, unknown][]) {
      if (typeof member === "number") places.push((to) => void Object.assign(node, { [key]: to }));
      else if (typeof member === "object" && member !== null && !isLong(member)) visit(member);
    }
  };
  visit(copy);
  places[at % places.length]?.(value);
  return copy;
}

/** Weights: too many to be worth changing one. */
function isLong(member: object): boolean {
  return ArrayBuffer.isView(member) && member.byteLength > 64;
}
