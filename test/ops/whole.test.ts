import fc from "fast-check";
import { expect, test } from "vitest";
import type { Int8Output, Int8Tensor } from "../reference/tensor.ts";
import { coordinates, count } from "../reference/tensor.ts";
import {
  addNReference,
  argReference,
  batchMatmulReference,
  cumsumReference,
  extremeReference,
  l2NormalizationReference,
  logSoftmaxReference,
  sumReference,
  transposeConvReference,
} from "../reference/whole.ts";
import { zeroPoint } from "./elementwise.ts";
import { int8Values } from "./node.ts";
import type { Operand, OperatorCase } from "./operator.ts";
import { checkOperator } from "./operator.ts";

const size = fc.integer({ min: 1, max: 6 });
const shape = fc.array(size, { minLength: 1, maxLength: 4 });
const scale = fc.double({ min: -3, max: 0, noNaN: true }).map((power) => Math.fround(10 ** power));

const tensor: fc.Arbitrary<Int8Tensor> = fc
  .record({ shape, scale, zeroPoint, seed: fc.nat() })
  .map(({ seed, ...rest }) => ({ ...rest, values: int8Values(seed, count(rest.shape)) }));

/** With slices that are copied in one piece. */
const wideTensor: fc.Arbitrary<Int8Tensor> = fc
  .record({ rows: fc.integer({ min: 1, max: 5 }), scale, zeroPoint, seed: fc.nat() })
  .map(({ rows, seed, ...rest }) => ({ ...rest, shape: [rows, 70], values: int8Values(seed, 70 * rows) }));

function operand({ shape, scale, zeroPoint, values }: Int8Tensor, isConstant = false): Operand {
  return { shape, type: "int8", scales: [scale], zeroPoints: [zeroPoint], values, isConstant };
}

function int32(values: readonly number[], isConstant = true, of = [values.length]): Operand {
  return { shape: of, type: "int32", values: Int32Array.from(values), isConstant };
}

function result(
  { shape, scale, zeroPoint }: Int8Output,
  expected: Int8Array,
): OperatorCase["outputs"][number] {
  return { shape, type: "int8", scales: [scale], zeroPoints: [zeroPoint], expected };
}

async function holds<T>(
  cases: fc.Arbitrary<T>,
  caseOf: (drawn: T) => OperatorCase,
  numRuns = 20,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(cases, (drawn) => checkOperator(caseOf(drawn))),
    { numRuns },
  );
}

const reduction = fc.record({
  input: tensor,
  bits: fc.integer({ min: 1, max: 15 }),
  keeps: fc.boolean(),
  output: fc.record({ scale, zeroPoint }),
});

function axesOf({ shape }: Int8Tensor, bits: number): number[] {
  const axes = shape.flatMap((_, axis) => ((bits >> axis) & 1 ? [axis] : []));
  return axes.length > 0 ? axes : [0];
}

function reducedShape({ shape }: Int8Tensor, axes: readonly number[], keeps: boolean): number[] {
  return keeps
    ? shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
    : shape.filter((_, axis) => !axes.includes(axis));
}

test("sum equals the reference", async () => {
  await holds(reduction, ({ input, bits, keeps, output }) => {
    const axes = axesOf(input, bits);
    const made = { shape: reducedShape(input, axes, keeps), ...output };
    return {
      builtin: 74,
      options: [{ bool: keeps }],
      operands: [operand(input), int32(axes.map((axis) => (keeps ? axis - input.shape.length : axis)))],
      outputs: [result(made, sumReference(input, axes, made))],
    };
  });
});

test.each([
  ["reduceMax", 82],
  ["reduceMin", 89],
])("%s equals the reference", async (name, builtin) => {
  await holds(reduction, ({ input, bits, keeps }) => {
    const axes = axesOf(input, bits);
    const made = { ...input, shape: reducedShape(input, axes, keeps) };
    return {
      builtin,
      options: [{ bool: keeps }],
      operands: [operand(input), int32(axes)],
      outputs: [result(made, extremeReference(input, axes, name === "reduceMax"))],
    };
  });
});

test.each([
  ["argMax", 56],
  ["argMin", 79],
])("%s equals the reference", async (name, builtin) => {
  await holds(fc.tuple(tensor, fc.nat(9)), ([input, bits]) => {
    const axis = bits % input.shape.length;
    return {
      builtin,
      operands: [operand(input), int32([bits & 4 ? axis - input.shape.length : axis], true, [])],
      outputs: [
        {
          shape: input.shape.toSpliced(axis, 1),
          type: "int32",
          expected: argReference(input, axis, name === "argMax"),
        },
      ],
    };
  });
});

test("cumsum equals the reference", async () => {
  const cases = fc.tuple(tensor, fc.nat(9), fc.boolean(), fc.boolean(), fc.record({ scale, zeroPoint }));
  await holds(cases, ([input, bits, exclusive, reverse, output]) => {
    const axis = bits % input.shape.length;
    const made = { shape: input.shape, ...output };
    return {
      builtin: 128,
      options: [{ bool: exclusive }, { bool: reverse }],
      operands: [operand(input), int32([axis], true, [])],
      outputs: [result(made, cumsumReference(input, axis, exclusive, reverse, made))],
    };
  });
});

test("addN equals the reference", async () => {
  const cases = fc.record({
    count: fc.oneof(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 5, max: 15 })),
    shape,
    scale,
    zeroPoint,
    spread: fc.double({ min: 0, max: 1, noNaN: true }),
    outputZeroPoint: zeroPoint,
    isConstant: fc.boolean(),
    seed: fc.nat(),
  });
  await holds(cases, ({ count: inputs, shape, spread, outputZeroPoint, isConstant, seed, ...q }) => {
    const tensors = Array.from({ length: inputs }, (_, i) => ({
      shape,
      ...q,
      values: int8Values(seed + i, count(shape)),
    }));
    const made = { shape, scale: Math.fround(q.scale * 10 ** spread), zeroPoint: outputZeroPoint };
    return {
      builtin: 106,
      operands: tensors.map((tensor, i) => operand(tensor, isConstant && i === 1)),
      outputs: [result(made, addNReference(tensors, made))],
    };
  });
});

test("l2Normalization equals the reference", async () => {
  await holds(tensor, (input) => {
    const made = { shape: input.shape, scale: 1 / 128, zeroPoint: 0 };
    return {
      builtin: 11,
      options: [{ byte: 0 }],
      operands: [operand(input)],
      outputs: [result(made, l2NormalizationReference(input))],
    };
  });
});

test("logSoftmax equals the reference", async () => {
  await holds(
    tensor,
    (input) => {
      const made = { shape: input.shape, scale: 1 / 16, zeroPoint: 127 };
      return {
        builtin: 50,
        operands: [operand(input)],
        outputs: [result(made, logSoftmaxReference(input))],
      };
    },
    30,
  );
});

test("logSoftmax of more equal values than its fixed-point sums have bits for", async () => {
  const input = { shape: [1, 2100], scale: 1, zeroPoint: 0, values: new Int8Array(2100) };
  const made = { shape: input.shape, scale: 1 / 16, zeroPoint: 127 };
  await checkOperator({
    builtin: 50,
    operands: [operand(input)],
    outputs: [result(made, logSoftmaxReference(input))],
  });
});

test("batchMatmul equals the reference", async () => {
  const cases = fc.record({
    batches: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean()), { maxLength: 3 }),
    sizes: fc.tuple(size, fc.integer({ min: 1, max: 20 }), size),
    transposes: fc.tuple(fc.boolean(), fc.boolean()),
    seeds: fc.tuple(fc.nat(), fc.nat()),
    zeroPoints: fc.tuple(zeroPoint, zeroPoint, zeroPoint),
    dropped: fc.nat(3),
    isConstant: fc.boolean(),
  });
  await holds(
    cases,
    ({ batches, sizes: [rows, depth, columns], transposes, seeds, zeroPoints, dropped, isConstant }) => {
      const [transposeLhs, transposeRhs] = transposes;
      const lhsBatch = batches.map(([n, repeats]) => (repeats ? 1 : n));
      const rhsBatch = batches.map(([n, , repeats]) => (repeats ? 1 : n));
      const made = {
        shape: [...lhsBatch.map((n, i) => Math.max(n, rhsBatch[i] ?? 1)), rows, columns],
        scale: Math.fround(0.002 * depth),
        zeroPoint: zeroPoints[2],
      };
      // Leading dimensions that are 1 may be missing.
      const kept = rhsBatch.slice(0, dropped).every((n) => n === 1) ? rhsBatch.slice(dropped) : rhsBatch;
      const matrix = (shape: number[], i: 0 | 1): Int8Tensor => ({
        shape,
        scale: Math.fround(0.05),
        zeroPoint: zeroPoints[i],
        values: int8Values(seeds[i], count(shape)),
      });
      const lhs = matrix([...lhsBatch, ...(transposeLhs ? [depth, rows] : [rows, depth])], 0);
      const rhs = matrix([...kept, ...(transposeRhs ? [columns, depth] : [depth, columns])], 1);
      return {
        builtin: 126,
        options: [{ bool: transposeLhs }, { bool: transposeRhs }],
        operands: [operand(lhs), operand(rhs, isConstant)],
        outputs: [result(made, batchMatmulReference(lhs, rhs, transposeLhs, transposeRhs, made))],
      };
    },
  );
});

test("transposeConv equals the reference", async () => {
  const cases = fc.record({
    input: fc.tuple(
      fc.constantFrom(1, 1, 2),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 9 }),
    ),
    kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    // Outputs of any size are accepted, not only the multiples of the input's.
    grown: fc.tuple(fc.integer({ min: -2, max: 3 }), fc.integer({ min: -2, max: 3 })),
    channels: fc.integer({ min: 1, max: 12 }),
    same: fc.boolean(),
    activation: fc.integer({ min: 0, max: 3 }),
    zeroPoints: fc.tuple(zeroPoint, zeroPoint),
    hasBias: fc.boolean(),
    isPerChannel: fc.boolean(),
    seed: fc.nat(),
  });
  await holds(
    cases,
    ({
      input: inputShape,
      kernel,
      strides,
      grown,
      channels,
      same,
      activation,
      zeroPoints,
      hasBias,
      isPerChannel,
      seed,
    }) => {
      const [batches, height, width, depth] = inputShape;
      const [strideY, strideX] = strides;
      const made = {
        shape: [
          batches,
          Math.max(height * strideY + grown[0], 1),
          Math.max(width * strideX + grown[1], 1),
          channels,
        ],
        scale: Math.fround(0.3),
        zeroPoint: zeroPoints[1],
      };
      const input = {
        shape: inputShape,
        scale: Math.fround(0.04),
        zeroPoint: zeroPoints[0],
        values: int8Values(seed, count(inputShape)),
      };
      const weightShape = [channels, ...kernel, depth];
      const scales = Array.from({ length: isPerChannel ? channels : 1 }, (_, i) =>
        Math.fround(0.01 + 0.002 * i),
      );
      const weights = {
        shape: weightShape,
        scales,
        values: int8Values(seed + 1, count(weightShape)).map((w) => Math.max(w, -127)),
      };
      const bias = hasBias ? Int32Array.from({ length: channels }, (_, i) => 700 * i - 2000) : undefined;
      return {
        builtin: 67,
        options: [{ byte: same ? 0 : 1 }, { int: strideX }, { int: strideY }, { byte: activation }],
        operands: [
          int32(made.shape),
          { ...weights, type: "int8", zeroPoints: scales.map(() => 0), axis: 0, isConstant: true },
          operand(input),
          ...(bias === undefined ? [] : [{ ...int32([...bias]), scales: [1], zeroPoints: [0] }]),
        ],
        outputs: [
          result(
            made,
            transposeConvReference(input, weights, bias, made, { strideY, strideX, same, activation }),
          ),
        ],
      };
    },
    30,
  );
});

test("gather and gatherNd take the slices that indices name, the nearest where there is none", async () => {
  const cases = fc.record({
    input: fc.oneof(tensor, wideTensor),
    bits: fc.nat(99),
    indices: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 5 }),
    isConstant: fc.boolean(),
  });
  await holds(cases, ({ input, bits, indices, isConstant }) => {
    const axis = bits % input.shape.length;
    const n = input.shape[axis] ?? 1;
    const inRange = indices.map((i) => Math.min(Math.max(i, 0), n - 1));
    const shape = input.shape.with(axis, indices.length);
    const expected = Int8Array.from({ length: count(shape) }, (_, i) => {
      const at = coordinates(shape, i);
      return at_(input, at.with(axis, inRange[at[axis] ?? 0] ?? NaN));
    });
    return {
      builtin: 36,
      options: [{ int: bits & 64 ? axis - input.shape.length : axis }, { int: 0 }],
      operands: [
        operand(input, isConstant && bits % 2 === 0),
        int32(isConstant && bits % 2 === 1 ? inRange : indices, isConstant && bits % 2 === 1),
      ],
      outputs: [result({ ...input, shape }, expected)],
    };
  });
  await holds(cases, ({ input, bits, indices }) => {
    const depth = 1 + (bits % input.shape.length);
    const words = Array.from(
      { length: indices.length * depth },
      (_, i) => (indices[i % indices.length] ?? 0) + i,
    );
    const shape = [indices.length, ...input.shape.slice(depth)];
    const expected = Int8Array.from({ length: count(shape) }, (_, i) => {
      const [k = 0, ...rest] = coordinates(shape, i);
      const named = words
        .slice(k * depth, (k + 1) * depth)
        .map((index, d) => Math.min(Math.max(index, 0), (input.shape[d] ?? 1) - 1));
      return at_(input, [...named, ...rest]);
    });
    return {
      builtin: 107,
      operands: [operand(input), int32(words, false, [indices.length, depth])],
      outputs: [result({ ...input, shape }, expected)],
    };
  });
});

function at_({ shape, values }: Int8Tensor, at: readonly number[]): number {
  return values[shape.reduce((sum, n, axis) => sum * n + (at[axis] ?? 0), 0)] ?? NaN;
}

test("selectV2 takes the operand that the condition names", async () => {
  const keep = fc.constantFrom(true, true, false);
  const cases = fc.tuple(
    fc.array(fc.tuple(size, keep, keep, keep), { minLength: 1, maxLength: 5 }),
    fc.nat(),
    fc.boolean(),
  );
  await holds(cases, ([axes, seed, isConstant]) => {
    const cut = (i: 1 | 2 | 3): number[] => axes.map((axis) => (axis[i] ? axis[0] : 1));
    const shapes = [cut(1), cut(2), cut(3)] as const;
    const shape = axes.map(([n, ...kept]) => (kept.some(Boolean) ? n : 1));
    const condition = Uint8Array.from(int8Values(seed, count(shapes[0])), (v) => v & 1);
    const values = [int8Values(seed + 1, count(shapes[1])), int8Values(seed + 2, count(shapes[2]))] as const;
    const index = (of: readonly number[], at: readonly number[]): number =>
      of.reduce((sum, n, axis) => sum * n + (n === 1 ? 0 : (at[axis] ?? 0)), 0);
    const expected = Int8Array.from({ length: count(shape) }, (_, i) => {
      const at = coordinates(shape, i);
      const chosen = condition[index(shapes[0], at)] === 1 ? 0 : 1;
      return values[chosen][index(shapes[chosen === 0 ? 1 : 2], at)] ?? NaN;
    });
    const q = { scale: 0.1, zeroPoint: 3 };
    return {
      builtin: 123,
      operands: [
        { shape: shapes[0], type: "bool", values: condition },
        operand({ shape: shapes[1], ...q, values: values[0] }),
        operand({ shape: shapes[2], ...q, values: values[1] }, isConstant),
      ],
      outputs: [result({ shape, ...q }, expected)],
    };
  });
});

const CASTS = {
  int8: [Int8Array.of(-128, -1, 0, 1, 127), { scales: [0.1], zeroPoints: [3] }],
  uint8: [Uint8Array.of(0, 1, 127, 128, 255), {}],
  bool: [Uint8Array.of(0, 1, 1, 0, 1), {}],
  int32: [Int32Array.of(-(2 ** 31), -70000, 0, 300, 2 ** 31 - 1), {}],
  float32: [Float32Array.of(-3.9, -0.5, 0.5, 3.9, 200.7), {}],
} as const;

test.each([
  ["int8", "int32", [-128, -1, 0, 1, 127]],
  ["int8", "float32", [-128, -1, 0, 1, 127]],
  ["int8", "uint8", [128, 255, 0, 1, 127]],
  ["uint8", "int8", [0, 1, 127, -128, -1]],
  ["bool", "int8", [0, 1, 1, 0, 1]],
  ["bool", "float32", [0, 1, 1, 0, 1]],
  ["int32", "int8", [0, -112, 0, 44, -1]],
  ["int32", "float32", [-(2 ** 31), -70000, 0, 300, 2 ** 31]],
  ["float32", "int32", [-3, 0, 0, 3, 200]],
  ["float32", "int8", [-3, 0, 0, 3, -56]],
  ["float32", "float32", [-3.9, -0.5, 0.5, 3.9, 200.7].map(Math.fround)],
] as const)("cast of %s to %s converts stored values as C does", async (from, to, expected) => {
  const [values, q] = CASTS[from];
  const arrays = { int8: Int8Array, uint8: Uint8Array, int32: Int32Array, float32: Float32Array };
  await checkOperator({
    builtin: 53,
    operands: [{ shape: [5], type: from, ...q, values }],
    outputs: [
      { shape: [5], type: to, ...(to === "int8" ? CASTS.int8[1] : {}), expected: arrays[to].from(expected) },
    ],
  });
});

test("the references give the values that the functions have", () => {
  const input = { shape: [2, 2], scale: 0.5, zeroPoint: 1, values: Int8Array.of(3, 5, -7, 9) };
  const output = { shape: [2], scale: 1, zeroPoint: -1 };
  // 1 + 2 and −4 + 4; the greater and where it is.
  expect([...sumReference(input, [1], output)]).toEqual([2, -1]);
  expect([...extremeReference(input, [0], true)]).toEqual([3, 9]);
  expect([...argReference(input, 1, true)]).toEqual([1, 1]);
  // 2 / √20 and 4 / √20 of 128.
  expect([...l2NormalizationReference(input)]).toEqual([57, 114, -91, 91]);
  // log(1 / (1 + e^-1)) = −0.313 of 16, less than 127 by 5; and one more below.
  expect([...logSoftmaxReference({ ...input, shape: [1, 2], values: Int8Array.of(3, 5) })]).toEqual([
    106, 122,
  ]);
  const eye = { shape: [2, 2], scale: 1, zeroPoint: 0, values: Int8Array.of(1, 0, 0, 1) };
  expect([...batchMatmulReference(input, eye, false, false, { ...input, zeroPoint: 1 })]).toEqual([
    3, 5, -7, 9,
  ]);
});
