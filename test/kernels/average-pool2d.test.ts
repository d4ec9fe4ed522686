import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { averagePool2d } from "../../src/ops/average-pool2d.ts";
import { provedKernels } from "../kernel-harness.ts";
import { averagePool2dReference } from "../reference/average-pool2d.ts";
import { checkOverlappedPool, checkPoolInRings, checkWholePool, poolCase, type PoolCase } from "./pool2d.ts";

const reference = (c: PoolCase): Int8Array =>
  averagePool2dReference(c.input, c.output, c.window, c.activation);

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "averagePool2d (%s)",
  (_, kernels) => {
    test.each([
      ["whole tensors", checkWholePool],
      ["overlapping input and output", checkOverlappedPool],
      ["rows and channels between rings", checkPoolInRings],
    ])("equals the reference: %s", (_name, check) => {
      fc.assert(
        fc.property(poolCase, (c) => {
          check(averagePool2d, kernels, c, reference(c));
        }),
        { numRuns: 300 },
      );
    });
  },
);

test("the reference gives the values that the formula gives by hand", () => {
  const input = { shape: [1, 2, 3, 1], scale: 1, zeroPoint: 0, values: Int8Array.of(1, 2, -4, 4, -5, -6) };
  const window = { kernelHeight: 2, kernelWidth: 2, strideY: 1, strideX: 1, same: true };
  // (2, -13, -10) / (4, 4, 2) and (-1, -11, -6) / (2, 2, 1): the border's windows have fewer cells, halves go away from zero.
  const expected = [1, -3, -5, -1, -6, -6];
  expect([...averagePool2dReference(input, input, window, 0)]).toEqual(expected);
  expect([...averagePool2dReference(input, input, window, 2)]).toEqual([1, -1, -1, -1, -1, -1]);
});
