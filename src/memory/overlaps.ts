import { align } from "../plan/packing.ts";
import { ALIGNMENT } from "./occupancy.ts";
import type { Overlap, PlanProblem, Step, Storage } from "./problem.ts";

/** Bytes that a step needs at once, each piece rounded up to the alignment. */
export interface StepBytes {
  /** Activations side by side. */
  readonly apart: number;
  /** Activations with every declared overlap used to the full: no placement needs less. */
  readonly overlapped: number;
  readonly scratch: number;
}

/** Bytes from the lowest to the highest activation, and the same with scratch. */
export interface Extent {
  readonly extent: number;
  readonly withScratch: number;
}

/** What no placement can undercut, in multiples of the alignment. Takes valid overlaps only. */
export function lowerBound(problem: PlanProblem): Extent {
  const bytes = stepBytes(problem);
  let extent = bytes.reduce((most, { overlapped }) => Math.max(most, overlapped), 0);
  for (let raised = raise(problem, bytes, extent); raised > extent; raised = raise(problem, bytes, extent)) {
    extent = raised;
  }
  const withScratch = bytes.reduce((most, own) => Math.max(most, own.overlapped + own.scratch), extent);
  return { extent, withScratch };
}

/**
 * A better bound than `extent`, or the same. Where a step's activations do not fit side by side its overlap must be
 * used, which puts the output `distance` below the input; after a run of such steps the first input lies the sum of
 * their distances above the last output. A step escapes from this when its activations fit side by side.
 */
function raise({ storages, steps }: PlanProblem, [, ...bytes]: readonly StepBytes[], extent: number): number {
  const drop = new Map<number, number>();
  let required = extent;
  let escape = Infinity;
  for (let index = steps.length - 1; index >= 0; index--) {
    const [overlap, ...others] = steps[index]?.overlaps ?? [];
    const apart = bytes[index]?.apart ?? 0;
    if (overlap === undefined || others.length > 0 || apart <= extent) continue;
    const { input, output, distance } = overlap;
    const below = align(distance, ALIGNMENT) + (drop.get(output) ?? 0);
    drop.set(input, below);
    required = Math.max(required, align(storages[input]?.bytes ?? 0, ALIGNMENT) + below);
    escape = Math.min(escape, apart);
  }
  return Math.min(required, escape);
}

/** What each step needs at once at the least, scratch aside. Takes valid overlaps only. */
export function stepNeeds(problem: PlanProblem): readonly number[] {
  return stepBytes(problem)
    .slice(1, -1)
    .map(({ overlapped }) => overlapped);
}

/**
 * The bytes of each step, preceded by those of the inputs before the first and followed by those of the outputs after
 * the last.
 */
function stepBytes({ storages, steps }: PlanProblem): readonly StepBytes[] {
  const change = new Float64Array(steps.length + 3);
  for (const { bytes, firstStep, lastStep } of storages) {
    const size = align(bytes, ALIGNMENT);
    change[firstStep + 1] = (change[firstStep + 1] ?? 0) + size;
    change[lastStep + 2] = (change[lastStep + 2] ?? 0) - size;
  }
  let apart = 0;
  return [undefined, ...steps, undefined].map((step, index) => {
    apart += change[index] ?? 0;
    const overlapped = apart - (step === undefined ? 0 : sharedBytes(step.overlaps, storages));
    return { apart, overlapped, scratch: align(step?.scratchBytes ?? 0, ALIGNMENT) };
  });
}

/**
 * The most bytes that outputs can share with inputs. Inputs are disjoint, so of `size` bytes of an output at least
 * `size - sum of its inputs` lie outside of them, and at least the smallest distance lies below them.
 */
function sharedBytes(overlaps: readonly Overlap[], storages: readonly Storage[]): number {
  const sizeOf = (id: number): number => align(storages[id]?.bytes ?? 0, ALIGNMENT);
  let shared = 0;
  for (const output of new Set(overlaps.map((overlap) => overlap.output))) {
    const partners = overlaps.filter((overlap) => overlap.output === output);
    const inputBytes = partners.reduce((sum, { input }) => sum + sizeOf(input), 0);
    const distance = Math.min(...partners.map((partner) => align(partner.distance, ALIGNMENT)));
    shared += Math.max(0, sizeOf(output) - Math.max(sizeOf(output) - inputBytes, distance));
  }
  return shared;
}

/**
 * The problem with those overlaps only that lifetimes allow (the input dies in the step, the output is born in it), one
 * per pair: the longest distance.
 */
export function withValidOverlaps(problem: PlanProblem): PlanProblem {
  const { storages } = problem;
  const steps = problem.steps.map((step, index): Step => {
    const longest = new Map<string, Overlap>();
    for (const overlap of step.overlaps) {
      const pair = `${overlap.input},${overlap.output}`;
      const meet =
        storages[overlap.input]?.lastStep === index && storages[overlap.output]?.firstStep === index;
      if (meet && overlap.distance >= (longest.get(pair)?.distance ?? 0)) longest.set(pair, overlap);
    }
    return { ...step, overlaps: [...longest.values()] };
  });
  return { ...problem, steps };
}

/**
 * The problem without the overlaps that `isWorth` refuses. It is asked only about steps with several blocks of weights:
 * streamed in tiles, each reads the whole input again, so the output must then lie apart.
 */
export function withoutOverlaps(
  problem: PlanProblem,
  isWorth: (step: Step, bytes: StepBytes) => boolean,
): PlanProblem {
  const [, ...bytes] = stepBytes(problem);
  const steps = problem.steps.map((step, index): Step => {
    const own = bytes[index];
    const drop = step.overlaps.length > 0 && (step.weights?.blocks ?? 0) > 1;
    return drop && own !== undefined && !isWorth(step, own) ? { ...step, overlaps: [] } : step;
  });
  return { ...problem, steps };
}
