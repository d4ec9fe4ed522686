import fc from "fast-check";
import { expect, test } from "vitest";
import { PASSES, VARIANTS } from "../../src/index.ts";
import { runPasses } from "../../src/passes/index.ts";
import { bestWithin, leastPeak, peaksBetween } from "../../src/schedule/choose.ts";
import type { Segments } from "../../src/schedule/segments.ts";
import { segmentsOf } from "../../src/schedule/segments.ts";
import { cyclesOf } from "../../src/schedule/cost.ts";
import type { Step } from "../../src/schedule/layers.ts";
import { scheduleLayers } from "../../src/schedule/layers.ts";
import { programOf } from "../../src/schedule/program.ts";
import { importModel } from "../../src/tflite/import.ts";
import { writeModel } from "../model-writer.ts";
import { blockModel } from "./block-model.ts";

function countOf({ from }: Segments): number {
  return from.reduce((sum, { length }) => sum + length, 0);
}

test("streams that are left out for their cycles or bytes are in no schedule of so few", () => {
  let [left, kept] = [0, 0];
  fc.assert(
    fc.property(
      blockModel(),
      fc.constantFrom(...VARIANTS),
      fc.constantFrom(1, 1.01, 1.05, 1.3),
      fc.constantFrom(0.5, 0.8, Infinity),
      (model, variant, times, share) => {
        const program = programOf(runPasses(importModel(writeModel(model)), PASSES), false, 0, "channels");
        const packed = program.operations.map((each) => each.op.pack?.(each.bound, variant));
        const cyclesIn = (steps: readonly Step[]): number =>
          steps.reduce((sum, step) => sum + cyclesOf(step, variant), 0);
        const all = segmentsOf(program, packed, variant);
        const whole = all.from.map((segments) => segments.filter(({ step }) => step.stream === undefined));
        const bounds = {
          cycles: times * cyclesIn(scheduleLayers(program)),
          bytes: share * leastPeak({ from: whole }, "ramBytes"),
        };
        const fewer = segmentsOf(program, packed, variant, bounds);
        left += countOf(all) - countOf(fewer);
        for (const limit of peaksBetween(all, "ramBytes", leastPeak(all, "ramBytes"), bounds.bytes, 8)) {
          const wanted = bestWithin(all, "ramBytes", limit, "cycles");
          if (limit > bounds.bytes || wanted === undefined || cyclesIn(wanted) > bounds.cycles) continue;
          const found = bestWithin(fewer, "ramBytes", limit, "cycles");
          expect(found && cyclesIn(found)).toBe(cyclesIn(wanted));
          if (wanted.some(({ stream }) => stream !== undefined)) kept++;
        }
      },
    ),
    { numRuns: 150 },
  );
  expect(left).toBeGreaterThan(2000);
  expect(kept).toBeGreaterThan(20);
});
