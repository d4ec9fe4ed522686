import { expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { moveBorderToHost } from "../../src/passes/move-border-to-host.ts";
import { applyExactly, float32, GraphBuilder, int8, operators } from "./graphs.ts";

const SUM = { activation: 0 };

/** float → int8, twice it, → float; and one int8 input that stays. */
function floatModel(): { graph: Graph; ids: Record<"real" | "image" | "int" | "sum" | "result", number> } {
  const builder = new GraphBuilder();
  const int = builder.input(int8([4]));
  const real = builder.input(float32([4]));
  const image = builder.node("quantize", [real]);
  const sum = builder.node("add", [image, int], SUM);
  const result = builder.node("dequantize", [sum]);
  return { graph: builder.build(result), ids: { real, image, int, sum, result } };
}

test("the graph's ports become int8, and the border remembers the float ones", () => {
  const { graph, ids } = floatModel();
  const result = applyExactly(moveBorderToHost, graph);
  expect(operators(result)).toEqual(["add"]);
  expect(result).toMatchObject({ inputs: [ids.int, ids.image], outputs: [ids.sum] });
  expect(result.border).toEqual({ inputs: [undefined, ids.real], outputs: [ids.result] });
});

test("a graph whose border is at the host keeps it", () => {
  const once = moveBorderToHost(floatModel().graph);
  expect(moveBorderToHost(once)).toBe(once);
});

test("what the host takes over later joins what it has", () => {
  const builder = new GraphBuilder();
  const real = builder.input(float32([4]));
  const image = builder.node("quantize", [real]);
  const sum = builder.node("add", [image, image], SUM);
  const outputs = [builder.node("dequantize", [sum]), builder.node("add", [sum, sum], SUM)];
  const graph = builder.build(...outputs);
  const half: Graph = {
    ...graph,
    nodes: graph.nodes.slice(1),
    inputs: [image],
    border: { inputs: [real], outputs: [undefined, undefined] },
  };
  const result = applyExactly(moveBorderToHost, half);
  expect(result.border).toEqual({ inputs: [real], outputs: [outputs[0], undefined] });
});

test("a float input with a second reader stays float", () => {
  const builder = new GraphBuilder();
  const real = builder.input(float32([4]));
  const sum = builder.node("add", [builder.node("quantize", [real]), builder.node("quantize", [real])], SUM);
  const graph = builder.build(sum);
  expect(moveBorderToHost(graph)).toBe(graph);
});

test("a float input that is an output too stays float", () => {
  const builder = new GraphBuilder();
  const real = builder.input(float32([4]));
  const image = builder.node("quantize", [real]);
  const graph = builder.build(builder.node("add", [image, image], SUM), real);
  expect(applyExactly(moveBorderToHost, graph)).toBe(graph);
});

test("an int8 input that is requantised stays", () => {
  const builder = new GraphBuilder();
  const image = builder.node("quantize", [builder.input(int8([4]))]);
  const graph = builder.build(builder.node("add", [image, image], SUM));
  expect(moveBorderToHost(graph)).toBe(graph);
});

test("a float output that the graph reads, or gives twice, stays float", () => {
  const read = new GraphBuilder();
  const sum = read.node("add", [read.input(int8([4])), read.constant(int8([4]))], SUM);
  const real = read.node("dequantize", [sum]);
  const graph = read.build(real, read.node("quantize", [real]));
  expect(moveBorderToHost(graph)).toBe(graph);

  const twice = new GraphBuilder();
  const input = twice.input(int8([4]));
  const result = twice.node("dequantize", [twice.node("add", [input, input], SUM)]);
  const repeated = twice.build(result, result);
  expect(applyExactly(moveBorderToHost, repeated)).toBe(repeated);
});

test("an int8 tensor stands for one output only", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([4]));
  const sum = builder.node("add", [input, input], SUM);
  const reals = [builder.node("dequantize", [sum]), builder.node("dequantize", [sum])];
  const result = applyExactly(moveBorderToHost, builder.build(...reals));
  expect(result.outputs).toEqual([sum, reals[1]]);
  const other = new GraphBuilder();
  const both = other.node("add", [other.input(int8([4])), other.constant(int8([4]))], SUM);
  const graph = other.build(other.node("dequantize", [both]), both);
  expect(moveBorderToHost(graph)).toBe(graph);
});

test("what is quantised and given back keeps a node", () => {
  const builder = new GraphBuilder();
  const image = builder.node("quantize", [builder.input(float32([4]))]);
  const round = applyExactly(moveBorderToHost, builder.build(builder.node("dequantize", [image])));
  expect(operators(round)).toEqual(["dequantize"]);

  const given = new GraphBuilder();
  const graph = given.build(given.node("quantize", [given.input(float32([4]))]));
  expect(moveBorderToHost(graph)).toBe(graph);
});
