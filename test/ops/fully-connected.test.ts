import fc from "fast-check";
import { test } from "vitest";
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
}
