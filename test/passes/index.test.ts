import fc from "fast-check";
import { expect, test } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { PASSES, runPasses } from "../../src/passes/index.ts";
import { applyExactly, CONVOLUTION, float32, GraphBuilder, int8, operators } from "./graphs.ts";
import { randomGraph } from "./random-graph.ts";

test.each(PASSES)("$name keeps every value of random graphs", ({ apply }) => {
  fc.assert(
    fc.property(randomGraph(), (graph) => void applyExactly(apply, graph)),
    { numRuns: 200 },
  );
});

test("all passes together keep every value of random graphs, and again change nothing", () => {
  fc.assert(
    fc.property(randomGraph(), (graph) => {
      const once = applyExactly((g) => runPasses(g, PASSES), graph);
      applyExactly((g) => runPasses(g, PASSES), once);
    }),
    { numRuns: 200 },
  );
});

test.each(PASSES)("random graphs give $name something to do", ({ apply }) => {
  const graphs = fc.sample(randomGraph(), { numRuns: 400, seed: 1 });
  expect(graphs.filter((graph) => apply(graph) !== graph).length).toBeGreaterThan(20);
});

test("no passes leave the graph as it is", () => {
  const builder = new GraphBuilder();
  const graph = builder.build(builder.node("reshape", [builder.input(int8([2]))], { shape: [2] }));
  expect(runPasses(graph, [])).toBe(graph);
});

test("a pass that breaks the graph is named", () => {
  const builder = new GraphBuilder();
  const graph = builder.build(builder.node("reshape", [builder.input(int8([2]))], { shape: [1, 2] }));
  const broken = { name: "dropEverything", apply: (g: typeof graph) => ({ ...g, nodes: [] }) };
  expect(() => runPasses(graph, [broken])).toThrow(ModelError);
  expect(() => runPasses(graph, [broken])).toThrow(/dropEverything/);
});

test("a float model with PAD, TRANSPOSE and two MEANs keeps only convolution, means and an alias", () => {
  const builder = new GraphBuilder();
  const image = builder.node("quantize", [builder.input(float32([1, 4, 4, 1]))]);
  const padded = builder.node("pad", [image], { before: [0, 1, 1, 0], after: [0, 1, 0, 0] });
  const weights = builder.constant(int8([1, 3, 3, 4]));
  const features = builder.node("depthwiseConv2d", [padded, weights], { ...CONVOLUTION, depthMultiplier: 4 });
  const channelsFirst = builder.node("transpose", [features], { permutation: [0, 3, 1, 2] });
  const rows = builder.node("mean", [channelsFirst], { axes: [3], keepDims: false });
  const means = builder.node("mean", [rows], { axes: [2], keepDims: false });
  const graph = builder.build(builder.node("dequantize", [means]));
  const result = applyExactly((g) => runPasses(g, PASSES), graph);
  expect(operators(result)).toEqual(["conv2d", "mean", "mean", "reshape"]);
});

test("20,000 operators are no matter of minutes", () => {
  for (const op of ["sameReshape", "constantReshape", "pad", "transpose"]) {
    const builder = new GraphBuilder();
    const input = builder.input(int8([1, 1, 1, 1]));
    let last = op === "constantReshape" ? builder.constant(int8([1, 1, 1, 1])) : input;
    for (let i = 0; i < 20_000; i++) {
      if (op === "pad") last = builder.node("pad", [last], { before: [0, 0, 0, 0], after: [0, 0, 0, 0] });
      else if (op === "transpose" && i % 2 === 0) {
        last = builder.node("transpose", [last], { permutation: [0, 2, 1, 3] });
      } else if (op === "transpose") {
        last = builder.node("mean", [last], { axes: [1], keepDims: true });
      } else last = builder.node("reshape", [last], { shape: [1, 1, 1, 1] });
    }
    const graph = builder.build(builder.node("add", [last, input], { activation: 0 }));
    const start = performance.now();
    runPasses(graph, PASSES);
    expect(performance.now() - start, op).toBeLessThan(30_000);
  }
});
