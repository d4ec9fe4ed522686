import fc from "fast-check";
import { expect, test } from "vitest";
import { ExecutionError } from "../../src/errors.ts";
import { conv2d } from "../../src/ops/conv2d.ts";
import { Requantization } from "../../src/plan/format.ts";
import { convPixelsAtOnce, requantizationWord } from "../../src/plan/packing.ts";
import type { RecordOf, ViewWords } from "../../src/plan/record.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
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

/**
 * Whether pixels of `depth` bytes are all there when they are read, if up to `atOnce` of as many of `channels` bytes, `below` them, are written
 * from each on before it is.
 */
function keepsInput(pixels: number, atOnce: number, depth: number, channels: number, below: number): boolean {
  for (let y = 0; y < pixels; y++) {
    const written = -below + Math.min(y + atOnce, pixels) * channels;
    if (y * depth < written && (y + 1) * depth > -below) return false;
  }
  return true;
}

test("a 1×1 convolution over whole tensors may write up to what it has not read, to the byte", () => {
  const seen = { accepted: 0, refused: 0, batches: 0 };
  fc.assert(
    fc.property(
      fc.constantFrom(...VARIANTS),
      fc.record({ height: fc.integer({ min: 1, max: 6 }), width: fc.integer({ min: 1, max: 6 }) }),
      fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 })),
      fc.constantFrom(1, 1, 1, 2),
      fc.integer({ min: -3, max: 3 }),
      (variant, { height, width }, [depth, channels], batches, off) => {
        const pixels = height * width;
        const atOnce = convPixelsAtOnce(variant);
        const keeps = (below: number): boolean =>
          batches === 1
            ? keepsInput(pixels, atOnce, depth, channels, below)
            : below >= batches * pixels * channels || -below >= batches * pixels * depth;
        // About where it begins to fit.
        let least = -batches * pixels * depth;
        while (!keeps(least)) least++;
        while (least > -batches * pixels * depth && keeps(least - 1)) least--;
        let fits = 0;
        while (!keeps(fits)) fits++;
        const view = (address: number, bytes: number): ViewWords => ({
          address,
          pixelBytes: bytes,
          rowBytes: width * bytes,
          ringRows: height,
          height,
          width,
          channels: bytes,
        });
        for (const below of [fits + off, least + off]) {
          const input = ARENA + batches * pixels * channels + 16 + Math.max(below, 0);
          const output = input - below;
          const inputBytes = pixels * depth;
          const outputBytes = pixels * channels;
          const scratch = (Math.max(input + batches * inputBytes, output + batches * outputBytes) + 79) & ~15;
          const record: RecordOf<"conv2d"> = {
            op: "conv2d",
            inputView: view(input, depth),
            outputView: view(output, channels),
            ...{ y0: 0, y1: height, c0: 0, c1: channels, batches },
            ...{ inputBatchBytes: inputBytes, outputBatchBytes: outputBytes },
            ...{ kernelHeight: 1, kernelWidth: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 },
            ...{ padTop: 0, padLeft: 0, weights: CONSTANTS, scratch, requantizationMultiplier: 0 },
            requantization: requantizationWord(Requantization.scalar, 0),
            ...{ inputZeroPoint: 0, outputZeroPoint: 0, activationMin: -128, activationMax: 127 },
          };
          const accepted = isAccepted(
            writePlan({
              variant,
              steps: [{ record, ids: [0, 1, -1] }],
              arenaBytes: scratch - ARENA + 16_384,
              initial: [{ id: 0, address: input, bytes: batches * inputBytes }],
              final: [{ id: 1, address: output, bytes: batches * outputBytes }],
            }),
          );
          expect(accepted, `${below} below, of ${fits} or up to ${least}`).toBe(keeps(below));
          seen[accepted ? "accepted" : "refused"]++;
          if (batches > 1) seen.batches++;
        }
      },
    ),
    { numRuns: 1500 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(300);
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
