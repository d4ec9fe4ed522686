import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoundNode, Tensor } from "../../src/graph/graph.ts";
import { svdf } from "../../src/ops/svdf.ts";
import type { Kernels } from "../kernel-harness.ts";
import { provedKernels } from "../kernel-harness.ts";
import { importNode, int8Values, weightsFor } from "./node.ts";
import type { Svdf } from "../reference/svdf.ts";
import { svdfReference } from "../reference/svdf.ts";
import { placeNode, readValues, tensorOf, valuesOf, writeValues } from "./recurrent.ts";

interface SvdfCase {
  readonly of: Svdf;
  readonly seed: number;
  /** The output covers input that has been read. */
  readonly shared: boolean;
}

const scale = (low: number, high: number): fc.Arbitrary<number> =>
  fc.double({ min: low, max: high, noNaN: true }).map((power) => Math.fround(10 ** power));

const zeroPoint = fc.integer({ min: -128, max: 127 });

const svdfCase: fc.Arbitrary<SvdfCase> = fc
  .record({
    batches: fc.constantFrom(1, 1, 2, 3),
    depth: fc.constantFrom(1, 2, 3, 7, 16, 25, 61),
    units: fc.constantFrom(1, 2, 5, 8, 13),
    rank: fc.constantFrom(1, 2, 4),
    memory: fc.constantFrom(1, 2, 3, 10),
    stateType: fc.constantFrom("int8" as const, "int16" as const),
    inputScale: scale(-3, -1),
    inputZeroPoint: zeroPoint,
    featureScale: scale(-3, -1.5),
    timeScale: scale(-3, -1),
    stateScale: scale(-3, -1),
    stateZeroPoint: fc.oneof(fc.constant(0), zeroPoint),
    outputScale: scale(-4, -1),
    outputZeroPoint: zeroPoint,
    biasBits: fc.constantFrom(7, 12, 31),
    seed: fc.nat(),
    shared: fc.boolean(),
  })
  .map(({ seed, shared, biasBits, units, ...shape }) => {
    const filters = units * shape.rank;
    // Values of int16 are finer.
    const fine = shape.stateType === "int16" ? 256 : 1;
    const of = {
      ...shape,
      filters,
      stateScale: Math.fround(shape.stateScale / fine),
      timeScale: Math.fround(shape.timeScale / fine),
      features: int8Values(seed, filters * shape.depth),
      time: valuesOf(shape.stateType, seed + 1, filters * shape.memory),
      bias: Array.from(int8Values(seed + 2, units), (x) => x * 2 ** (biasBits - 7)),
    };
    return { of, seed, shared };
  });

function nodeOf(of: Svdf): BoundNode {
  const { batches, depth, filters, rank, memory, stateType } = of;
  const time = stateType === "int8" ? Int8Array.from(of.time) : Int16Array.from(of.time);
  const inputs: Tensor[] = [
    tensorOf("x", "int8", [batches, depth], { scale: of.inputScale, zeroPoint: of.inputZeroPoint }),
    tensorOf("features", "int8", [filters, depth], { scale: of.featureScale }, of.features),
    tensorOf("time", stateType, [filters, memory], { scale: of.timeScale }, time),
    tensorOf("bias", "int32", [filters / rank], { scale: 1 }, Int32Array.from(of.bias)),
    {
      ...tensorOf("state", stateType, [batches, filters * memory], {
        scale: of.stateScale,
        zeroPoint: of.stateZeroPoint,
      }),
      isVariable: true,
    },
  ];
  const output = { scale: of.outputScale, zeroPoint: of.outputZeroPoint };
  return importNode(svdf, inputs, tensorOf("y", "int8", [batches, filters / rank], output), {
    0: rank,
    1: 1,
  });
}

/** Runs one after the other, each of one vector for all batches or of random values, from a state with extremes. */
function check(
  kernels: Kernels,
  { of: drawn, seed, shared }: SvdfCase,
  vectors: readonly (Int8Array | undefined)[] = [undefined, undefined, undefined],
): Set<number> {
  const of = { ...drawn, features: weightsFor(kernels.variant, drawn.features) };
  const { batches, depth, filters, memory, stateType } = of;
  const { input, output, states, run } = placeNode(svdf, nodeOf(of), kernels, shared);
  const state = valuesOf(stateType, seed + 30, batches * filters * memory);
  const address = states.get("state") ?? 0;
  writeValues(kernels, address, stateType, state);
  const seen = new Set<number>();
  for (const [round, vector] of vectors.entries()) {
    const x = vector ?? int8Values(seed + 40 + round, batches * depth);
    writeValues(kernels, input, "int8", [...x]);
    run();
    const expected = svdfReference(of, x, state);
    expect(readValues(kernels, output, "int8", expected.length)).toEqual(expected);
    expect(readValues(kernels, address, stateType, state.length)).toEqual(state);
    for (const value of expected) seen.add(value);
  }
  return seen;
}

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "svdf (%s)",
  (_, kernels) => {
    test("equals the reference for any size, scales and state, run after run", () => {
      const seen = new Set<number>();
      fc.assert(
        fc.property(svdfCase, (c) => {
          for (const value of check(kernels, c)) seen.add(value);
        }),
        { numRuns: 200 },
      );
      expect(seen.size).toBeGreaterThan(200);
    });

    test("sums of extremes are exact, at the ends of what a lane holds", () => {
      const extremes = fc.constantFrom(-128, 127, -127);
      fc.assert(
        fc.property(
          fc.record({
            depth: fc.constantFrom(55, 59, 60, 61, 65, 119, 120, 121, 180, 600),
            rows: fc.array(extremes, { minLength: 13, maxLength: 13 }),
            x: extremes,
            inputZeroPoint: fc.constantFrom(-128, 0, 127),
            spoilt: fc.nat(599),
          }),
          ({ depth, rows, x, inputZeroPoint, spoilt }) => {
            const features = Int8Array.from(rows.flatMap((w) => Array<number>(depth).fill(w)));
            const of: Svdf = {
              ...{ batches: 1, depth, filters: 13, rank: 1, memory: 1, stateType: "int16" },
              ...{ inputScale: 1, inputZeroPoint, features, featureScale: Math.fround(1 / (2 * depth)) },
              ...{ time: Array<number>(13).fill(1), timeScale: 1, bias: Array<number>(13).fill(0) },
              ...{ stateScale: 1, stateZeroPoint: 0, outputScale: 300, outputZeroPoint: 0 },
            };
            const vector = new Int8Array(depth).fill(x);
            const other = vector.slice().fill(-1 - x, 0, spoilt % depth);
            check(kernels, { of, seed: spoilt, shared: false }, [vector, other]);
          },
        ),
        { numRuns: 100 },
      );
    });
  },
);

test("the reference gives the values that the formulas give by hand", () => {
  const one = { scale: 1, zeroPoint: 0 };
  const of: Svdf = {
    ...{ batches: 1, depth: 1, filters: 2, rank: 2, memory: 2, stateType: "int8" },
    ...{ inputScale: one.scale, inputZeroPoint: 1, features: Int8Array.of(2, -3), featureScale: one.scale },
    ...{ time: [1, 10, 100, 5], timeScale: one.scale, bias: [7], stateScale: one.scale, stateZeroPoint: 0 },
    ...{ outputScale: 2, outputZeroPoint: -1 },
  };
  const state = [1, 2, 3, 4];
  // Features 2 · 4 and -3 · 4: the state is 2, 8 and 4, -12; 7 + 2 + 80 + 400 - 60 = 429, halved 214.5.
  expect(svdfReference(of, Int8Array.of(5), state)).toEqual([127]);
  expect(state).toEqual([2, 8, 4, -12]);
  // And then 8, 0 and -12, 0: 7 + 8 - 1200.
  expect(svdfReference({ ...of, outputScale: 100 }, Int8Array.of(1), state)).toEqual([-13]);
});

describe("prepare", () => {
  const base = fc.sample(svdfCase, { numRuns: 1, seed: 5 })[0]?.of as Svdf;
  const whole = nodeOf(base);
  const [output] = whole.outputs as [Tensor];
  const withInput = (index: number, change: Partial<Tensor> | undefined): BoundNode["inputs"] =>
    whole.inputs.with(index, change && { ...(whole.inputs[index] ?? output), ...change });
  const time = whole.inputs[2] as Tensor;

  test.each<[string, BoundNode["inputs"], number?]>([
    ["input-count", whole.inputs.slice(0, 4)],
    ["missing-input", withInput(2, undefined)],
    ["missing-input", withInput(4, undefined)],
    ["unsupported-type", withInput(0, { type: "int16" })],
    ["unsupported-rank", withInput(0, { shape: [1, 1, base.depth] })],
    ["weight-shape", withInput(0, { shape: [base.batches, base.depth + 1] })],
    ["weight-shape", withInput(2, { shape: [base.filters + 1, base.memory] })],
    ["unsupported-type", withInput(2, { type: "float32" })],
    ["not-constant", whole.inputs.with(2, tensorOf("time", time.type, time.shape, { scale: 1 }))],
    ["asymmetric-weights", withInput(2, tensorOf("t", time.type, time.shape, { scale: 1, zeroPoint: 1 }))],
    ["bias-length", withInput(3, { data: new Uint8Array(4 * 99) })],
    ["state-size", withInput(4, { shape: [1] })],
    ["not-variable", whole.inputs.with(4, tensorOf("s", base.stateType, [1], { scale: 1 }))],
    ["svdf-rank", whole.inputs, 0],
    ["svdf-rank", whole.inputs, -2],
    ["svdf-rank", whole.inputs, 99],
  ])("refuses with %s", (code, inputs, rank = base.rank) => {
    expect(() => importNode(svdf, inputs, output, { 0: rank })).toThrow(expect.objectContaining({ code }));
  });

  test("takes no bias", () => {
    expect(() => importNode(svdf, whole.inputs.with(3, undefined), output, { 0: base.rank })).not.toThrow();
  });
});
