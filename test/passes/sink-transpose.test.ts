import fc from "fast-check";
import { expect, test } from "vitest";
import { sinkTranspose } from "../../src/passes/sink-transpose.ts";
import { applyExactly, GraphBuilder, int8, operators, perTensor, Q } from "./graphs.ts";

test("both roundings of two means stay, in their order", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([1, 3, 4, 5]));
  const transposed = builder.node("transpose", [input], { permutation: [0, 3, 1, 2] });
  const first = builder.node("mean", [transposed], { axes: [3], keepDims: false }, perTensor(0.03, -7));
  const second = builder.node("mean", [first], { axes: [2], keepDims: false }, perTensor(0.02, 11));
  const result = applyExactly(sinkTranspose, builder.build(second));
  expect(result.nodes).toMatchObject([
    { op: "mean", source: 1, inputs: [input], attrs: { axes: [2], keepDims: false } },
    { op: "mean", source: 2, attrs: { axes: [1], keepDims: false } },
    { op: "reshape", source: -1, outputs: [second] },
  ]);
});

test("any permutation, axes and rank; what is left to transpose is transposed later", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }).chain((rank) =>
        fc.record({
          shape: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: rank, maxLength: rank }),
          permutation: fc.shuffledSubarray([0, 1, 2, 3, 4].slice(0, rank), { minLength: rank }),
          axes: fc.subarray([0, 1, 2, 3, 4].slice(0, rank)),
          again: fc.subarray([0, 1, 2, 3, 4].slice(0, rank)),
        }),
      ),
      fc.boolean(),
      ({ shape, permutation, axes, again }, keepDims) => {
        const builder = new GraphBuilder();
        const transposed = builder.node("transpose", [builder.input(int8(shape))], { permutation });
        const first = builder.node("mean", [transposed], { axes, keepDims }, perTensor(0.03, -7));
        const rank = builder.tensor(first).shape.length;
        const second = builder.node(
          "mean",
          [first],
          { axes: again.filter((axis) => axis < rank), keepDims },
          perTensor(0.02, 4),
        );
        const result = applyExactly(sinkTranspose, builder.build(second));
        expect(operators(result).slice(0, 2)).toEqual(["mean", "mean"]);
      },
    ),
    { numRuns: 500 },
  );
});

test.each(["another reader", "an output"])("a TRANSPOSE with %s stays before its mean", (what) => {
  const builder = new GraphBuilder();
  const transposed = builder.node("transpose", [builder.input(int8([2, 3]))], { permutation: [1, 0] });
  const mean = builder.node("mean", [transposed], { axes: [0], keepDims: true });
  const other =
    what === "an output" ? transposed : builder.node("add", [transposed, transposed], { activation: 0 });
  const graph = builder.build(mean, other);
  expect(applyExactly(sinkTranspose, graph)).toBe(graph);
});

test("a TRANSPOSE that gives the bytes another scale stays before its mean", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([2, 3], Q));
  const transposed = builder.node("transpose", [input], { permutation: [1, 0] }, perTensor(0.1, 3));
  const graph = builder.build(builder.node("mean", [transposed], { axes: [0], keepDims: false }));
  expect(applyExactly(sinkTranspose, graph)).toBe(graph);
});

test("moving dimensions of size 1 is a RESHAPE", () => {
  const builder = new GraphBuilder();
  const input = builder.input(int8([1, 4, 1, 3]));
  const output = builder.node("transpose", [input], { permutation: [1, 2, 3, 0] });
  const result = applyExactly(sinkTranspose, builder.build(output));
  expect(result.nodes).toMatchObject([{ op: "reshape", attrs: { shape: [4, 1, 3, 1] }, source: 0 }]);
});
