import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxPool2d } from "../../src/ops/max-pool2d.ts";
import { provedKernels } from "../kernel-harness.ts";
import { maxPool2dReference } from "../reference/max-pool2d.ts";
import { checkOverlappedPool, checkPoolInRings, checkWholePool, poolCase, type PoolCase } from "./pool2d.ts";

const reference = (c: PoolCase): Int8Array => maxPool2dReference(c.input, c.output, c.window, c.activation);

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "maxPool2d (%s)",
  (_, kernels) => {
    test.each([
      ["whole tensors", checkWholePool],
      ["overlapping input and output", checkOverlappedPool],
      ["rows and channels between rings", checkPoolInRings],
    ])("equals the reference: %s", (_name, check) => {
      fc.assert(
        fc.property(poolCase, (c) => {
          check(maxPool2d, kernels, c, reference(c));
        }),
        { numRuns: 300 },
      );
    });
  },
);

test("the reference gives the values that the formula gives by hand", () => {
  const input = { shape: [1, 2, 3, 1], scale: 1, zeroPoint: 0, values: Int8Array.of(1, 2, -4, 4, -5, -6) };
  const window = { kernelHeight: 2, kernelWidth: 2, strideY: 1, strideX: 1, same: true };
  expect([...maxPool2dReference(input, input, window, 0)]).toEqual([4, 2, -4, 4, -5, -6]);
  expect([...maxPool2dReference(input, input, window, 1)]).toEqual([4, 2, 0, 4, 0, 0]);
});
