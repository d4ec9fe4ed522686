import fc from "fast-check";
import { test } from "vitest";
import { BUILTIN, options } from "../model-writer.ts";
import { resizeBilinearReference, resizeNearestNeighborReference } from "../reference/resize.ts";
import { scale, zeroPoint } from "./elementwise.ts";
import { int8Values } from "./node.ts";
import { checkOperator } from "./operator.ts";

const size = fc.integer({ min: 1, max: 9 });

const cases = fc.record({
  batches: fc.constantFrom(1, 1, 2),
  from: fc.tuple(size, size),
  to: fc.tuple(size, size),
  // With a vector's channels and more, and with fewer.
  channels: fc.constantFrom(1, 2, 3, 8, 15, 16, 17, 33),
  // Half pixels and aligned corners exclude each other.
  mode: fc.constantFrom(
    { alignCorners: false, halfPixelCenters: false },
    { alignCorners: true, halfPixelCenters: false },
    { alignCorners: false, halfPixelCenters: true },
  ),
  quantization: fc.tuple(scale, zeroPoint),
  seed: fc.nat(),
});

test.each([
  ["resizeBilinear", resizeBilinearReference],
  ["resizeNearestNeighbor", resizeNearestNeighborReference],
] as const)("%s equals the reference", async (name, reference) => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ batches, from, to, channels, mode, quantization, seed }) => {
      const [scale, zeroPoint] = quantization;
      const shape = [batches, ...from, channels];
      const values = int8Values(seed, batches * from[0] * from[1] * channels);
      const made = { shape: [batches, ...to, channels], scale, zeroPoint };
      const q = { type: "int8" as const, scales: [scale], zeroPoints: [zeroPoint] };
      await checkOperator({
        builtin: BUILTIN[name],
        options: options[name](mode.alignCorners, mode.halfPixelCenters),
        operands: [
          { ...q, shape, values },
          { shape: [2], type: "int32", values: Int32Array.from(to), isConstant: true },
        ],
        outputs: [
          { ...q, shape: made.shape, expected: reference({ shape, scale, zeroPoint, values }, made, mode) },
        ],
        streamed: batches === 1,
      });
    }),
    { numRuns: 40 },
  );
});
