import fc from "fast-check";
import type { Overlap, PlanProblem, Step, Storage } from "../../src/memory/problem.ts";

/** A step without scratch, weights or overlaps, but for what is given. */
export function step(given: Partial<Step> = {}): Step {
  return { name: "step", scratchBytes: 0, overlaps: [], recordBytes: 64, ...given };
}

/** Storages from (bytes, firstStep, lastStep). */
export function storages(...rows: readonly (readonly [number, number, number])[]): Storage[] {
  return rows.map(([bytes, firstStep, lastStep], id) => ({ id, name: `s${id}`, bytes, firstStep, lastStep }));
}

/** A problem of these, in 64 bytes of fixed plan. */
export function problem(of: Pick<PlanProblem, "storages" | "steps"> & { budget?: number }): PlanProblem {
  return { budget: Infinity, fixedPlanBytes: 64, ...of };
}

/** Layers one after another: storage k is read by step k, which writes storage k + 1. */
export function chain(sizes: readonly number[], distance?: number): PlanProblem {
  return problem({
    storages: storages(...sizes.map((bytes, index) => [bytes, index - 1, index] as const)),
    steps: sizes.slice(1).map((_, input) => {
      return step({ overlaps: distance === undefined ? [] : [{ input, output: input + 1, distance }] });
    }),
  });
}

const sizes = fc.oneof(fc.nat(40), fc.nat(2000), fc.constantFrom(0, 1, 16, 512, 1024));

/** Graphs of up to ten steps with skips, several inputs and outputs, and overlaps declared with or without reason. */
export const problems: fc.Arbitrary<PlanProblem> = fc
  .integer({ min: 1, max: 10 })
  .chain((count) =>
    fc.record({
      inputs: fc.array(fc.record({ bytes: sizes, lives: fc.nat(count + 1) }), { minLength: 1, maxLength: 3 }),
      steps: fc.array(
        fc.record({
          outputs: fc.array(
            fc.record({ bytes: sizes, lives: fc.oneof(fc.nat(2), fc.nat(count)), distance: fc.nat(200) }),
            { minLength: 1, maxLength: 2 },
          ),
          overlapped: fc.constantFrom("none", "dying", "dying", "any"),
          scratchBytes: fc.oneof(fc.constant(0), fc.nat(600)),
          weights: fc.option(fc.record({ blocks: fc.nat(9), blockBytes: fc.integer({ min: 1, max: 400 }) }), {
            nil: undefined,
          }),
          recordBytes: fc.integer({ min: 2, max: 40 }).map((words) => 4 * words),
        }),
        { minLength: count, maxLength: count },
      ),
    }),
  )
  .map(({ inputs, steps: drawn }) => {
    const all: Storage[] = [];
    const add = (bytes: number, firstStep: number, lives: number): number => {
      const lastStep = Math.min(drawn.length, firstStep + lives);
      return all.push({ id: all.length, name: `s${all.length}`, bytes, firstStep, lastStep }) - 1;
    };
    for (const { bytes, lives } of inputs) add(bytes, -1, lives);
    const steps = drawn.map(({ outputs, overlapped, weights, ...rest }, index): Step => {
      const before = all.filter((storage) => overlapped === "any" || storage.lastStep === index);
      const overlaps: Overlap[] = [];
      for (const { bytes, lives, distance } of outputs) {
        const output = add(bytes, index, lives);
        if (overlapped === "none") continue;
        for (const input of before) overlaps.push({ input: input.id, output, distance });
      }
      return { name: `step ${index}`, ...rest, overlaps, ...(weights && { weights }) };
    });
    return problem({ storages: all, steps });
  });
