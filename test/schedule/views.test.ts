import { expect, test } from "vitest";
import type { CompileOptions } from "../../src/compile.ts";
import { compile } from "../../src/compile.ts";
import type { Image } from "../../src/emit/image.ts";
import { byteSize, tensorOf } from "../../src/graph/graph.ts";
import { inlineKernels } from "../../src/runtime/inline-kernels.ts";
import { startSession } from "../../src/runtime/session.ts";
import { PASSES } from "../../src/passes/index.ts";
import { importModel } from "../../src/tflite/import.ts";
import type { WrittenModel } from "../model-writer.ts";
import { BUILTIN, options, writeModel } from "../model-writer.ts";
import { noise } from "../passes/graphs.ts";
import { runGraph } from "../reference/run-graph.ts";
import { int32, int8, named } from "../written-models.ts";

/** Compiles it, sees that it answers as the reference does, and gives the operators that still run. */
async function operatorsOf(
  model: WrittenModel,
  how: CompileOptions = {},
): Promise<{ operators: string[]; image: Image }> {
  const bytes = writeModel(model);
  const image = compile(bytes, { variant: "mcu", passes: [], ...how });
  const graph = importModel(bytes);
  const session = await startSession(inlineKernels, image);
  for (const seed of [1, 2]) {
    const inputs = graph.inputs.map((id, i) => noise(seed + 7 * i, byteSize(tensorOf(graph, id))));
    const outputs = session.run(inputs.map((values) => new Int8Array(values.slice().buffer)));
    expect(
      outputs.map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice()),
    ).toEqual(runGraph(graph, inputs).outputs);
  }
  return { operators: image.report.steps.flatMap(({ operators }) => operators.map(({ op }) => op)), image };
}

const pool = (from: string, to: string) => ({
  builtin: BUILTIN.maxPool2d,
  inputs: [from],
  output: to,
  options: options.pool2d(0, 1, 3),
});
const join = (inputs: readonly string[], output: string, axis = 1) => ({
  builtin: BUILTIN.concatenation,
  inputs,
  output,
  options: options.concatenation(axis),
});
const cut = (from: string, part: string, to: string) => ({
  builtin: BUILTIN.slice,
  inputs: [from, `${part}.begin`, `${part}.size`],
  output: to,
});
const part = (name: string, row: number, rows: number) => ({
  [`${name}.begin`]: int32([0, row, 0, 0]),
  [`${name}.size`]: int32([1, rows, -1, -1]),
});

test("what is joined along the rows is made where it is to lie", async () => {
  const { operators, image } = await operatorsOf(
    named(
      {
        in: int8([1, 5, 3, 4]),
        a: int8([1, 5, 3, 4]),
        b: int8([1, 5, 3, 4]),
        all: int8([1, 10, 3, 4]),
        out: int8([1, 10, 3, 4]),
      },
      [pool("in", "a"), pool("in", "b"), join(["b", "a"], "all"), pool("all", "out")],
      ["in"],
      ["out"],
    ),
  );
  expect(operators).toEqual(["maxPool2d", "maxPool2d", "maxPool2d"]);
  // A trace shows it as soon as it is whole.
  const traced = image.report.steps.flatMap(({ outputs }) => outputs.map(({ name }) => name));
  expect(traced).toEqual(["a", "b", "all", "out"]);
});

test("what is cut out along the rows is read where it lies, of an input too", async () => {
  const { operators } = await operatorsOf(
    named(
      {
        in: int8([1, 6, 3, 2]),
        ...part("upper", 0, 4),
        ...part("lower", 2, 4),
        a: int8([1, 4, 3, 2]),
        b: int8([1, 4, 3, 2]),
        out: int8([1, 4, 3, 2], 0.2, 3),
      },
      [
        cut("in", "upper", "a"),
        cut("in", "lower", "b"),
        { builtin: BUILTIN.add, inputs: ["a", "b"], output: "out", options: options.elementwise() },
      ],
      ["in"],
      ["out"],
    ),
  );
  expect(operators).toEqual(["add"]);
});

test("what was joined can be cut again", async () => {
  const { operators } = await operatorsOf(
    named(
      {
        in: int8([1, 3, 3, 2]),
        a: int8([1, 3, 3, 2]),
        b: int8([1, 3, 3, 2]),
        all: int8([1, 6, 3, 2]),
        ...part("middle", 2, 2),
        some: int8([1, 2, 3, 2]),
        out: int8([1, 2, 3, 2]),
      },
      [
        pool("in", "a"),
        pool("in", "b"),
        join(["a", "b"], "all"),
        cut("all", "middle", "some"),
        pool("some", "out"),
      ],
      ["in"],
      ["out"],
    ),
  );
  expect(operators).toEqual(["maxPool2d", "maxPool2d", "maxPool2d"]);
});

test("what was joined can be joined again, and is still read by itself", async () => {
  const rows = (n: number) => int8([1, n, 3, 2]);
  const { operators } = await operatorsOf(
    named(
      {
        in: rows(3),
        a: rows(3),
        b: rows(3),
        twice: rows(6),
        c: rows(6),
        ab: rows(6),
        ...part("last", 5, 1),
        edge: rows(1),
        far: rows(1),
        all: rows(12),
        out: rows(12),
      },
      [
        pool("in", "a"),
        pool("in", "b"),
        join(["b", "a"], "ab"),
        cut("ab", "last", "edge"),
        pool("edge", "far"),
        join(["in", "in"], "twice"),
        pool("twice", "c"),
        join(["c", "ab"], "all"),
        pool("all", "out"),
      ],
      ["in"],
      ["out", "far"],
    ),
  );
  expect(operators).toEqual([
    "maxPool2d",
    "maxPool2d",
    "maxPool2d",
    "concatenation",
    "maxPool2d",
    "maxPool2d",
  ]);
});

const tensors = {
  in: int8([1, 4, 3, 2]),
  a: int8([1, 4, 3, 2]),
  double: int8([1, 8, 3, 2]),
  ...part("first", 0, 2),
  half: int8([1, 2, 3, 2]),
};

test.each<[string, Parameters<typeof named>[1], string[]]>([
  ["one part made from another", [pool("in", "a"), pool("a", "b"), join(["a", "b"], "double")], ["double"]],
  ["one tensor twice", [pool("in", "a"), join(["a", "a"], "double")], ["double"]],
  ["an input of the model", [pool("in", "a"), join(["in", "a"], "double")], ["double"]],
  ["an output of the model", [pool("in", "a"), pool("a", "b"), join(["a", "b"], "double")], ["double", "a"]],
  ["what the host reads is cut out", [pool("in", "a"), cut("a", "first", "half")], ["half"]],
])("copies stay: %s", async (_, operators, outputs) => {
  const used = new Set(operators.flatMap(({ inputs, output }) => [...inputs, output]));
  const all = { ...tensors, b: int8([1, 4, 3, 2]) };
  const model = named(
    Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name))),
    operators,
    ["in"],
    outputs,
  );
  const found = await operatorsOf(model);
  expect(found.operators.length).toBe(operators.length);
});

test("what would keep its place through the peak is copied where fewer bytes are asked for", async () => {
  const wide = { begin: int32([0, 0, 0, 0]), size: int32([1, -1, -1, 2]) };
  const model = named(
    {
      in: int8([1, 16, 16, 2]),
      early: int8([1, 16, 16, 2]),
      large: int8([1, 16, 16, 16]),
      larger: int8([1, 16, 16, 16]),
      "two.begin": wide.begin,
      "two.size": wide.size,
      late: int8([1, 16, 16, 2]),
      all: int8([1, 32, 16, 2]),
    },
    [
      pool("in", "early"),
      join(Array<string>(8).fill("in"), "large", 3),
      pool("large", "larger"),
      cut("larger", "two", "late"),
      join(["early", "late"], "all"),
    ],
    ["in"],
    ["all"],
  );
  const fast = await operatorsOf(model);
  const lean = await operatorsOf(model, { schedule: "minimum" });
  expect(fast.operators).toEqual(["maxPool2d", "concatenation", "maxPool2d", "slice"]);
  expect(lean.operators).toEqual([...fast.operators, "concatenation"]);
  expect(lean.image.report.ramBytes).toBeLessThan(fast.image.report.ramBytes);
});

test("a constant is no part: who reads nothing else is refused", () => {
  const model = named(
    {
      in: int8([1, 4, 3, 2]),
      fixed: { ...int8([1, 4, 3, 2]), data: new Int8Array(24).fill(5) },
      ...part("all", 0, 4),
      copy: int8([1, 4, 3, 2]),
      out: int8([1, 4, 3, 2]),
    },
    [cut("fixed", "all", "copy"), pool("in", "out")],
    ["in"],
    ["copy", "out"],
  );
  for (const passes of [[], PASSES]) {
    expect(() => compile(writeModel(model), { passes })).toThrow(
      expect.objectContaining({ name: "UnsupportedError", code: "constant-input" }) as Error,
    );
  }
});
