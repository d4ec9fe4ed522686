import { expect, test } from "vitest";
import { removeDeadNodes } from "../../src/passes/remove-dead-nodes.ts";
import { applyExactly, GraphBuilder, int8 } from "./graphs.ts";

test("what no output needs goes, with all that only it needed; tensors keep their ids", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([4]));
  const dead = builder.node("add", [input, input], { activation: 0 });
  builder.node("reshape", [dead], { shape: [2, 2] });
  const output = builder.node("reshape", [input], { shape: [1, 4] });
  const graph = builder.build(output);
  const result = applyExactly(removeDeadNodes, graph);
  expect(result.nodes.map(({ source }) => source)).toEqual([2]);
  expect(result.tensors).toBe(graph.tensors);
  expect(removeDeadNodes(result)).toBe(result);
});
