import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { add } from "../../src/ops/add.ts";
import { provedKernels } from "../kernel-harness.ts";
import { addReference } from "../reference/add.ts";
import type { Int8Output } from "../reference/tensor.ts";
import { checkElementwise, elementwiseCase } from "./elementwise.ts";
import { importNode, int8Tensor, int8Values } from "./node.ts";

const plain = (shape: number[], scale = 0.5, zeroPoint = 0): Int8Output => ({ shape, scale, zeroPoint });

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "add (%s)",
  (_, kernels) => {
    test("equals the reference for any broadcast, constant and overlap", () => {
      const cases = elementwiseCase((lhs, rhs, spread) => (lhs + rhs) * spread);
      fc.assert(
        fc.property(cases, (c) => {
          checkElementwise(add, kernels, c, addReference(c.lhs, c.rhs, c.output, c.activation));
        }),
        { numRuns: 300 },
      );
    });

    test("equals the reference for all pairs of values", () => {
      const values = Int8Array.from({ length: 256 }, (_, i) => i - 128);
      const lhs = { ...plain([256, 1], Math.fround(0.0235), -7), values };
      const rhs = { ...plain([256], Math.fround(0.0471), 3), values };
      const output = plain([256, 256], Math.fround(0.0499), -128);
      const c = { lhs, rhs, output, activation: 1, lhsConstant: false, rhsConstant: false, below: 0 };
      checkElementwise(add, kernels, c, addReference(lhs, rhs, output, 1));
    });

    // The vector loop takes right shifts to 30.
    test.each([-32, -31, -30, -29, -1])("equals the reference for operands 2^%i apart", (power) => {
      const values = int8Values(9, 40);
      const lhs = { ...plain([40, 1], 2 ** power, 127), values };
      const rhs = { ...plain([40], 1.5, -128), values };
      for (const scale of [2 ** -18, 1, 2 ** 8, 2 ** 10, 2 ** 12, 2 ** 14]) {
        const output = plain([40, 40], scale, 5);
        const c = { lhs, rhs, output, activation: 0, lhsConstant: false, rhsConstant: false, below: 0 };
        checkElementwise(add, kernels, c, addReference(lhs, rhs, output, 0));
      }
    });
  },
);

test("the reference gives the values that the formula gives by hand", () => {
  // Equal scales: both operands are halved exactly, and doubled again by the output.
  const lhs = { ...plain([3]), values: Int8Array.of(1, -5, 100) };
  const rhs = { ...plain([1]), values: Int8Array.of(40) };
  expect([...addReference(lhs, rhs, plain([3]), 0)]).toEqual([41, 35, 127]);
  // Output scale twice the operands': 41 / 2 = 20.5 and 35 / 2 = 17.5 round away from zero.
  expect([...addReference(lhs, rhs, plain([3], 1), 0)]).toEqual([21, 18, 70]);
  // RELU6 at scale 1 and zero point -128: 0 … 6 is -128 … -122.
  expect([...addReference(lhs, rhs, plain([3], 1, -128), 3)]).toEqual([-122, -122, -122]);
});

describe("prepare", () => {
  const tensor = (output: Int8Output, name = "x"): ReturnType<typeof int8Tensor> => int8Tensor(name, output);

  test("refuses shapes that do not broadcast", () => {
    expect(() => importNode(add, [tensor(plain([2, 3])), tensor(plain([2]))], tensor(plain([2, 3])))).toThrow(
      expect.objectContaining({ code: "shapes-do-not-broadcast" }),
    );
  });

  test("refuses other element types and names the tensor", () => {
    const wide = { ...tensor(plain([2]), "wide"), type: "int16" } as const;
    expect(() => importNode(add, [tensor(plain([2])), wide], tensor(plain([2])))).toThrow(
      expect.objectContaining({
        code: "unsupported-type",
        message: expect.stringContaining('"wide"') as string,
      }),
    );
  });

  test("refuses an output scale that the reference refuses", () => {
    const x = tensor(plain([2], 1));
    expect(() => importNode(add, [x, x], tensor(plain([2], 2 ** -19)))).toThrow(
      expect.objectContaining({ code: "output-scale-too-small" }),
    );
    importNode(add, [x, x], tensor(plain([2], 2 ** -18)));
  });

  test.each([
    ["input-count", [tensor(plain([2]))], 0],
    ["missing-input", [tensor(plain([2])), undefined], 0],
    ["unsupported-activation", [tensor(plain([2])), tensor(plain([2]))], 4],
    ["bad-scale", [tensor(plain([2], 0)), tensor(plain([2]))], 0],
    ["bad-scale", [tensor(plain([2], Infinity)), tensor(plain([2]))], 0],
    ["bad-zero-point", [tensor(plain([2], 1, 200)), tensor(plain([2]))], 0],
    ["empty-tensor", [tensor(plain([0])), tensor(plain([1]))], 0],
    ["broadcast-too-deep", [tensor(plain([2, 1, 2, 1, 2, 1])), tensor(plain([1, 2, 1, 2, 1, 2]))], 0],
  ])("refuses with %s", (code, inputs, activation) => {
    expect(() => importNode(add, inputs, tensor(plain([2])), { 0: activation })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
