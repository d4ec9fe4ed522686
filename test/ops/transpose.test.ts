import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { transpose } from "../../src/ops/transpose.ts";
import { provedKernels } from "../kernel-harness.ts";
import {
  executeWithin,
  importNode,
  int32Tensor,
  int8Tensor,
  int8Values,
  lowerNode,
  onlyRecord,
} from "./node.ts";
import { transposeReference } from "../reference/transpose.ts";
import { count, type Int8Output } from "../reference/tensor.ts";

const Q = { scale: 0.5, zeroPoint: -3 };

/** Any shape of rank 1 to 5 with any permutation of its dimensions. */
const transposeCase = fc
  .record({
    dimensions: fc.array(fc.tuple(fc.constantFrom(1, 2, 3, 5, 17), fc.nat()), { minLength: 1, maxLength: 5 }),
    seed: fc.nat(),
  })
  .filter(({ dimensions }) => count(dimensions.map(([size]) => size)) < 20000)
  .map(({ dimensions, seed }) => {
    const shape = dimensions.map(([size]) => size);
    const order = dimensions.map(([, key], axis) => ({ key, axis }));
    const permutation = order.sort((a, b) => a.key - b.key || a.axis - b.axis).map(({ axis }) => axis);
    const input = { shape, ...Q, values: int8Values(seed, count(shape)) };
    return { input, permutation, output: { shape: permutation.map((axis) => shape[axis] ?? 1), ...Q } };
  });

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "transpose (%s)",
  (_, kernels) => {
    test("equals the reference for any permutation, folded too", () => {
      fc.assert(
        fc.property(transposeCase, ({ input, permutation, output }) => {
          const expected = transposeReference(input, permutation, output);
          const order = int32Tensor("permutation", permutation);
          const node = importNode(
            transpose,
            [int8Tensor("input", input), order],
            int8Tensor("output", output),
          );
          expect(node.attrs).toEqual({ permutation });
          expect(transpose.overlapDistance?.(node, 0, kernels.variant)).toBeUndefined();
          kernels.reset();
          const from = kernels.placeActivations(input.values);
          const to = kernels.allocate(expected.length);
          const record = lowerNode(transpose, node, kernels, {
            inputs: [{ address: from }, { address: 0 }],
            outputs: [{ address: to }],
          });
          executeWithin(kernels, record, to, to + expected.length);
          expect(kernels.readActivations(to, expected.length)).toEqual(expected);

          const constant = { ...node, inputs: [int8Tensor("input", input, input.values), order] };
          expect(transpose.fold?.(constant)).toEqual(new Uint8Array(expected));
          expect(transpose.fold?.(node)).toBeUndefined();
        }),
        { numRuns: 200 },
      );
    });
  },
);

const prepared = (shape: number[], permutation: number[], scale = Q.scale): ReturnType<typeof importNode> => {
  const output = { shape: permutation.map((axis) => shape[axis] ?? 1), ...Q, scale };
  const tensors = [int8Tensor("input", { shape, ...Q }), int32Tensor("permutation", permutation)];
  return importNode(transpose, tensors, int8Tensor("output", output));
};

test("the reference gives the values that the definition gives by hand", () => {
  const input = { shape: [2, 3], ...Q, values: Int8Array.of(1, 2, 3, 4, 5, 6) };
  expect([...transposeReference(input, [1, 0], { shape: [3, 2], ...Q })]).toEqual([1, 4, 2, 5, 3, 6]);
});

test("merges dimensions that stay neighbours", () => {
  const at = {
    inputs: [{ address: 0 }, { address: 0 }],
    outputs: [{ address: 0 }],
    packed: 0,
    scratch: 0,
    c0: 0,
    c1: 1,
  };
  const lower = (shape: number[], permutation: number[]): unknown =>
    onlyRecord(transpose, prepared(shape, permutation), at, "mcu", undefined);
  expect(lower([2, 3, 4, 5], [1, 0, 2, 3])).toMatchObject({
    n2: 3,
    n3: 2,
    n4: 20,
    inputStride4: 1,
    inputStride3: 60,
  });
  // Only a dimension of 1 moves: one run.
  expect(lower([1, 3, 4, 5], [1, 2, 3, 0])).toMatchObject({ n3: 1, n4: 60, inputStride4: 1 });
});

test("is the identity where no dimension moves and nothing is rescaled", () => {
  expect(transpose.isIdentity?.(prepared([2, 3, 4], [0, 1, 2]))).toBe(true);
  expect(transpose.isIdentity?.(prepared([2, 3, 4], [0, 1, 2], 1))).toBe(false);
  expect(transpose.isIdentity?.(prepared([2, 2, 4], [1, 0, 2]))).toBe(false);
});

describe("prepare", () => {
  const plain = (shape: number[]): Int8Output => ({ shape, ...Q });

  test.each([
    ["bad-permutation", int32Tensor("permutation", [0, 0])],
    ["bad-permutation", int32Tensor("permutation", [0, 2])],
    ["bad-permutation", int32Tensor("permutation", [0, -1])],
    ["bad-permutation", int32Tensor("permutation", [0])],
    ["bad-permutation", int32Tensor("permutation", [0, 1, 1])],
    ["not-constant", { id: 0, name: "permutation", shape: [2], type: "int32" } as const],
  ])("refuses a permutation with %s", (code, permutation) => {
    const tensors = [int8Tensor("input", plain([2, 3])), permutation];
    expect(() => transpose.prepare(tensors, [int8Tensor("output", plain([3, 2]))], undefined)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test("refuses six dimensions", () => {
    expect(() => prepared([1, 1, 1, 1, 1, 1], [0, 1, 2, 3, 4, 5])).toThrow(
      expect.objectContaining({ code: "unsupported-rank" }),
    );
  });
});
