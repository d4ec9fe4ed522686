import { expect, test } from "vitest";
import { ModelError } from "../../src/errors.ts";
import type { Graph, Node, Tensor } from "../../src/graph/graph.ts";
import { bind, byteSize, elementBytes, tensorOf } from "../../src/graph/graph.ts";
import { IMPORT, verifyGraph } from "../../src/graph/verify.ts";
import { elementCount } from "../../src/plan/shape.ts";

function tensor(id: number, data?: Uint8Array): Tensor {
  const plain = { id, name: `t${id}`, shape: [2, 3], type: "int8" as const };
  return data === undefined ? plain : { ...plain, data };
}

function node(inputs: readonly number[], outputs: readonly number[], source = 0): Node {
  return { op: "add", name: `t${outputs[0]}`, inputs, outputs, attrs: {}, source };
}

/** in 0, constant 1 → 2 → 3 out. */
const GRAPH: Graph = {
  name: "test",
  tensors: [tensor(0), tensor(1, new Uint8Array(6)), tensor(2), tensor(3)],
  nodes: [node([0, 1], [2]), node([2, -1], [3], -1)],
  inputs: [0],
  outputs: [3],
};

function codeOf(change: Partial<Graph>): string | undefined {
  try {
    verifyGraph({ ...GRAPH, ...change }, "the test");
    return undefined;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    expect(error.message).toContain('graph "test" after the test: ');
    expect(error.message).toContain("this is a bug of thimble");
    return error.code;
  }
}

test("a sound graph passes, also one that gives its input and gives a tensor twice", () => {
  expect(codeOf({})).toBeUndefined();
  expect(codeOf({ outputs: [0, 3, 3, 2] })).toBeUndefined();
});

test.each<[string, Partial<Graph>, string]>([
  ["tensors out of place", { tensors: [tensor(1), tensor(0), tensor(2), tensor(3)] }, "graph-tensor-id"],
  ["an input beyond the tensors", { inputs: [4] }, "graph-tensor-index"],
  ["an input that is a constant", { inputs: [0, 1] }, "graph-constant-input"],
  ["an input twice", { inputs: [0, 0] }, "graph-repeated-input"],
  ["a node that reads tensor 4", { nodes: [node([4, 1], [2])] }, "graph-tensor-index"],
  ["a node that reads tensor −2", { nodes: [node([-2, 1], [2])] }, "graph-tensor-index"],
  ["a node that writes tensor 4", { nodes: [node([0], [4])] }, "graph-tensor-index"],
  ["a node before its producer", { nodes: [...GRAPH.nodes].reverse() }, "graph-order"],
  ["a node that reads what it writes", { nodes: [node([2], [2])] }, "graph-order"],
  ["a tensor made twice", { nodes: [...GRAPH.nodes, node([0], [2])] }, "graph-two-producers"],
  ["a constant made", { nodes: [node([0], [1])] }, "graph-two-producers"],
  ["an input made", { nodes: [node([1], [0])] }, "graph-two-producers"],
  ["an output beyond the tensors", { outputs: [4] }, "graph-tensor-index"],
  ["an output that is a constant", { outputs: [1] }, "graph-constant-output"],
  ["an output that nobody makes", { nodes: GRAPH.nodes.slice(0, 1) }, "graph-missing-output"],
])("%s", (_, change, code) => {
  expect(codeOf(change)).toBe(code);
});

test("sizes", () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([2, 0, 3])).toBe(0);
  for (const [type, bytes] of Object.entries({
    int8: 1,
    uint8: 1,
    bool: 1,
    int16: 2,
    int32: 4,
    float32: 4,
    int64: 8,
  })) {
    expect(elementBytes(type as Tensor["type"])).toBe(bytes);
    expect(byteSize({ shape: [3, 5], type: type as Tensor["type"] })).toBe(15 * bytes);
  }
});

test("a node is bound to its tensors, omitted ones to undefined", () => {
  const [, second] = GRAPH.nodes;
  if (second === undefined) throw new Error("the graph has two nodes");
  expect(bind(GRAPH, second)).toMatchObject({
    name: "t3",
    inputs: [{ id: 2 }, undefined],
    outputs: [{ id: 3 }],
  });
  expect(() => tensorOf(GRAPH, 9)).toThrow(RangeError);
});

test("what a file's graph lacks is for who exported it to mend", () => {
  expect(() => {
    verifyGraph({ ...GRAPH, outputs: [9] }, IMPORT);
  }).toThrow(/there is no tensor 9 for an output; export the model again$/);
});
