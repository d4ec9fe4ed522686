import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { averagePool2d } from "../../src/ops/average-pool2d.ts";
import { provedKernels } from "../kernel-harness.ts";
import { averagePool2dReference } from "../reference/average-pool2d.ts";
import { checkOverlappedPool, checkPoolInRings, checkWholePool, poolCase, type PoolCase } from "./pool2d.ts";

const reference = (c: PoolCase): Int8Array =>
  averagePool2dReference(c.input, c.output, c.window, c.activation);

const AVERAGES = [-127, -100, -41, -3, 1, 2, 41, 55, 97, 127];

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

    // 2^16 cells are the last that vectors divide.
    const long = [[256, 256] as const, [256, 257] as const];
    const short = Array.from({ length: 300 }, (_, i) => [1, i + 1] as const);
    test.each([
      ["short", short],
      ["as long as float32 allows, and longer", long],
    ])("equals the reference where a quotient is whole, and one step below: windows %s", (_name, windows) => {
      for (const [height, width] of windows) {
        const cells = height * width;
        const shape = [1, height, width, 2 * AVERAGES.length];
        const sums = AVERAGES.flatMap((average) => {
          const sum = average * cells - Math.sign(average) * (cells >> 1);
          return [sum, sum - 1];
        });
        const values = new Int8Array(cells * sums.length);
        for (const [c, sum] of sums.entries()) {
          const least = Math.floor(sum / cells);
          const raised = sum - least * cells;
          for (let i = 0; i < cells; i++) values[i * sums.length + c] = least + Number(i < raised);
        }
        const quantization = { scale: 1, zeroPoint: 0 };
        const input = { shape, values, ...quantization };
        const output = { shape: [1, 1, 1, sums.length], ...quantization };
        const window = { kernelHeight: height, kernelWidth: width, strideY: 1, strideX: 1, same: false };
        const parts = { rows: [0, 1], channels: [0, 1], extraRows: [0, 0], gaps: [0, 0] } as const;
        const c: PoolCase = { input, output, window, activation: 0, ...parts };
        checkWholePool(averagePool2d, kernels, c, reference(c));
      }
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
