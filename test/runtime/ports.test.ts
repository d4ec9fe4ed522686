import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Model, TensorArray, Variant } from "../../src/index.ts";
import { load, PASSES, provesVariant, VARIANTS } from "../../src/index.ts";
import { importModel } from "../../src/tflite/import.ts";
import type { WrittenTensor } from "../model-writer.ts";
import { BUILTIN, options, SAME, writeModel } from "../model-writer.ts";
import { noise } from "../passes/graphs.ts";
import { clampTo, roundC } from "../reference/fixed-point.ts";
import { runGraph } from "../reference/run-graph.ts";
import { float32, int8, named, ONE_OPERATOR, RESIDUAL } from "../written-models.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

const SHAPE = [1, 4, 4, 3];
const LENGTH = 48;

const QUANTIZE = { builtin: BUILTIN.quantize };
const DEQUANTIZE = { builtin: BUILTIN.dequantize };
const POOL = { builtin: BUILTIN.maxPool2d, options: options.pool2d(SAME, 1, 2) };
const ADD = { builtin: BUILTIN.add, options: options.elementwise() };

/** Two inputs are added: what programs that accumulate give is the last output again. */
const SUM = writeModel(
  named(
    { a: int8(SHAPE, 0.1, 0), b: int8(SHAPE, 0.1, 0), out: int8(SHAPE, 0.1, 0) },
    [{ ...ADD, inputs: ["a", "b"], output: "out" }],
    ["a", "b"],
    ["out"],
  ),
);

function ints(seed: number, length = LENGTH): Int8Array {
  return new Int8Array(noise(seed, length).buffer);
}

describe.each(proved)("%s", (variant) => {
  test.each([
    ["first", 0],
    ["second", 1],
  ])("the last output may be the %s input again", async (_, place) => {
    const model = await load(SUM, { variant });
    const one = new Int8Array(LENGTH).fill(1);
    let last = model.run([one, one])[0] as Int8Array;
    for (let sum = 3; sum < 20; sum++) {
      last = model.run(place === 0 ? [last, one] : [one, last])[0] as Int8Array;
      expect([...last]).toEqual(Array<number>(LENGTH).fill(sum));
    }
  });

  const float = {
    in: float32(SHAPE),
    q: int8(SHAPE, 0.04, -7),
    pooled: int8(SHAPE, 0.04, -7),
    out: float32(SHAPE),
  };
  const path = [
    { ...QUANTIZE, inputs: ["in"], output: "q" },
    { ...POOL, inputs: ["q"], output: "pooled" },
    { ...DEQUANTIZE, inputs: ["pooled"], output: "out" },
  ];
  test.each([
    ["float in and out", named(float, path, ["in"], ["out"])],
    ["int8 out as well", named(float, path, ["in"], ["out", "pooled"])],
    ["the quantised input out as well", named(float, path, ["in"], ["q", "out"])],
    ["int8 in, float out", named(float, path.slice(1), ["q"], ["out"])],
    ["float in, int8 out", named(float, path.slice(0, 2), ["in"], ["pooled"])],
    [
      "an output that is read again",
      named(
        { ...float, again: int8(SHAPE, 0.1, 5) },
        [...path, { ...QUANTIZE, inputs: ["out"], output: "again" }],
        ["in"],
        ["out", "again"],
      ),
    ],
    [
      "an input quantised in two ways",
      named(
        { ...float, other: int8(SHAPE, 0.07, 1) },
        [...path, { ...QUANTIZE, inputs: ["in"], output: "other" }],
        ["in"],
        ["out", "other"],
      ),
    ],
    [
      "nothing but a quantisation and back",
      named(
        { in: float32(SHAPE), q: int8(SHAPE, 0.04, -7), out: float32(SHAPE) },
        [
          { ...QUANTIZE, inputs: ["in"], output: "q" },
          { ...DEQUANTIZE, inputs: ["q"], output: "out" },
        ],
        ["in"],
        ["out"],
      ),
    ],
  ])("%s", async (_, written) => {
    const bytes = writeModel(written);
    const graph = importModel(bytes);
    for (const passes of [PASSES, []]) {
      const model = await load(bytes, { variant, passes });
      expect(model.inputs.map(({ type }) => type)).toEqual(
        written.inputs.map((id) => written.tensors[id]?.type),
      );
      expect(model.outputs.map(({ type }) => type)).toEqual(
        written.outputs.map((id) => written.tensors[id]?.type),
      );
      for (const seed of [1, 2]) {
        const input = inputOf(model, seed);
        const wanted = runGraph(graph, [bytesOf(input)]).outputs;
        expect(model.run([input]).map(bytesOf)).toEqual(wanted);
      }
    }
  });
});

/** Values on, between and beyond the steps of the input's scale. */
function inputOf(model: Model, seed: number): TensorArray {
  const values = ints(seed, LENGTH);
  const special = [NaN, Infinity, -Infinity, -0, 0.02, -0.02, 0.06, 1e38, -1e-45];
  if (model.inputs[0]?.type === "int8") return values;
  return Float32Array.from(values, (value, i) => special[i] ?? value * 0.02);
}

function bytesOf(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
}

test("a float input takes floats only, and keeps them as they are", async () => {
  const model = await load(writeModel(ONE_OPERATOR.quantize));
  const input = Float32Array.from({ length: 9 }, (_, i) => i / 7);
  const copy = input.slice();
  model.run(input);
  expect(input).toEqual(copy);
  for (const wrong of [new Int8Array(9), new Float64Array(9), new Float32Array(8)]) {
    expect(() => model.run(wrong as unknown as Float32Array)).toThrow(
      expect.objectContaining({ code: "input-mismatch" }),
    );
  }
});

test("inputs and outputs keep the model's order, names, shapes and quantisation", async () => {
  const model = await load(writeModel(RESIDUAL));
  expect(model.inputs).toMatchObject([
    { name: "in", shape: [1, 8, 8, 3], type: "int8", length: 192, zeroPoint: 3 },
  ]);
  expect(model.outputs).toMatchObject([
    { name: "scores", shape: [1, 5], length: 5, scale: 1 / 256, zeroPoint: -128 },
    { name: "pooled", shape: [1, 5, 5, 8], length: 200, scale: Math.fround(0.12) },
  ]);
  const outputs = model.run([ints(1, 192)]);
  expect(outputs.map(({ length }) => length)).toEqual([5, 200]);
  expect(() => model.run(ints(1, 192))).toThrow(expect.objectContaining({ code: "output-count" }));
});

test("ports of int8 and of int16 quantise real values as the reference does, and give them back", async () => {
  for (const type of ["int8", "int16"] as const) {
    const tensor = {
      shape: SHAPE,
      type,
      scales: [Math.fround(0.003)],
      zeroPoints: [type === "int8" ? 5 : 0],
    };
    const operator = { ...ADD, inputs: ["a", "b"], output: "out" };
    const written = named({ a: tensor, b: tensor, out: tensor }, [operator], ["a", "b"], ["out"]);
    const [port] = (await load(writeModel(written))).inputs;
    const [least, most] = type === "int8" ? [-128, 127] : [-32768, 32767];
    const { scale, zeroPoint } = { scale: port?.scale ?? NaN, zeroPoint: port?.zeroPoint ?? NaN };
    fc.assert(
      fc.property(fc.float({ noDefaultInfinity: false }), fc.integer({ min: least, max: most }), (x, q) => {
        const quantized = port?.quantize([x]);
        expect(quantized?.constructor).toBe(type === "int8" ? Int8Array : Int16Array);
        const rounded = roundC(Math.fround(x / scale)) + zeroPoint;
        expect(quantized?.[0]).toBe(Number.isNaN(x) ? zeroPoint : clampTo(rounded, [least, most]));
        expect(port?.quantize(port.dequantize([q]))[0]).toBe(q);
      }),
    );
  }
});

/** A model that hands its one input on, of any type. */
async function handsOn(tensor: Omit<WrittenTensor, "name">): Promise<Model> {
  const copy = { builtin: BUILTIN.reshape, inputs: ["in", "shape"], output: "out" };
  const shape = { shape: [1], type: "int32", data: Int32Array.of(4) } as const;
  return load(writeModel(named({ in: tensor, shape, out: tensor }, [copy], ["in"], ["out"])));
}

test("a float32 port's real values are its values, in an array of their own", async () => {
  const model = await load(writeModel(ONE_OPERATOR.quantize), { passes: PASSES });
  const back = await load(writeModel(ONE_OPERATOR.dequantize));
  const values = [0.25, -7, 1e6];
  for (const port of [model.inputs[0], back.outputs[0]]) {
    expect(port).toMatchObject({ type: "float32" });
    expect(port?.quantize(values)).toEqual(Float32Array.from(values));
    const given = Float32Array.from(values);
    expect(port?.dequantize(given)).toEqual(given);
    expect(port?.dequantize(given)).not.toBe(given);
  }
  const length = model.inputs[0]?.length ?? 0;
  const ones = model.inputs[0]?.quantize(new Array<number>(length).fill(1)) ?? new Float32Array();
  expect(model.run(ones)).toHaveLength(length);
});

test("a uint8 port quantises to 0 … 255, and the model takes that", async () => {
  const model = await handsOn({ shape: [4], type: "uint8", scales: [0.5], zeroPoints: [10] });
  const [port] = model.inputs;
  const values = port?.quantize([-100, 0, 1, 1000]) ?? new Uint8Array();
  expect(values).toEqual(Uint8Array.of(0, 10, 12, 255));
  expect([...(port?.dequantize(model.run(values)) ?? [])]).toEqual([-5, 0, 1, 122.5]);
});

test.each(["int32", "bool"] as const)("%s values are not quantised, which quantize says", async (type) => {
  const [port] = (await handsOn({ shape: [4], type })).inputs;
  const array = type === "int32" ? "Int32Array" : "Uint8Array";
  expect(() => port?.quantize([1, 2, 3, 4])).toThrow(
    expect.objectContaining({
      name: "InputError",
      code: "not-quantized",
      message: expect.stringContaining(array) as string,
    }),
  );
});

test("arrays of another type than the port's are not dequantised", async () => {
  const [port] = (await load(SUM)).inputs;
  for (const wrong of [
    new Uint8Array(4),
    new Float32Array(4),
    new Int16Array(4),
    new DataView(new ArrayBuffer(4)),
  ]) {
    expect(() => port?.dequantize(wrong as Uint8Array)).toThrow(
      expect.objectContaining({ name: "InputError", code: "port-mismatch" }),
    );
  }
  expect([...(port?.dequantize([10]) ?? [])]).toEqual([1]);
});

test("what is no array of numbers is neither quantised nor dequantised, nor are more than the port has", async () => {
  const [port] = (await load(SUM)).inputs;
  const [float] = (await load(writeModel(ONE_OPERATOR.quantize))).inputs;
  const refused = expect.objectContaining({ name: "InputError", code: "port-mismatch" }) as unknown;
  const nonsense: readonly unknown[] = [
    3.14,
    "3.14",
    undefined,
    null,
    {},
    [undefined],
    ["1"],
    [[1, 2]],
    [1n],
    new BigInt64Array(1),
    new DataView(new ArrayBuffer(8)),
    new ArrayBuffer(8),
  ];
  for (const each of [port, float]) {
    for (const values of nonsense) {
      expect(() => each?.quantize(values as number[])).toThrow(refused);
      expect(() => each?.dequantize(values as number[])).toThrow(refused);
    }
    const { length = NaN } = each ?? {};
    expect(() => each?.quantize(new Float32Array(length + 1))).toThrow(refused);
    // Rows and single values are quantised as well.
    for (const count of [length, 1, 0]) expect(each?.quantize(new Float32Array(count))).toHaveLength(count);
  }
  expect([...(port?.quantize({ length: 2, 0: 0.1, 1: 0.2 }) ?? [])]).toEqual([1, 2]);
  expect(() => port?.quantize([1, "x"] as number[])).toThrow(
    /"a" takes real values in an array; element 1 is string/,
  );
  expect(() => port?.dequantize(new Float32Array(1))).toThrow(/is int8, in an Int8Array;/);
});

test("a port is printed without the memory behind it", async () => {
  for (const bytes of [SUM, writeModel(ONE_OPERATOR.quantize), writeModel(ONE_OPERATOR.dequantize)]) {
    const model = await load(bytes);
    for (const port of [...model.inputs, ...model.outputs]) {
      const { name, shape, type, length, scale, zeroPoint } = port;
      expect(JSON.parse(JSON.stringify(port))).toEqual({ name, shape, type, length, scale, zeroPoint });
      expect(inspect(port)).not.toContain("Array");
    }
  }
});

test("inputs by name are no list, which is said", async () => {
  const model = await load(SUM);
  for (const run of [(x: never) => model.run(x), (x: never) => [...model.trace(x)]]) {
    expect(() => run({ a: ints(1), b: ints(2) } as never)).toThrow(
      expect.objectContaining({
        code: "input-count",
        message: expect.stringMatching(/takes 2 inputs; Object was given: pass an array of a \(/) as string,
      }),
    );
  }
});

test("a refused run changes nothing", async () => {
  const model = await load(SUM);
  const [sum] = model.run([ints(1), ints(2)]);
  const memory = new Uint8Array(sum?.buffer ?? new ArrayBuffer(0));
  const before = memory.slice();
  expect(() => model.run([ints(3), new Int8Array(LENGTH - 1)])).toThrow(
    expect.objectContaining({ code: "input-mismatch" }),
  );
  expect(memory).toEqual(before);
});

test("arrays of another realm are arrays", async () => {
  const model = await load(SUM);
  const wanted = [...(model.run([ints(1), ints(2)])[0] ?? [])];
  const foreign = [1, 2].map(
    (seed) => runInNewContext("Int8Array.from(values)", { values: [...ints(seed)] }) as Int8Array,
  );
  expect([...(model.run(foreign)[0] ?? [])]).toEqual(wanted);
  const bytes = runInNewContext("Uint8Array.from(values)", { values: [...SUM] }) as Uint8Array;
  expect((await load(bytes)).inputs.length).toBe(2);
  expect((await load(bytes.buffer as ArrayBuffer)).inputs.length).toBe(2);
});

test("an array over shared memory is taken, as model and as input", async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(SUM.length));
  shared.set(SUM);
  const model = await load(shared);
  const input = new Int8Array(new SharedArrayBuffer(LENGTH));
  input.set(ints(1));
  const wanted = [...(model.run([ints(1), ints(2)])[0] ?? [])];
  expect([...(model.run([input, ints(2)])[0] ?? [])]).toEqual(wanted);
});

test.each([null, undefined, 0, 42n, true, {}, [], [1, 2], () => 0, Symbol("x"), new Date(0), new Map()])(
  "%s is no source",
  async (source) => {
    await expect(load(source as Uint8Array)).rejects.toMatchObject({
      name: "InputError",
      code: "source",
    });
  },
);
