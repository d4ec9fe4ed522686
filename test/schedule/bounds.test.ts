import { expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import type { WrittenTensor } from "../model-writer.ts";
import { BUILTIN, writeModel } from "../model-writer.ts";

const BROADCAST_TO = 130;

function int8(name: string, shape: readonly number[], scale = 0.1): WrittenTensor {
  return { name, shape, type: "int8", scales: [scale], zeroPoints: [0] };
}

function int32(name: string, values: readonly number[]): WrittenTensor {
  return { name, shape: [values.length], type: "int32", data: Int32Array.from(values) };
}

/** Steps of three sums of tensors of so many rows, in the fewest bytes. */
function stepsOf(rows: number): number {
  const shape = [1, rows, 1, 1];
  const bytes = writeModel({
    tensors: [0.1, 0.2, 0.3, 0.4].map((scale, i) => int8(`t${i}`, shape, scale)),
    operators: [0, 1, 2].map((i) => ({
      builtin: BUILTIN.add,
      inputs: [i, 0],
      outputs: [i + 1],
      options: [],
    })),
    inputs: [0],
    outputs: [3],
  });
  return compile(bytes, { schedule: "minimum", sram: "unbounded" }).report.steps.length;
}

test("rows are gone through one by one only where they are not beyond number", () => {
  expect(stepsOf(1000)).toBe(1);
  // Or this would take minutes.
  expect(stepsOf(100_000_000)).toBe(3);
});

test("a copy of more loops than a record has takes records for the shortest", () => {
  const shape = [20_000, 2, 2, 2, 2, 2];
  const bytes = writeModel({
    tensors: [int8("in", [20_000, 1, 2, 1, 2, 1]), int32("shape", shape), int8("out", shape)],
    operators: [{ builtin: BROADCAST_TO, inputs: [0, 1], outputs: [2], options: [] }],
    inputs: [0],
    outputs: [2],
  });
  expect(compile(bytes, { sram: "unbounded" }).report.planBytes).toBeLessThan(1000);
});

test("what is cut out of a ring is not told of as if it were whole", () => {
  const shape = [1, 32, 32, 8];
  const bytes = writeModel({
    tensors: [
      int8("in", shape),
      int8("doubled", shape),
      int8("unread", shape),
      int32("begin", [0, 5, 0, 0]),
      int32("size", [1, 4, 32, 8]),
      int8("cut", [1, 4, 32, 8]),
    ],
    operators: [
      { builtin: BUILTIN.add, inputs: [0, 0], outputs: [1], options: [] },
      { builtin: BUILTIN.add, inputs: [1, 0], outputs: [2], options: [] },
      { builtin: BUILTIN.slice, inputs: [2, 3, 4], outputs: [5], options: [] },
    ],
    inputs: [0],
    outputs: [1],
  });
  const { steps } = compile(bytes, { passes: [], schedule: "minimum" }).report;
  expect(steps.flatMap(({ outputs }) => outputs.map(({ name }) => name))).not.toContain("cut");
});
