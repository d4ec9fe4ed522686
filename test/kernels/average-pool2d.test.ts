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

    // 2^16 cells are the last that vectors divide exactly.
    test.each([
      [256, 256],
      [256, 257],
    ])("equals the reference for a window of %i × %i", (height, width) => {
      const quantization = { scale: 1, zeroPoint: 0 };
      const shape = [1, height, width, 9];
      // Averages of a half, and of one cell's step above and below it.
      const cells = height * width;
      const values = Int8Array.from({ length: cells * 9 }, (_, i) => {
        const channel = i % 9;
        const raised = (cells >> 1) + (channel % 3) - 1;
        return (channel - 4) * 31 + Number(i < 9 * raised);
      });
      const input = { shape, values, ...quantization };
      const output = { shape: [1, 1, 1, 9], ...quantization };
      const window = { kernelHeight: height, kernelWidth: width, strideY: 1, strideX: 1, same: false };
      const c = { input, output, window, activation: 0, rows: [0, 1], channels: [0, 1] } as const;
      const whole: PoolCase = { ...c, extraRows: [0, 0], gaps: [0, 0] };
      checkWholePool(averagePool2d, kernels, whole, reference(whole));
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
