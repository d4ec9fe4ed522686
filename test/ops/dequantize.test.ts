import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/graph/graph.ts";
import { dequantize } from "../../src/ops/dequantize.ts";
import { provedKernels } from "../kernel-harness.ts";
import { scale, zeroPoint } from "./elementwise.ts";
import { executeWithin, importNode, int8Tensor, lowerNode } from "./node.ts";
import { dequantizeReference } from "../reference/dequantize.ts";

const float32Tensor = (shape: readonly number[]): Tensor => ({
  id: 0,
  name: "output",
  shape,
  type: "float32",
});

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "dequantize (%s)",
  (_, kernels) => {
    test("equals the reference for every int8 and any scale", () => {
      fc.assert(
        fc.property(scale, zeroPoint, fc.integer({ min: 1, max: 256 }), (own, zero, length) => {
          const values = Int8Array.from({ length }, (_value, i) => i - 128);
          const input = { shape: [length], scale: own, zeroPoint: zero, values };
          const node = importNode(dequantize, [int8Tensor("input", input)], float32Tensor(input.shape));
          expect(dequantize.overlapDistance?.(node, 0, kernels.variant)).toBeUndefined();
          kernels.reset();
          const from = kernels.placeActivations(values);
          const to = kernels.allocate(4 * length);
          const record = lowerNode(dequantize, node, kernels, {
            inputs: [{ address: from }],
            outputs: [{ address: to }],
          });
          executeWithin(kernels, record, to, to + 4 * length);
          const result = new Float32Array(kernels.bytes.slice(to, to + 4 * length).buffer);
          expect(result).toEqual(dequantizeReference(input));
        }),
        { numRuns: 200 },
      );
    });
  },
);

test("the reference gives the values that the formula gives by hand", () => {
  const input = { shape: [3], scale: 0.5, zeroPoint: -3, values: Int8Array.of(-3, -128, 127) };
  expect([...dequantizeReference(input)]).toEqual([0, -62.5, 65]);
});

test.each(["bool", "float32"] as const)("refuses %s", (type) => {
  const input = { id: 0, name: "input", shape: [2], type };
  expect(() => dequantize.prepare([input], [float32Tensor([2])], undefined)).toThrow(
    expect.objectContaining({ name: "UnsupportedError", code: "unsupported-type" }),
  );
});

test("refuses an output that is not float32", () => {
  const input = int8Tensor("input", { shape: [2], scale: 1, zeroPoint: 0 });
  expect(() => dequantize.prepare([input], [input], undefined)).toThrow(
    expect.objectContaining({ name: "UnsupportedError", code: "unsupported-type" }),
  );
});
