import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoundNode, Tensor } from "../../src/graph/graph.ts";
import { sigmoidTable } from "../../src/ops/sigmoid-table.ts";
import { unidirectionalSequenceLstm } from "../../src/ops/unidirectional-sequence-lstm.ts";
import type { Kernels } from "../kernel-harness.ts";
import { provedKernels } from "../kernel-harness.ts";
import { importNode, int8Values, weightsFor } from "./node.ts";
import { SIGMOID, sigmoidReference, tanhReference } from "../reference/sigmoid-table.ts";
import type { Lstm, LstmGate } from "../reference/unidirectional-sequence-lstm.ts";
import { lstmReference } from "../reference/unidirectional-sequence-lstm.ts";
import { placeNode, readValues, tensorOf, valuesOf, writeValues } from "./recurrent.ts";

/** In the order of the file's inputs. */
const GATES = ["input", "forget", "cell", "output"] as const;

interface LstmCase {
  readonly lstm: Lstm;
  readonly seed: number;
  /** The output covers input that has been read. */
  readonly shared: boolean;
}

const scale = (low: number, high: number): fc.Arbitrary<number> =>
  fc.double({ min: low, max: high, noNaN: true }).map((power) => Math.fround(10 ** power));

const lstmCase: fc.Arbitrary<LstmCase> = fc
  .record({
    batches: fc.constantFrom(1, 1, 2),
    steps: fc.constantFrom(1, 2, 3),
    depth: fc.constantFrom(1, 2, 3, 5, 8, 17, 65),
    cells: fc.constantFrom(1, 3, 8, 9, 16, 17, 20, 25, 61),
    timeMajor: fc.boolean(),
    type: fc.constantFrom("int8" as const, "int8" as const, "int16" as const),
    inputScale: scale(-4, -1),
    inputZeroPoint: fc.integer({ min: -128, max: 127 }),
    hiddenScale: scale(-5, -2),
    hiddenZeroPoint: fc.integer({ min: -128, max: 127 }),
    cellPower: fc.integer({ min: -16, max: -7 }),
    cellClip: fc.constantFrom(0, 0, 1, 3, 1e-6, 1e9).map(Math.fround),
    weightScale: scale(-3.5, 0),
    recurrentScale: scale(-3.5, -1),
    // Biases beyond int32 with the rest, and beyond int16 without.
    biasBits: fc.constantFrom(7, 12, 20, 31),
    seed: fc.nat(),
    shared: fc.boolean(),
  })
  .map(({ seed, shared, weightScale, recurrentScale, biasBits, ...shape }) => {
    const zero = shape.type === "int16" ? { inputZeroPoint: 0, hiddenZeroPoint: 0 } : {};
    // Elements of int16 are finer, or sums would be all extremes.
    const fine = shape.type === "int16" ? 256 : 1;
    const gate = (index: number): LstmGate => ({
      input: int8Values(seed + index, shape.cells * shape.depth),
      inputScale: Math.fround(weightScale * (1 + index / 8)),
      recurrent: int8Values(seed + 10 + index, shape.cells * shape.cells),
      recurrentScale: Math.fround(recurrentScale * (1 + index / 5)),
      bias: Array.from(int8Values(seed + 20 + index, shape.cells), (x) => x * 2 ** (biasBits - 7)),
    });
    const lstm = {
      ...shape,
      ...zero,
      inputScale: Math.fround(shape.inputScale / fine),
      hiddenScale: Math.fround(shape.hiddenScale / fine),
      input: gate(0),
      forget: gate(1),
      cell: gate(2),
      output: gate(3),
    };
    return { lstm, seed, shared };
  });

function nodeOf(lstm: Lstm): BoundNode {
  const { batches, steps, depth, cells, timeMajor, type } = lstm;
  const leading = timeMajor ? [steps, batches] : [batches, steps];
  const hidden = { scale: lstm.hiddenScale, zeroPoint: lstm.hiddenZeroPoint };
  const inputs: (Tensor | undefined)[] = Array.from({ length: 24 }, () => undefined);
  inputs[0] = tensorOf("x", type, [...leading, depth], {
    scale: lstm.inputScale,
    zeroPoint: lstm.inputZeroPoint,
  });
  for (const [i, name] of GATES.entries()) {
    const { input, inputScale, recurrent, recurrentScale, bias } = lstm[name];
    inputs[1 + i] = tensorOf(`${name}.w`, "int8", [cells, depth], { scale: inputScale }, input);
    inputs[5 + i] = tensorOf(`${name}.r`, "int8", [cells, cells], { scale: recurrentScale }, recurrent);
    inputs[12 + i] =
      type === "int8"
        ? tensorOf(`${name}.b`, "int32", [cells], { scale: 1 }, Int32Array.from(bias))
        : tensorOf(`${name}.b`, "int64", [cells], { scale: 1 }, BigInt64Array.from(bias.map(BigInt)));
  }
  inputs[18] = { ...tensorOf("h", type, [batches, cells], hidden), isVariable: true };
  inputs[19] = {
    ...tensorOf("c", "int16", [batches, cells], { scale: 2 ** lstm.cellPower }),
    isVariable: true,
  };
  return importNode(
    unidirectionalSequenceLstm,
    inputs,
    tensorOf("y", type, [...leading, cells], hidden),
    OPTIONS(lstm),
  );
}

const OPTIONS = ({ cellClip, timeMajor }: Lstm): Record<number, number | boolean> => ({
  0: 4,
  1: cellClip,
  3: timeMajor,
});

/** Two runs one after the other, from a state with extremes. */
function check(kernels: Kernels, { lstm: drawn, seed, shared }: LstmCase): Set<number> {
  const taken = (gate: LstmGate): LstmGate => ({
    ...gate,
    input: weightsFor(kernels.variant, gate.input),
    recurrent: weightsFor(kernels.variant, gate.recurrent),
  });
  const gates = { input: taken(drawn.input), forget: taken(drawn.forget) };
  const lstm = { ...drawn, ...gates, cell: taken(drawn.cell), output: taken(drawn.output) };
  const { batches, steps, depth, cells, type } = lstm;
  const { input, output, states, run } = placeNode(unidirectionalSequenceLstm, nodeOf(lstm), kernels, shared);
  const [hidden = 0, cell = 0] = ["hidden", "cell"].map((operand) => states.get(operand));
  const state = {
    hidden: valuesOf(type, seed + 30, batches * cells),
    cell: valuesOf("int16", seed + 31, batches * cells),
  };
  writeValues(kernels, hidden, type, state.hidden);
  writeValues(kernels, cell, "int16", state.cell);
  const seen = new Set<number>();
  for (const round of [0, 1]) {
    const x = valuesOf(type, seed + 40 + round, batches * steps * depth);
    writeValues(kernels, input, type, x);
    run();
    const expected = lstmReference(lstm, x, state);
    expect(readValues(kernels, output, type, expected.length)).toEqual(expected);
    expect(readValues(kernels, hidden, type, state.hidden.length)).toEqual(state.hidden);
    expect(readValues(kernels, cell, "int16", state.cell.length)).toEqual(state.cell);
    for (const value of expected) seen.add(value);
  }
  return seen;
}

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "unidirectionalSequenceLstm (%s)",
  (_, kernels) => {
    test("equals the reference for any size, scales and state, run after run", () => {
      const seen = { int8: new Set<number>(), int16: new Set<number>() };
      fc.assert(
        fc.property(lstmCase, (c) => {
          for (const value of check(kernels, c)) seen[c.lstm.type].add(value);
        }),
        { numRuns: 150 },
      );
      expect(seen.int8.size).toBeGreaterThan(200);
      expect(seen.int16.size).toBeGreaterThan(200);
    });

    test("sums of int16 may go far beyond int32", () => {
      const depth = 3001;
      const extreme: LstmGate = {
        input: new Int8Array(depth).fill(-128),
        inputScale: Math.fround(1e-5),
        recurrent: Int8Array.of(1),
        recurrentScale: 1,
        bias: [2 ** 33],
      };
      const lstm: Lstm = {
        ...{ batches: 1, steps: 1, depth, cells: 1, timeMajor: false, type: "int16" },
        ...{ inputScale: Math.fround(2e-5), inputZeroPoint: 0, hiddenScale: 2 ** -15, hiddenZeroPoint: 0 },
        ...{ cellPower: -12, cellClip: 0, input: extreme, forget: extreme, cell: extreme, output: extreme },
      };
      const { input, output, states, run } = placeNode(unidirectionalSequenceLstm, nodeOf(lstm), kernels);
      for (const x of [-32768, 32767]) {
        const values = Array<number>(depth).fill(x);
        writeValues(kernels, input, "int16", values);
        for (const address of states.values()) writeValues(kernels, address, "int16", [77]);
        run();
        const expected = lstmReference(lstm, values, { hidden: [77], cell: [77] });
        expect(readValues(kernels, output, "int16", 1)).toEqual(expected);
      }
    });
  },
);

test("the table is that of the numerics, and no entry is near a half", () => {
  expect([...sigmoidTable()]).toEqual(SIGMOID.map((value) => value - 32768));
  for (let i = 0; i < 256; i++) {
    const exact = 65536 / (1 + Math.exp(-i / 24));
    expect(Math.abs((exact % 1) - 0.5)).toBeGreaterThan(1e-6);
  }
});

test("the reference's functions are sigmoid and tanh", () => {
  for (let t = -98304; t <= 98301; t += 37) {
    const x = t / 3 / 4096;
    expect(Math.abs(sigmoidReference(t) / 32768 - 1 / (1 + Math.exp(-x)))).toBeLessThan(2e-4);
    expect(Math.abs(tanhReference(t) / 32768 - Math.tanh(x))).toBeLessThan(3e-4);
  }
});

test("the reference gives the values that the formulas give by hand", () => {
  const zero = Int8Array.of(0);
  const gate = { input: zero, inputScale: 1, recurrent: zero, recurrentScale: 1, bias: [0] };
  const lstm: Lstm = {
    ...{ batches: 1, steps: 1, depth: 1, cells: 1, timeMajor: false, type: "int8" },
    ...{ inputScale: 2 ** -12, inputZeroPoint: 0, hiddenScale: 2 ** -7, hiddenZeroPoint: 10 },
    ...{ cellPower: -12, cellClip: 0, input: gate, forget: gate, cell: gate, output: gate },
  };
  const state = { hidden: [0], cell: [8192] };
  // All gates are sigmoid(0) = 16384, tanh(0) = 0: the cell state halves to 1.0, tanh(1) · 0.5 = 0.3808 = 48.7 / 128.
  expect(lstmReference(lstm, [5], state)).toEqual([59]);
  expect(state).toEqual({ hidden: [59], cell: [4096] });
});

describe("prepare", () => {
  const wide = lstmCase.filter(({ lstm }) => lstm.cells > 1);
  const base = fc.sample(wide, { numRuns: 1, seed: 3 })[0]?.lstm as Lstm;
  const whole = nodeOf({ ...base, type: "int8" });
  const [output] = whole.outputs as [Tensor];
  const prepare = (inputs: BoundNode["inputs"], fields: Record<number, number | boolean> = OPTIONS(base)) =>
    importNode(unidirectionalSequenceLstm, inputs, output, fields);
  const withInput = (index: number, change: Partial<Tensor> | undefined): BoundNode["inputs"] =>
    whole.inputs.with(index, change && { ...(whole.inputs[index] ?? output), ...change });

  test.each<[string, BoundNode["inputs"], Record<number, number | boolean>?]>([
    ["input-count", whole.inputs.slice(0, 20)],
    ["missing-input", withInput(3, undefined)],
    ["missing-input", withInput(13, undefined)],
    ["missing-input", withInput(18, undefined)],
    ["lstm-variant", withInput(9, {})],
    ["lstm-variant", withInput(16, {})],
    ["lstm-variant", withInput(20, {})],
    ["unsupported-rank", withInput(0, { shape: [2, 2] })],
    ["unsupported-type", withInput(0, { type: "float32" })],
    ["unsupported-type", withInput(0, { type: "int16" })],
    ["unsupported-type", withInput(1, { type: "int16" })],
    ["not-constant", whole.inputs.with(1, tensorOf("w", "int8", whole.inputs[1]?.shape ?? [], { scale: 1 }))],
    ["weight-shape", withInput(2, { shape: [1, 99] })],
    ["weight-shape", withInput(6, { shape: [1, 99] })],
    ["unsupported-type", withInput(12, { type: "int64" })],
    ["bias-length", withInput(12, { shape: [99] })],
    ["state-size", withInput(18, { shape: [99] })],
    ["state-size", withInput(19, { shape: [99] })],
    ["unsupported-type", withInput(18, { type: "int16" })],
    ["unsupported-type", withInput(19, { type: "int8" })],
    ["not-variable", whole.inputs.with(19, tensorOf("c", "int16", [1], { scale: 1 }))],
    ["cell-scale", withInput(19, tensorOf("c", "int16", whole.inputs[19]?.shape ?? [], { scale: 0.001 }))],
    ["unsupported-activation", whole.inputs, { ...OPTIONS(base), 0: 1 }],
    ["unsupported-activation", whole.inputs, { ...OPTIONS(base), 5: true }],
    ["cell-clip", whole.inputs, { ...OPTIONS(base), 1: -1 }],
  ])("refuses with %s", (code, inputs, fields) => {
    expect(() => prepare(inputs, fields)).toThrow(expect.objectContaining({ code }));
  });

  test("refuses int16 with zero points, and multipliers that its arithmetic cannot take", () => {
    const int16: Lstm = { ...base, type: "int16", inputZeroPoint: 1, hiddenZeroPoint: 0, inputScale: 1e-5 };
    expect(() => nodeOf(int16)).toThrow(expect.objectContaining({ code: "asymmetric-int16" }));
    expect(() => nodeOf({ ...int16, inputZeroPoint: 0, inputScale: 1 })).toThrow(
      expect.objectContaining({ code: "multiplier-too-large" }),
    );
  });

  test("refuses weights per channel", () => {
    const { cells } = base;
    const quantization = {
      scales: new Float32Array(cells).fill(1),
      zeroPoints: new Int32Array(cells),
      axis: 0,
    };
    expect(() => prepare(withInput(1, { quantization }))).toThrow(
      expect.objectContaining({ code: "per-channel-weights" }),
    );
  });
});
