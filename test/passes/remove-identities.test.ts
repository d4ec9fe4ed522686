import { expect, test } from "vitest";
import { removeIdentities } from "../../src/passes/remove-identities.ts";
import { applyExactly, GraphBuilder, int8, operators, perTensor } from "./graphs.ts";

const SUM = { activation: 0 };

test("a chain of identities vanishes, and its readers read the origin", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([1, 2, 2, 1]));
  const same = builder.node("reshape", [input], { shape: [1, 2, 2, 1] });
  const transposed = builder.node("transpose", [same], { permutation: [0, 1, 2, 3] });
  const padded = builder.node("pad", [transposed], { before: [0, 0, 0, 0], after: [0, 0, 0, 0] });
  const result = applyExactly(removeIdentities, builder.build(builder.node("add", [padded, same], SUM)));
  expect(result.nodes).toMatchObject([{ op: "add", inputs: [input, input] }]);
});

test("the node before an identity makes the output itself, under its id, for all readers", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([4]));
  const sum = builder.node("add", [input, input], SUM);
  const output = builder.node("reshape", [sum], { shape: [4] });
  const other = builder.node("add", [sum, output], SUM);
  const result = applyExactly(removeIdentities, builder.build(output, other));
  expect(result.outputs).toEqual([output, other]);
  expect(result.nodes).toMatchObject([{ outputs: [output] }, { inputs: [output, output] }]);
  expect(result.nodes.map(({ source }) => source)).toEqual([0, 2]);
});

test("of two outputs that are one value, the second keeps its identity", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([4]));
  const sum = builder.node("add", [input, input], SUM);
  const outputs = [0, 1].map(() => builder.node("reshape", [sum], { shape: [4] }));
  const result = applyExactly(removeIdentities, builder.build(...outputs));
  expect(operators(result)).toEqual(["add", "reshape"]);
});

test.each(["an input", "a constant", "another output"])(
  "an output that passes on %s keeps its node",
  (what) => {
    const builder = new GraphBuilder();
    const input = builder.input(int8([4]));
    const sum = builder.node("add", [input, input], SUM);
    const from = what === "an input" ? input : what === "a constant" ? builder.constant(int8([4])) : sum;
    const graph = builder.build(sum, builder.node("reshape", [from], { shape: [4] }));
    expect(removeIdentities(graph)).toBe(graph);
  },
);

test("an alias that gives the bytes another scale or zero point stays", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([2, 2]));
  const scaled = builder.node("reshape", [input], { shape: [2, 2] }, perTensor(0.1, 3));
  const shifted = builder.node("transpose", [input], { permutation: [0, 1] }, perTensor(0.05, 4));
  const graph = builder.build(builder.node("add", [scaled, shifted], SUM));
  expect(applyExactly(removeIdentities, graph)).toBe(graph);
});
