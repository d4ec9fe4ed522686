import fc from "fast-check";
import { expect, test } from "vitest";
import { ExecutionError } from "../../src/errors.ts";
import { conv2d } from "../../src/ops/conv2d.ts";
import type { PlanToVerify } from "../../src/plan/verify.ts";
import { verifyPlan } from "../../src/plan/verify.ts";
import { provedKernels } from "../kernel-harness.ts";
import { buildCase, operands, PlacedConvolution, tensorsOf } from "../ops/convolution.ts";
import { importNode, int8Tensor, onlyRecord } from "../ops/node.ts";
import { conv2dReference } from "../reference/conv2d.ts";
import { ARENA, CONSTANTS, writePlan } from "./write-plan.ts";

function isAccepted(plan: PlanToVerify): boolean {
  try {
    verifyPlan(plan);
    return true;
  } catch (error) {
    if (!(error instanceof ExecutionError)) throw error;
    return false;
  }
}

/** 1×1 kernels, whose tiles of pixels run on across the ends of short rows. */
const geometry = fc.record({
  height: fc.integer({ min: 3, max: 9 }),
  width: fc.integer({ min: 1, max: 6 }),
  depth: fc.constantFrom(1, 3, 8, 20, 39),
  channels: fc.integer({ min: 1, max: 40 }),
  strideY: fc.integer({ min: 1, max: 2 }),
  strideX: fc.integer({ min: 1, max: 2 }),
});

for (const kernels of provedKernels()) {
  const { variant } = kernels;
  test(`a 1×1 convolution over its input that the checker accepts gives the right answer (${variant})`, () => {
    let [accepted, refused] = [0, 0];
    const nearer = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(geometry, operands, nearer, (g, drawn, draws) => {
        const [outHeight, outWidth] = [Math.ceil(g.height / g.strideY), Math.ceil(g.width / g.strideX)];
        const c = buildCase(variant, drawn, {
          input: [1, g.height, g.width, g.depth],
          weights: [g.channels, 1, 1, g.depth],
          output: [1, outHeight, outWidth, g.channels],
          channels: g.channels,
          terms: g.depth,
        });
        const options = { 0: 1, 1: g.strideX, 2: g.strideY, 3: c.activation, 4: 1, 5: 1 };
        const node = importNode(conv2d, tensorsOf(c, 0), int8Tensor("output", c.output), options);
        const window = { kernelHeight: 1, kernelWidth: 1, dilationY: 1, dilationX: 1, padTop: 0, padLeft: 0 };
        const expected = conv2dReference(c.input, c.weights, c.bias, c.output, {
          ...g,
          ...window,
          activation: c.activation,
        });
        const distance = conv2d.overlapDistance?.(node, 0, variant) ?? NaN;
        const packed = conv2d.pack?.(node, variant);
        for (const by of [0, ...draws]) {
          const below = distance - by;
          const base = expected.length + distance + 128;
          const [input, output] = [ARENA + base, ARENA + base - below];
          const scratch = (Math.max(input + c.input.values.length, output + expected.length) + 79) & ~15;
          const record = onlyRecord(
            conv2d,
            node,
            {
              inputs: [{ address: input }, { address: 0 }, { address: 0 }],
              outputs: [{ address: output }],
              packed: CONSTANTS,
              scratch,
              c0: 0,
              c1: g.channels,
            },
            variant,
            packed,
          );
          const isFine = isAccepted(
            writePlan({
              variant,
              steps: [{ record, ids: [0, 1, -1] }],
              arenaBytes: scratch - ARENA + (conv2d.scratchBytes?.(node, variant) ?? 0) + 64,
              initial: [{ id: 0, address: input, bytes: c.input.values.length }],
              final: [{ id: 1, address: output, bytes: expected.length }],
            }),
          );
          if (by === 0) expect(isFine).toBe(true);
          if (!isFine) {
            refused++;
            continue;
          }
          accepted++;
          kernels.reset();
          kernels.allocate(base);
          const from = kernels.placeActivations(c.input.values);
          kernels.allocate(expected.length + 128);
          const placed = new PlacedConvolution(kernels, conv2d, node);
          placed.execute(placed.record(from, from - below), from - below, from - below + expected.length);
          expect(kernels.readActivations(from - below, expected.length)).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(100);
  });
}
