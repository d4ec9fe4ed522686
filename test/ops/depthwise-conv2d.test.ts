import fc from "fast-check";
import { expect, test } from "vitest";
import { depthwiseConv2d } from "../../src/ops/depthwise-conv2d.ts";
import { resolvePadding } from "../../src/ops/padding.ts";
import { provedKernels } from "../kernel-harness.ts";
import { depthwiseConv2dReference } from "../reference/depthwise-conv2d.ts";
import { buildCase, checkConvolution, operands, PlacedConvolution, tensorsOf } from "./convolution.ts";
import { importNode, int8Tensor } from "./node.ts";

const anyGeometry = {
  batches: fc.constantFrom(1, 1, 1, 2),
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 11 }),
  depth: fc.constantFrom(1, 2, 3, 7, 8, 9, 16, 17),
  depthMultiplier: fc.constantFrom(1, 1, 1, 2, 3, 8),
  kernelHeight: fc.constantFrom(1, 2, 3, 3, 5, 7),
  kernelWidth: fc.constantFrom(1, 2, 3, 3, 5, 7),
  strideY: fc.integer({ min: 1, max: 3 }),
  strideX: fc.integer({ min: 1, max: 3 }),
  dilationY: fc.constantFrom(1, 1, 2, 3),
  dilationX: fc.constantFrom(1, 1, 2, 3),
  padding: fc.constantFrom(0, 1),
};

/** Any, and as often what most models have, for which there are kernels of their own. */
const geometry = fc.oneof(
  fc.record(anyGeometry),
  fc.record({
    ...anyGeometry,
    kernelHeight: fc.constant(3),
    kernelWidth: fc.constant(3),
    strideX: fc.integer({ min: 1, max: 2 }),
    dilationY: fc.constant(1),
    dilationX: fc.constant(1),
  }),
);

for (const kernels of provedKernels()) {
  test(`depthwiseConv2d equals the reference (${kernels.variant})`, () => {
    fc.assert(
      fc.property(
        geometry,
        operands,
        fc.integer({ min: 1, max: 3 }),
        fc.nat(20),
        (g, drawn, tileBlocks, below) => {
          const rows = resolvePadding(g.padding, g.height, g.kernelHeight, g.strideY, g.dilationY);
          const columns = resolvePadding(g.padding, g.width, g.kernelWidth, g.strideX, g.dilationX);
          fc.pre(rows.output > 0 && columns.output > 0);
          const channels = g.depth * g.depthMultiplier;
          const c = buildCase(drawn, {
            input: [g.batches, g.height, g.width, g.depth],
            weights: [1, g.kernelHeight, g.kernelWidth, channels],
            output: [g.batches, rows.output, columns.output, channels],
            channels,
            terms: g.kernelHeight * g.kernelWidth,
          });
          const node = importNode(depthwiseConv2d, tensorsOf(c, 3), int8Tensor("output", c.output), {
            0: g.padding,
            1: g.strideX,
            2: g.strideY,
            3: g.depthMultiplier,
            4: c.activation,
            5: g.dilationX,
            6: g.dilationY,
          });
          const window = { ...g, padTop: rows.before, padLeft: columns.before, activation: c.activation };
          const expected = depthwiseConv2dReference(c.input, c.weights, c.bias, c.output, window);
          checkConvolution(kernels, depthwiseConv2d, node, c.input, expected, tileBlocks);

          const distance = depthwiseConv2d.overlapDistance?.(node, 0, kernels.variant);
          expect(distance === undefined).toBe(g.batches > 1);
          if (distance === undefined) return;
          kernels.reset();
          kernels.allocate(distance + below + 64);
          const input = kernels.placeActivations(c.input.values);
          kernels.allocate(expected.length);
          const placed = new PlacedConvolution(kernels, depthwiseConv2d, node);
          const output = input - distance - below;
          placed.execute(placed.record(input, output), output, output + expected.length);
          expect(kernels.readActivations(output, expected.length)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });
}
