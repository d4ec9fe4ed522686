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

  /** A layer of scale 1 on one value, or two in turns of four, per operand. */
  const check = (
    [batches, depth]: readonly [number, number],
    [x, w]: readonly [x: readonly number[], w: readonly number[]],
    bias: readonly number[],
    wanted: readonly number[],
    weightScale = 1,
  ): void => {
    const filled = (rows: number, values: readonly number[]): Int8Array =>
      Int8Array.from({ length: rows * depth }, (_, i) => values[((i % depth) >> 2) % values.length] ?? NaN);
    const channels = bias.length;
    const c = {
      input: { shape: [batches, depth], scale: 1, zeroPoint: 0, values: filled(batches, x) },
      weights: { shape: [channels, depth], scales: [weightScale], values: filled(channels, w) },
      bias: Int32Array.from(bias),
      output: { shape: [batches, channels], scale: 1, zeroPoint: 0 },
      activation: 0,
    };
    const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), { 0: 0 });
    const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, c.activation);
    expect([...expected.subarray(0, channels)]).toEqual(wanted);
    checkConvolution(kernels, fullyConnected, node, c.input, expected, 2);
  };

  test(`sums of more terms than a half of an int64 holds are exact (${kernels.variant})`, () => {
    // Of these products the sum is near 0, of those that a pair leaves below it 2.4 · 10^9.
    const bias = [0, 1, 2, 3, 4].map((i) => i - 127 * 127);
    check([1, 150_001], [[127], [127, -127]], bias, [0, 1, 2, 3, 4]);
  });

  test(`sums of the largest products are exact (${kernels.variant})`, () => {
    for (const depth of [63, 64, 65, 128, 200]) {
      for (const [x, w] of [-128, 127].flatMap((x) => [-128, 127].map((w) => [x, w] as const))) {
        const bias = [0, 1, 2, 3, 4].map((i) => i - depth * x * w);
        check([5, depth], [[x], [w]], bias, [0, 1, 2, 3, 4]);
      }
    }
  });

  test(`left shifts of sums wrap as the reference's do (${kernels.variant})`, () => {
    // Either side alone, since one sum that wraps decides for its layer; three rows, which mcu takes together.
    for (const side of [2 ** 29, -(2 ** 29)]) {
      check([3, 8], [[0], [1]], [side, side + 5, side - 2, 3], [0, 20, -8, 12], 4);
    }
  });
}
