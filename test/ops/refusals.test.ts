import { expect, test } from "vitest";
import { compile, ThimbleError } from "../../src/index.ts";
import type { OptionField, WrittenTensor } from "../model-writer.ts";
import { writeModel } from "../model-writer.ts";
import { elementCount } from "../../src/plan/shape.ts";

type Operand = Omit<WrittenTensor, "name">;

const Q = { scales: [0.1], zeroPoints: [0] };

function int8(shape: number[], quantization: { scales?: number[]; zeroPoints?: number[] } = Q): Operand {
  return { shape, type: "int8", ...Q, ...quantization };
}

function int16(shape: number[], zeroPoint = 0): Operand {
  return { shape, type: "int16", scales: [0.1], zeroPoints: [zeroPoint] };
}

function constant(values: readonly number[], shape = [values.length]): Operand {
  return { shape, type: "int32", data: Int32Array.from(values) };
}

const weights = (shape: number[], axis = 0): Operand => ({
  ...int8(shape),
  axis,
  data: new Int8Array(elementCount(shape)),
});
const bool = (shape: number[]): Operand => ({ shape, type: "bool" });
const index = (shape: number[]): Operand => ({ shape, type: "int32" });

function refusalOf(
  builtin: number,
  operands: readonly Operand[],
  outputs: readonly Operand[],
  options: readonly OptionField[] = [],
): ThimbleError | undefined {
  const tensors = [...operands, ...outputs].map((tensor, i): WrittenTensor => ({ ...tensor, name: `t${i}` }));
  const ids = [...tensors.keys()];
  const operatorInputs = ids.slice(0, operands.length);
  const model = writeModel({
    tensors,
    operators: [{ builtin, inputs: operatorInputs, outputs: ids.slice(operands.length), options }],
    inputs: operatorInputs.filter((i) => tensors[i]?.data === undefined),
    outputs: ids.slice(operands.length),
  });
  try {
    // As it is: passes would drop what does nothing.
    compile(model, { passes: [] });
  } catch (error) {
    if (error instanceof ThimbleError) return error;
    throw error;
  }
  return undefined;
}

type Case = readonly [
  code: string,
  what: string,
  builtin: number,
  operands: readonly Operand[],
  outputs: readonly Operand[],
  options?: readonly OptionField[],
];

const BLOCK = constant([2, 2]);
const NONE = constant([0, 0, 0, 0], [2, 2]);

const COARSE: Operand = { shape: [4], type: "int16", scales: [5.4], zeroPoints: [0] };
const UNIT: Operand = { ...COARSE, scales: [1 / 32768] };

const CASES: readonly Case[] = [
  ["multiplier-too-large", "LOGISTIC of coarse int16", 14, [COARSE], [UNIT]],
  ["multiplier-too-large", "TANH of coarse int16", 28, [COARSE], [UNIT]],
  ["unsupported-type", "MUL of int16 and int8", 18, [int16([4]), int8([4])], [int16([4])]],
  ["unsupported-type", "MINIMUM of int16 and int8", 57, [int16([4]), int8([4])], [int16([4])]],
  ["unsupported-type", "MAXIMUM of int16 and int8", 55, [int16([4]), int8([4])], [int16([4])]],
  ["unsupported-type", "SQUARED_DIFFERENCE of int16 and int8", 99, [int16([4]), int8([4])], [int16([4])]],
  ["unsupported-type", "ADD of int16 and int8", 0, [int16([4]), int8([4])], [int16([4])]],
  ["unsupported-type", "PRELU of int8 with a slope of int16", 54, [int8([4]), int16([4])], [int8([4])]],
  [
    "bad-block",
    "SPACE_TO_BATCH_ND in blocks of a record for each of 1,056 elements",
    38,
    [int8([1, 33, 32, 1]), constant([33, 32]), NONE],
    [int8([1056, 1, 1, 1])],
  ],
  ["input-count", "ADD_N of one tensor", 106, [int8([2])], [int8([2])]],
  ["shape-mismatch", "ADD_N of two shapes", 106, [int8([2]), int8([3])], [int8([2])]],
  [
    "unequal-quantization",
    "ADD_N of two scales",
    106,
    [int8([2]), int8([2], { scales: [0.2] })],
    [int8([2])],
  ],
  [
    "output-scale-too-small",
    "ADD_N to a tiny scale",
    106,
    [int8([2]), int8([2])],
    [int8([2], { scales: [1e-9] })],
  ],
  ["unsupported-type", "ARG_MAX to int8", 56, [int8([2, 3]), constant([1])], [int8([2])]],
  ["bad-block", "batches that make no blocks", 37, [int8([3, 2, 2, 1]), BLOCK, NONE], [int8([1, 4, 4, 1])]],
  ["bad-block", "an image that makes no blocks", 38, [int8([1, 3, 2, 1]), BLOCK, NONE], [int8([4, 1, 1, 1])]],
  ["shapes-do-not-broadcast", "BROADCAST_TO of 2 to 3", 130, [int8([2]), constant([3])], [int8([3])]],
  ["scale-too-large", "GREATER of scale 2", 61, [int8([2], { scales: [2] }), int8([2])], [bool([2])]],
  ["unsupported-type", "DEQUANTIZE to int8", 6, [int8([2])], [int8([2])]],
  ["bad-axis", "EXPAND_DIMS at 5 of 1", 70, [int8([2]), constant([5])], [int8([2, 1])]],
  ["bad-axis", "SQUEEZE of a dimension of 2", 43, [int8([2, 1])], [int8([1])], [{ ints: [0] }]],
  [
    "bad-fill",
    "FILL with two values",
    94,
    [constant([4]), { ...int8([2]), data: Int8Array.of(1, 2) }],
    [int8([4])],
  ],
  [
    "bad-axis",
    "GATHER along axis 4 of 1",
    36,
    [int8([2]), index([1])],
    [int8([1])],
    [{ int: 4 }, { int: 0 }],
  ],
  ["unsupported-type", "GATHER by int8", 36, [int8([2]), int8([1])], [int8([1])], [{ int: 0 }, { int: 0 }]],
  [
    "index-out-of-range",
    "GATHER of element 7 of 2",
    36,
    [int8([2]), constant([7])],
    [int8([1])],
    [{ int: 0 }, { int: 0 }],
  ],
  ["normalization-depth", "L2_NORMALIZATION of 200,000", 11, [int8([1, 200_000])], [int8([1, 200_000])]],
  ["unsupported-activation", "L2_NORMALIZATION with RELU", 11, [int8([1, 2])], [int8([1, 2])], [{ byte: 1 }]],
  ["logistic-output", "LOGISTIC to zero point 0", 14, [int8([2])], [int8([2], { scales: [1 / 256] })]],
  [
    "shape-mismatch",
    "PACK of two shapes",
    83,
    [int8([2]), int8([3])],
    [int8([2, 2])],
    [{ int: 2 }, { int: 0 }],
  ],
  [
    "not-constant",
    "PADV2 with a computed value",
    60,
    [int8([2]), constant([1, 1], [1, 2]), int8([1])],
    [int8([4])],
  ],
  ["output-count", "SPLIT in 3 to one tensor", 49, [constant([0]), int8([6])], [int8([2])], [{ int: 3 }]],
  ["bad-split", "SPLIT of 5 in 2", 49, [constant([0]), int8([5])], [int8([2]), int8([3])], [{ int: 2 }]],
  [
    "bad-split",
    "SPLIT_V of 5 to 2 and 2",
    102,
    [int8([5]), constant([2, 2]), constant([0])],
    [int8([2]), int8([2])],
    [{ int: 2 }],
  ],
  ["bad-split", "UNPACK of 3 to 2", 88, [int8([3, 2])], [int8([2]), int8([2])], [{ int: 2 }, { int: 0 }]],
  [
    "unequal-quantization",
    "REDUCE_MAX to another scale",
    82,
    [int8([2, 3]), constant([1])],
    [int8([2], { scales: [0.2] })],
    [{ bool: false }],
  ],
  ["unsupported-type", "SELECT_V2 by int8", 123, [int8([2]), int8([2]), int8([2])], [int8([2])]],
  [
    "unsupported-rank",
    "SELECT_V2 in 6 dimensions",
    123,
    [bool([1, 1, 1, 1, 1, 2]), int8([2]), int8([2])],
    [int8([1, 1, 1, 1, 1, 2])],
  ],
  [
    "unsupported-slice",
    "STRIDED_SLICE with an ellipsis",
    45,
    [int8([4]), constant([0]), constant([2]), constant([1])],
    [int8([2])],
    [{ int: 0 }, { int: 0 }, { int: 1 }],
  ],
  [
    "bad-slice",
    "STRIDED_SLICE of element 9 of 4",
    45,
    [int8([4, 2]), constant([9, 0]), constant([10, 2]), constant([1, 1])],
    [int8([2])],
    [{ int: 0 }, { int: 0 }, { int: 0 }, { int: 0 }, { int: 1 }],
  ],
  ["asymmetric-int16", "ADD of int16 with zero point 3", 0, [int16([2], 3), int16([2])], [int16([2])]],
  [
    "not-constant",
    "an int16 layer whose bias is computed",
    9,
    [int16([1, 4]), weights([2, 4]), index([2])],
    [int16([1, 2])],
  ],
  [
    "unsupported-type",
    "an int16 layer with a bias of int8",
    9,
    [int16([1, 4]), weights([2, 4]), { ...int8([2]), data: new Int8Array(2) }],
    [int16([1, 2])],
  ],
  [
    "bias-length",
    "an int16 layer with one bias for two channels",
    9,
    [int16([1, 4]), weights([2, 4]), constant([1])],
    [int16([1, 2])],
  ],
  [
    "multiplier-too-large",
    "an int16 layer to a tiny scale",
    9,
    [int16([1, 4]), weights([2, 4])],
    [{ ...int16([1, 2]), scales: [1e-6] }],
  ],
];

/** What is wrong, then what to do about it. */
const MEND = /; .*\b(again|before|cast|export|fewer|instead|parts|quantise|reshape|steps|use)\b/;

for (const [code, what, builtin, operands, outputs, options] of CASES) {
  test(`${what}: ${code}`, () => {
    const refusal = refusalOf(builtin, operands, outputs, options);
    expect(refusal?.code).toBe(code);
    expect(refusal?.message, "how to mend it").toMatch(MEND);
  });
}
