import fc from "fast-check";
import { expect, test } from "vitest";
import { fullyConnected } from "../../src/ops/fully-connected.ts";
import { provedKernels } from "../kernel-harness.ts";
import { fullyConnectedReference } from "../reference/fully-connected.ts";
import { buildCase, checkConvolution, operands, tensorsOf } from "./convolution.ts";
import { importNode, int8Tensor } from "./node.ts";

const geometry = fc.record({
  batches: fc.integer({ min: 1, max: 6 }),
  depth: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 127, 640)),
  channels: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 65, 128)),
});

for (const kernels of provedKernels()) {
  test(`fullyConnected equals the reference (${kernels.variant})`, () => {
    fc.assert(
      fc.property(geometry, operands, fc.integer({ min: 1, max: 5 }), (g, drawn, tileBlocks) => {
        const c = buildCase(drawn, {
          input: [g.batches, g.depth],
          weights: [g.channels, g.depth],
          output: [g.batches, g.channels],
          channels: g.channels,
          terms: g.depth,
        });
        const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), {
          0: c.activation,
        });
        const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, c.activation);
        checkConvolution(kernels, fullyConnected, node, c.input, expected, tileBlocks);
      }),
      { numRuns: 200 },
    );
  });

  test(`sums of more terms than a half of an int64 holds are exact (${kernels.variant})`, () => {
    const depth = 150_001;
    const channels = 5;
    const half = (first: number, second: number) => (_: unknown, i: number) => (i % 8 < 4 ? first : second);
    const c = {
      input: {
        shape: [1, depth],
        scale: 1,
        zeroPoint: 0,
        values: Int8Array.from({ length: depth }, half(127, 127)),
      },
      weights: {
        shape: [channels, depth],
        scales: [1],
        // Of these products the sum is near 0, of those that a pair leaves below it 2.4 · 10^9.
        values: Int8Array.from({ length: channels * depth }, (_, i) => half(127, -127)(_, i % depth)),
      },
      bias: Int32Array.from({ length: channels }, (_, i) => i - 127 * 127),
      output: { shape: [1, channels], scale: 1, zeroPoint: 0 },
      activation: 0,
    };
    const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), { 0: 0 });
    const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, c.activation);
    expect([...expected]).toEqual([0, 1, 2, 3, 4]);
    checkConvolution(kernels, fullyConnected, node, c.input, expected, 2);
  });

  test(`sums of the largest products are exact (${kernels.variant})`, () => {
    const batches = 5;
    const channels = 5;
    for (const depth of [63, 64, 65, 128, 200]) {
      for (const [x, w] of [-128, 127].flatMap((x) => [-128, 127].map((w) => [x, w] as const))) {
        const c = {
          input: {
            shape: [batches, depth],
            scale: 1,
            zeroPoint: 0,
            values: new Int8Array(batches * depth).fill(x),
          },
          weights: { shape: [channels, depth], scales: [1], values: new Int8Array(channels * depth).fill(w) },
          bias: Int32Array.from({ length: channels }, (_, i) => i - depth * x * w),
          output: { shape: [batches, channels], scale: 1, zeroPoint: 0 },
          activation: 0,
        };
        const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), { 0: 0 });
        const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, c.activation);
        expect([...expected.subarray(0, channels)]).toEqual([0, 1, 2, 3, 4]);
        checkConvolution(kernels, fullyConnected, node, c.input, expected, 2);
      }
    }
  });

  test(`left shifts of sums wrap as the reference's do (${kernels.variant})`, () => {
    // Either side alone, since one sum that wraps decides for its layer.
    for (const side of [2 ** 30, -(2 ** 30)]) {
      const c = {
        input: { shape: [1, 8], scale: 1, zeroPoint: 0, values: new Int8Array(8) },
        weights: { shape: [4, 8], scales: [4], values: new Int8Array(32).fill(1) },
        bias: Int32Array.of(side, side + 5, side - 2, 3),
        output: { shape: [1, 4], scale: 1, zeroPoint: 0 },
        activation: 0,
      };
      const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), { 0: 0 });
      const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, c.activation);
      expect([...expected]).toEqual([0, 20, -8, 12]);
      checkConvolution(kernels, fullyConnected, node, c.input, expected, 2);
    }
  });
}
