import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Image } from "../../src/emit/image.ts";
import { planToVerify } from "../../src/emit/image.ts";
import { ExecutionError } from "../../src/errors.ts";
import { Header } from "../../src/plan/format.ts";
import type { RecordOp } from "../../src/plan/record.ts";
import { decodeRecord, recordBytes } from "../../src/plan/record.ts";
import type { Variant } from "../../src/plan/variant.ts";
import type { PlanToVerify } from "../../src/plan/verify.ts";
import { verifyPlan } from "../../src/plan/verify.ts";
import { moved } from "../emit/moved-image.ts";
import { provedKernels } from "../kernel-harness.ts";
import type { OptionField, WrittenTensor } from "../model-writer.ts";
import { writeModel } from "../model-writer.ts";
import { expectHarmless } from "./harmless.ts";
import { findBreak } from "./oracle.ts";

type Operand = Omit<WrittenTensor, "name">;

/** A model of one operator: its operands, outputs and options. */
interface Written {
  readonly builtin: number;
  readonly operands: readonly Operand[];
  readonly outputs: readonly Operand[];
  readonly options?: readonly OptionField[];
}

const int8 = (shape: readonly number[], scale = 0.05, zeroPoint = 3): Operand => ({
  shape,
  scales: [scale],
  zeroPoints: [zeroPoint],
});
const int16 = (shape: readonly number[], scale = 0.001, zeroPoint = 0): Operand => ({
  shape,
  type: "int16",
  scales: [scale],
  zeroPoints: [zeroPoint],
});
const constant = (operand: Operand): Operand => ({
  ...operand,
  data: new Int8Array(operand.shape.reduce((a, b) => a * b, operand.type === "int16" ? 2 : 1)).fill(3),
});
const ints = (...values: number[]): Operand => ({
  shape: [values.length],
  type: "int32",
  data: Int32Array.from(values),
});
const weights = (...shape: number[]): Operand => constant(int8(shape, 0.01, 0));

/** Models whose one record, or the records of whose one operator, are of these kinds. */
const MODELS: Readonly<Partial<Record<RecordOp, Written>>> = {
  reduceExtreme: {
    builtin: 82,
    operands: [int8([2, 3, 4]), ints(1)],
    outputs: [int8([2, 4])],
    options: [{ bool: false }],
  },
  argExtreme: {
    builtin: 56,
    operands: [int8([2, 3, 4]), ints(1)],
    outputs: [{ shape: [2, 4], type: "int32" }],
  },
  cumsum: {
    builtin: 128,
    operands: [int8([2, 3, 4]), ints(1)],
    outputs: [int8([2, 3, 4], 0.1)],
    options: [{ bool: true }, { bool: true }],
  },
  l2Normalization: {
    builtin: 11,
    operands: [int8([3, 5])],
    outputs: [int8([3, 5], 1 / 128, 0)],
    options: [{ byte: 0 }],
  },
  logSoftmax: { builtin: 50, operands: [int8([3, 5])], outputs: [int8([3, 5], 1 / 16, 127)] },
  softmaxToInt16: {
    builtin: 25,
    operands: [int8([3, 5])],
    outputs: [int16([3, 5], 2 ** -16, -32768)],
    options: [{ float: 1 }],
  },
  softmaxInt16: {
    builtin: 25,
    operands: [int16([3, 5])],
    outputs: [int16([3, 5], 2 ** -15)],
    options: [{ float: 1 }],
  },
  meanInt16: {
    builtin: 40,
    operands: [int16([2, 3, 4]), ints(1)],
    outputs: [int16([2, 4])],
    options: [{ bool: false }],
  },
  cast: { builtin: 53, operands: [int8([7])], outputs: [{ shape: [7], type: "int32" }] },
  convert: { builtin: 114, operands: [int16([7])], outputs: [int8([7])] },
  gather: {
    builtin: 36,
    operands: [int8([4, 3]), { shape: [2], type: "int32" }],
    outputs: [int8([2, 3])],
    options: [{ int: 0 }, { int: 0 }],
  },
  select: {
    builtin: 123,
    operands: [{ shape: [3, 1], type: "bool" }, int8([3, 4]), int8([4])],
    outputs: [int8([3, 4])],
  },
  batchMatmul: {
    builtin: 126,
    operands: [int16([2, 3, 5]), constant(int16([5, 2]))],
    outputs: [int16([2, 3, 2])],
    options: [{ bool: false }, { bool: false }],
  },
  conv2dInt16: {
    builtin: 67,
    operands: [ints(1, 5, 4, 2), weights(2, 3, 2, 3), int16([1, 3, 2, 3])],
    outputs: [int16([1, 5, 4, 2])],
    options: [{ byte: 0 }, { int: 2 }, { int: 2 }, { byte: 0 }],
  },
  elementwiseInt16: {
    builtin: 54,
    operands: [int16([3, 4]), constant(int8([4], 0.01))],
    outputs: [int16([3, 4])],
  },
  scaleInt16: { builtin: 19, operands: [int16([9])], outputs: [int16([9])] },
  sigmoidInt16: { builtin: 14, operands: [int16([9])], outputs: [int16([9], 2 ** -15)] },
  pool2dInt16: {
    builtin: 1,
    operands: [int16([1, 4, 3, 2])],
    outputs: [int16([1, 2, 2, 2])],
    options: [{ byte: 0 }, { int: 2 }, { int: 2 }, { int: 3 }, { int: 3 }, { byte: 0 }],
  },
  addN: {
    builtin: 106,
    operands: [int8([2, 5]), int8([2, 5]), constant(int8([2, 5]))],
    outputs: [int8([2, 5], 0.1)],
  },
};

function imageOf({ builtin, operands, outputs, options = [] }: Written, variant: Variant): Image {
  const tensors = [...operands, ...outputs].map((tensor, i) => ({ ...tensor, name: `t${i}` }));
  const [inputs, results] = [operands.map((_, i) => i), outputs.map((_, i) => operands.length + i)];
  const model = writeModel({
    tensors,
    operators: [{ builtin, inputs, outputs: results, options }],
    inputs: inputs.filter((i) => tensors[i]?.data === undefined),
    outputs: results,
  });
  const image = compile(model, { variant, sram: "unbounded", schedule: "layer" });
  // Room to move to.
  const ramBytes = image.report.ramBytes + 256;
  new DataView(image.sram.buffer).setUint32(4 * Header.ramBytes, ramBytes, true);
  return { ...image, report: { ...image.report, ramBytes } };
}

function isAccepted(plan: PlanToVerify): boolean {
  try {
    verifyPlan(plan);
    return true;
  } catch (error) {
    if (error instanceof ExecutionError) return false;
    throw error;
  }
}

/** Operators of the records in order, and the first word behind them. */
function recordsIn(sram: Uint8Array): { readonly ops: RecordOp[]; readonly end: number } {
  const words = new Int32Array(sram.slice(0, sram.length & ~3).buffer);
  const ops: RecordOp[] = [];
  for (let at: number = Header.words; ;) {
    const op = decodeRecord(words, at)?.op ?? "end";
    if (op === "end") return { ops, end: at };
    ops.push(op);
    at += recordBytes(op) / 4;
  }
}

const word = fc.oneof(
  fc.integer({ min: -4, max: 64 }),
  fc.integer(),
  fc.constantFrom(0x7fffffff, -0x80000000, 0x10000, 0x40000000),
);

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "records of whole tensors (%s)",
  (variant, kernels) => {
    test.each(Object.entries(MODELS))("%s", (op, written) => {
      const image = imageOf(written, variant);
      const plan = planToVerify(image);
      const { ops, end } = recordsIn(plan.sram);
      expect(ops).toContain(op);
      expect(findBreak(plan)).toBeUndefined();
      expect(isAccepted(plan)).toBe(true);

      // Moved onto what is still needed, or out of memory.
      const values = [...new Set([...image.inputs, ...image.outputs].map(({ value }) => value))];
      let broken = 0;
      fc.assert(
        fc.property(fc.nat(99), fc.integer({ min: -40, max: 80 }), (pick, distance) => {
          const other = planToVerify(moved(image, values[pick % values.length] ?? NaN, 4 * distance));
          if (findBreak(other) === undefined) return;
          broken++;
          expect(isAccepted(other)).toBe(false);
        }),
        { numRuns: 100 },
      );
      expect(broken).toBeGreaterThan(5);

      // With any word changed: refused, or harmless.
      fc.assert(
        fc.property(fc.noBias(fc.nat(2 ** 30)), word, fc.boolean(), (at, value, adds) => {
          const sram = plan.sram.slice();
          const words = new Int32Array(sram.buffer, 0, sram.length >> 2);
          const index = Header.words + (at % (end - Header.words));
          words[index] = adds ? (words[index] ?? 0) + value : value;
          const changed = { ...plan, sram };
          if (!isAccepted(changed)) return;
          expect(findBreak(changed)).toBeUndefined();
          expectHarmless(kernels, changed);
        }),
        { numRuns: 150 },
      );
    });
  },
);
