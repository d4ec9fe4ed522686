import fc from "fast-check";
import { expect, test } from "vitest";
import type { TensorType } from "../../src/graph/graph.ts";
import { Padding, resolvePadding } from "../../src/ops/padding.ts";
import { rowOverlapDistance } from "../../src/ops/window.ts";

const int8 = (...shape: number[]): TensorType => ({ shape, type: "int8" });

/** Whether rows of output can be written `distance` bytes below the input, each before its own window is read. */
function isSafe(
  distance: number,
  strideY: number,
  padTop: number,
  kernel: number,
  input: TensorType,
  output: TensorType,
): boolean {
  const [, height = 1, inWidth = 1, inChannels = 1] = input.shape;
  const [, outHeight = 1, outWidth = 1, outChannels = 1] = output.shape;
  let written = 0;
  for (let y = 0; y < outHeight; y++) {
    written += outWidth * outChannels;
    for (let ky = 0; ky < kernel; ky++) {
      const row = y * strideY - padTop + ky;
      if (row >= 0 && row < height && distance + row * inWidth * inChannels < written) return false;
    }
  }
  return true;
}

test("rowOverlapDistance is the smallest distance that is safe row by row", () => {
  const size = fc.integer({ min: 1, max: 9 });
  const cases = fc.record({
    height: fc.integer({ min: 1, max: 24 }),
    kernel: size,
    stride: fc.integer({ min: 1, max: 4 }),
    padding: fc.constantFrom<number>(Padding.same, Padding.valid),
    widths: fc.tuple(size, size),
    channels: fc.tuple(size, size),
  });
  fc.assert(
    fc.property(cases, ({ height, kernel, stride, padding, widths, channels }) => {
      const rows = resolvePadding(padding, height, kernel, stride, 1);
      fc.pre(rows.output >= 1);
      const input = int8(1, height, widths[0], channels[0]);
      const output = int8(1, rows.output, widths[1], channels[1]);
      const window = { strideY: stride, padTop: rows.before };
      const distance = rowOverlapDistance(window, input, output) ?? -1;
      expect(isSafe(distance, stride, rows.before, kernel, input, output)).toBe(true);
      if (distance > 0) {
        expect(isSafe(distance - 1, stride, rows.before, kernel, input, output)).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
});

test("rowOverlapDistance forbids batches and takes no time over huge heights", () => {
  const window = { strideY: 1, padTop: 1 };
  expect(rowOverlapDistance(window, int8(2, 4, 4, 4), int8(2, 4, 4, 4))).toBeUndefined();
  expect(rowOverlapDistance(window, int8(1, 2 ** 31 - 1, 4, 4), int8(1, 2 ** 31 - 1, 4, 4))).toBe(32);
});

test("resolvePadding splits SAME padding with the odd row behind", () => {
  expect(resolvePadding(Padding.same, 49, 10, 2, 1)).toEqual({ before: 4, output: 25 });
  expect(resolvePadding(Padding.same, 96, 3, 2, 1)).toEqual({ before: 0, output: 48 });
  expect(resolvePadding(Padding.same, 7, 3, 1, 2)).toEqual({ before: 2, output: 7 });
  expect(resolvePadding(Padding.valid, 7, 3, 2, 2)).toEqual({ before: 0, output: 2 });
  expect(resolvePadding(Padding.valid, 2, 3, 1, 1).output).toBe(0);
});
