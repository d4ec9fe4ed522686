import fc from "fast-check";
import { ByteBuffer } from "flatbuffers";
import { expect, test } from "vitest";
import { readModel } from "../../src/tflite/read.ts";
import { writeModel } from "../../src/tflite/write.ts";
import type { WrittenModel, WrittenTensor } from "../model-writer.ts";
import { randomModel } from "../random-model.ts";
import { ONE_OPERATOR } from "../written-models.ts";

function bytesOf(data: WrittenTensor["data"]): number[] | undefined {
  return data && [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

/** What the reader should say of the model. */
function expectSame(model: WrittenModel, bytes: Uint8Array): void {
  const file = readModel(bytes);
  expect(file.inputs).toEqual(model.inputs);
  expect(file.outputs).toEqual(model.outputs);
  expect(file.tensors.length).toBe(model.tensors.length);
  for (const [i, tensor] of model.tensors.entries()) {
    const read = file.tensors[i];
    expect(read).toMatchObject({ name: tensor.name, shape: tensor.shape, type: tensor.type ?? "int8" });
    expect(read?.data && [...read.data]).toEqual(bytesOf(tensor.data));
    expect(read?.quantization && [...read.quantization.scales]).toEqual(tensor.scales?.map(Math.fround));
    const zeroPoints = tensor.zeroPoints ?? tensor.scales?.map(() => 0);
    expect(read?.quantization && [...read.quantization.zeroPoints]).toEqual(zeroPoints);
    if ((tensor.scales?.length ?? 0) > 1) expect(read?.quantization?.axis).toBe(tensor.axis ?? 0);
  }
  expect(file.operators.map(({ builtin, inputs, outputs }) => ({ builtin, inputs, outputs }))).toEqual(
    model.operators.map(({ builtin, inputs, outputs }) => ({ builtin, inputs, outputs })),
  );
  for (const [i, { options }] of model.operators.entries()) {
    const table = file.operators[i]?.options;
    expect(table === undefined).toBe(options === undefined);
    for (const [field, value] of options?.entries() ?? []) {
      if (value === undefined) continue;
      if ("byte" in value) expect(table?.byte(field, 99)).toBe(value.byte);
      else if ("bool" in value) expect(table?.bool(field, !value.bool)).toBe(value.bool);
      else if ("int" in value) expect(table?.int(field, 99)).toBe(value.int);
      else if ("float" in value) expect(table?.float(field, 99)).toBe(Math.fround(value.float));
      else expect(table?.ints(field, "")).toEqual(value.ints);
    }
  }
}

test("what is written is what is read: random networks", () => {
  fc.assert(
    fc.property(randomModel(), (model) => {
      expectSame(model, writeModel(model));
    }),
    { numRuns: 40 },
  );
});

test.each(Object.entries(ONE_OPERATOR))("what is written is what is read: %s", (_name, model) => {
  expectSame(model, writeModel(model));
});

/** Fields of a table with the `flatbuffers` package, which shares nothing with our writer or reader. */
class Foreign {
  readonly #buffer: ByteBuffer;
  readonly #at: number;

  constructor(buffer: ByteBuffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  /** Address of the field, 0 if absent. */
  at(field: number): number {
    const offset = this.#buffer.__offset(this.#at, 4 + 2 * field);
    return offset === 0 ? 0 : this.#at + offset;
  }

  int(field: number): number {
    return this.#buffer.readInt32(this.at(field));
  }

  text(field: number): unknown {
    return this.#buffer.__string(this.at(field));
  }

  table(field: number): Foreign {
    return new Foreign(this.#buffer, this.#buffer.__indirect(this.at(field)));
  }

  /** Start and length of a vector. */
  vector(field: number): { start: number; length: number } {
    const at = this.at(field);
    return { start: this.#buffer.__vector(at), length: this.#buffer.__vector_len(at) };
  }

  tables(field: number): Foreign[] {
    const { start, length } = this.vector(field);
    return Array.from(
      { length },
      (_, i) => new Foreign(this.#buffer, this.#buffer.__indirect(start + 4 * i)),
    );
  }
}

test("another reader finds the same, and every vector aligned as its elements want", () => {
  const model = { ...ONE_OPERATOR.depthwiseConv2d, version: 3 };
  const buffer = new ByteBuffer(writeModel(model));
  expect(buffer.__has_identifier("TFL3")).toBe(true);
  const root = new Foreign(buffer, buffer.readInt32(0));
  expect(root.int(0)).toBe(3);
  const [code] = root.tables(1);
  expect([buffer.readInt8(code?.at(0) ?? 0), code?.int(2), code?.int(3)]).toEqual([4, 1, 4]);
  const [graph] = root.tables(2);
  const buffers = root.tables(4);
  const tensors = graph?.tables(0) ?? [];
  expect(tensors.map((tensor) => tensor.text(3))).toEqual(model.tensors.map(({ name }) => name));
  for (const [i, tensor] of tensors.entries()) {
    const written = model.tensors[i];
    const shape = tensor.vector(0);
    expect(Array.from({ length: shape.length }, (_, d) => buffer.readInt32(shape.start + 4 * d))).toEqual(
      written?.shape,
    );
    const quantization = tensor.table(4);
    const [scales, zeroPoints] = [quantization.vector(2), quantization.vector(3)];
    expect(Array.from({ length: scales.length }, (_, c) => buffer.readFloat32(scales.start + 4 * c))).toEqual(
      written?.scales?.map(Math.fround),
    );
    expect(
      Array.from({ length: zeroPoints.length }, (_, c) => Number(buffer.readInt64(zeroPoints.start + 8 * c))),
    ).toEqual(written?.zeroPoints);
    expect(zeroPoints.start % 8).toBe(0);
    const data = tensor.int(2) === 0 ? undefined : buffers[tensor.int(2)]?.vector(0);
    expect(data && [...buffer.bytes().subarray(data.start, data.start + data.length)]).toEqual(
      bytesOf(written?.data),
    );
    if (data !== undefined) expect(data.start % 16).toBe(0);
  }
  const [operator] = graph?.tables(3) ?? [];
  // DepthwiseConv2DOptions in the schema's union.
  expect(buffer.readUint8(operator?.at(3) ?? 0)).toBe(2);
});
