import { expect, test } from "vitest";
import {
  addTensors,
  consumersOf,
  producersOf,
  redirect,
  replaceNodes,
  setConstants,
} from "../../src/graph/edit.ts";
import type { Graph, Node } from "../../src/graph/graph.ts";

const [FIRST, SECOND, THIRD] = [
  { op: "add", name: "a", inputs: [0, 0], outputs: [1], attrs: {}, source: 0 },
  { op: "add", name: "b", inputs: [1, 0], outputs: [2], attrs: {}, source: 1 },
  { op: "add", name: "c", inputs: [2, -1], outputs: [3], attrs: {}, source: 2 },
] as const satisfies readonly Node[];

const GRAPH: Graph = {
  name: "test",
  tensors: [0, 1, 2, 3].map((id) => ({ id, name: `t${id}`, shape: [1], type: "int8" })),
  nodes: [FIRST, SECOND, THIRD],
  inputs: [0],
  outputs: [3, 1],
};

test("readers and makers of tensors; a node that reads one twice is one reader", () => {
  expect(consumersOf(GRAPH).get(0)).toEqual([FIRST, SECOND]);
  expect(consumersOf(GRAPH).get(2)).toEqual([THIRD]);
  expect(consumersOf(GRAPH).get(3)).toBeUndefined();
  expect(producersOf(GRAPH).get(2)).toBe(SECOND);
  expect(producersOf(GRAPH).get(0)).toBeUndefined();
});

test("nodes give way to none, one or several, in their place", () => {
  const [x, y]: Node[] = [
    { ...SECOND, name: "x" },
    { ...SECOND, name: "y" },
  ];
  if (x === undefined || y === undefined) throw new Error("there are two");
  const result = replaceNodes(
    GRAPH,
    new Map<Node, Node[]>([
      [FIRST, []],
      [SECOND, [x, y]],
    ]),
  );
  expect(result.nodes).toEqual([x, y, THIRD]);
  expect(GRAPH.nodes).toEqual([FIRST, SECOND, THIRD]);
});

test("tensors are renamed where nodes read and make them, not at the border", () => {
  const result = redirect(
    GRAPH,
    new Map([
      [1, 3],
      [0, 2],
    ]),
  );
  expect(result.nodes.map(({ inputs, outputs }) => [...inputs, ...outputs])).toEqual([
    [2, 2, 3],
    [3, 2, 2],
    [2, -1, 3],
  ]);
  expect(result.nodes[2]).toBe(THIRD);
  expect([result.inputs, result.outputs]).toEqual([GRAPH.inputs, GRAPH.outputs]);
});

test("tensors are added behind, and become constants, without changing the graph before", () => {
  const added = addTensors(GRAPH, [{ id: 4, name: "t4", shape: [1], type: "int8" }]);
  expect(added.tensors.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4]);
  const data = Uint8Array.of(7);
  const constant = setConstants(GRAPH, new Map([[1, data]]));
  expect(constant.tensors[1]).toEqual({ ...GRAPH.tensors[1], data });
  expect(constant.tensors[2]).toBe(GRAPH.tensors[2]);
  expect(GRAPH.tensors[1]?.data).toBeUndefined();
  expect(GRAPH.tensors.length).toBe(4);
});
