import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryError, PASSES, compile, VARIANTS } from "../../src/index.ts";
import { runPasses } from "../../src/passes/index.ts";
import type { Aim, Bounds, Measure, Segments } from "../../src/schedule/choose.ts";
import { bestWithin, leastPeak, peaksBetween, segmentsOf } from "../../src/schedule/choose.ts";
import { cyclesOf } from "../../src/schedule/cost.ts";
import { scheduleLayers } from "../../src/schedule/layers.ts";
import type { Step } from "../../src/schedule/layers.ts";
import { programOf } from "../../src/schedule/program.ts";
import { importModel } from "../../src/tflite/import.ts";
import { writeModel } from "../model-writer.ts";
import { blockModel } from "./block-model.ts";

const UNBOUNDED: Bounds = { bytes: Infinity, cycles: Infinity };

function countOf({ from }: Segments): number {
  return from.reduce((sum, { length }) => sum + length, 0);
}

test("streams that are left out for their bytes or cycles are in no schedule within the bounds", () => {
  const left = { bytes: 0, cycles: 0 };
  fc.assert(
    fc.property(
      blockModel(),
      fc.constantFrom(...VARIANTS),
      fc.constantFrom(1, 1.01, 1.05, 1.3, Infinity),
      fc.constantFrom(0.3, 0.7, 1, Infinity),
      (model, variant, moreCycles, share) => {
        const program = programOf(runPasses(importModel(writeModel(model)), PASSES), false, 0, "channels");
        const packed = program.operations.map((each) => each.op.pack?.(each.bound, variant));
        const cyclesIn = (steps: readonly Step[]): number =>
          steps.reduce((sum, step) => sum + cyclesOf(step, variant), 0);
        const all = segmentsOf(program, packed, variant, UNBOUNDED);
        const peak = leastPeak(
          { from: all.from.map((segments) => segments.filter(({ step }) => step.stream === undefined)) },
          "ramBytes",
        );
        const bounds = {
          bytes: share * peak,
          cycles: moreCycles * cyclesIn(scheduleLayers(program)),
        };
        const within = segmentsOf(program, packed, variant, bounds);
        if (bounds.cycles === Infinity) left.bytes += countOf(all) - countOf(within);
        if (bounds.bytes === Infinity) left.cycles += countOf(all) - countOf(within);
        const best = (segments: Segments, measure: Measure, limit: number, aim: Aim): number | undefined => {
          const steps = bestWithin(segments, measure, limit, aim);
          return steps && cyclesIn(steps);
        };
        for (const limit of peaksBetween(all, "ramBytes", leastPeak(all, "ramBytes"), bounds.bytes, 8)) {
          const wanted = limit > bounds.bytes ? undefined : best(all, "ramBytes", limit, "cycles");
          if (wanted !== undefined && wanted <= bounds.cycles) {
            expect(best(within, "ramBytes", limit, "cycles")).toBe(wanted);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
  expect(left.bytes).toBeGreaterThan(1000);
  expect(left.cycles).toBeGreaterThan(2000);
});

test("what is said to be needed where a budget is too small is enough, and the same however small it is", () => {
  let streams = 0;
  fc.assert(
    fc.property(blockModel(), (model) => {
      const bytes = writeModel(model);
      const neededFor = (sram: number): number => {
        try {
          compile(bytes, { schedule: "minimum", sram });
        } catch (error) {
          if (error instanceof MemoryError) return error.neededBytes ?? NaN;
          throw error;
        }
        return 0;
      };
      const needed = neededFor(300);
      const { report } = compile(bytes, { schedule: "minimum", sram: needed });
      if (report.steps.some(({ op }) => op === "stream")) streams++;
      expect(report.ramBytes).toBeLessThanOrEqual(needed);
      const nearer = neededFor(Math.floor(0.9 * needed));
      expect(nearer === 0 ? needed : nearer).toBe(needed);
    }),
    { numRuns: 40 },
  );
  expect(streams).toBeGreaterThan(5);
});
