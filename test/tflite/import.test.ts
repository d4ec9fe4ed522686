import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import { compile } from "../../src/compile.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
import { importModel } from "../../src/tflite/import.ts";
import type { WrittenModel } from "../model-writer.ts";
import { BUILTIN, writeModel } from "../model-writer.ts";
import { ONE_OPERATOR, OPERATOR_NAMES, RESIDUAL } from "../written-models.ts";

/** What the file says, as the graph should have it. */
function expectWritten(graph: Graph, model: WrittenModel): void {
  expect(graph.inputs).toEqual(model.inputs);
  expect(graph.outputs).toEqual(model.outputs);
  expect(graph.nodes.map(({ inputs, outputs }) => ({ inputs, outputs }))).toEqual(
    model.operators.map(({ inputs, outputs }) => ({ inputs, outputs })),
  );
  expect(graph.tensors.length).toBe(model.tensors.length);
  for (const [id, { name, shape, type, scales, zeroPoints, data, axis = 0 }] of model.tensors.entries()) {
    const tensor = graph.tensors[id];
    expect(tensor).toMatchObject({ id, name, shape, type });
    const quantization = scales && {
      scales: Float32Array.from(scales),
      zeroPoints: Int32Array.from(zeroPoints ?? scales.map(() => 0)),
      axis,
    };
    expect(tensor?.quantization).toEqual(quantization);
    expect(tensor?.data).toEqual(data && new Uint8Array(data.buffer));
  }
}

describe("what is written is read", () => {
  test.each(OPERATOR_NAMES)("%s", (name) => {
    const model = ONE_OPERATOR[name];
    const graph = importModel(writeModel(model), "test");
    expectWritten(graph, model);
    expect(graph.name).toBe("test");
    expect(graph.nodes[0]).toMatchObject({ op: name, name: "out", source: 0 });
  });

  test("a network with a side output", () => {
    expectWritten(importModel(writeModel(RESIDUAL)), RESIDUAL);
  });
});

test.each(VARIANTS)("all written models compile (%s)", (variant) => {
  for (const name of OPERATOR_NAMES) compile(writeModel(ONE_OPERATOR[name]), { variant });
  compile(writeModel(RESIDUAL), { variant });
  compile(depthwiseNet(1), { variant });
});

test("operators in any order are put into execution order, and keep their place in the file", () => {
  const operators = [...RESIDUAL.operators].reverse();
  const graph = importModel(writeModel({ ...RESIDUAL, operators }));
  const forwards = importModel(writeModel(RESIDUAL));
  expect(new Set(graph.nodes.map(({ name }) => name))).toEqual(
    new Set(forwards.nodes.map(({ name }) => name)),
  );
  expect(graph.nodes.map(({ source }) => operators[source]?.outputs)).toEqual(
    graph.nodes.map(({ outputs }) => outputs),
  );
  const made = new Set(graph.inputs);
  for (const { inputs, outputs } of graph.nodes) {
    for (const id of inputs) expect(made.has(id) || graph.tensors[id]?.data !== undefined).toBe(true);
    for (const id of outputs) made.add(id);
  }
});

test("a list of nothing has no bytes in the file, and is there all the same", () => {
  const q = { type: "int8", scales: [0.1], zeroPoints: [0] } as const;
  const model: WrittenModel = {
    tensors: [
      { name: "in", shape: [1, 1], ...q },
      { name: "shape of a scalar", shape: [0], type: "int32", data: new Int32Array(0) },
      { name: "out", shape: [], ...q },
    ],
    operators: [{ builtin: BUILTIN.reshape, inputs: [0, 1], outputs: [2], options: [] }],
    inputs: [0],
    outputs: [2],
  };
  expect(compile(writeModel(model)).outputs[0]?.shape).toEqual([]);
});

test("the file may lie anywhere in its buffer, and may change after the import", () => {
  const bytes = writeModel(RESIDUAL);
  const larger = new Uint8Array(bytes.length + 64).fill(0x5a);
  larger.set(bytes, 13);
  const view = larger.subarray(13, 13 + bytes.length);
  const graph = importModel(view);
  larger.fill(0xff);
  expect(graph).toEqual(importModel(bytes));
});

test("a Buffer of Node is read as any bytes, and copied", () => {
  const buffer = Buffer.from(writeModel(RESIDUAL));
  const graph = importModel(buffer);
  buffer.fill(0);
  expect(graph).toEqual(importModel(writeModel(RESIDUAL)));
});
