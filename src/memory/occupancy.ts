import { align } from "../plan/packing.ts";
import type { PlanProblem, Step, Storage } from "./problem.ts";

/** Everything the planner places begins at a multiple of this. */
export const ALIGNMENT = 16;

/** Bytes [begin, end). */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** What a step leaves free: holes that begin aligned, and every byte from `top` (aligned) upwards. */
export interface FreeSpace {
  readonly holes: readonly Range[];
  readonly top: number;
}

/** Each step in turn with the storages alive in it. */
export function* liveStorages(
  problem: Pick<PlanProblem, "storages" | "steps">,
): Generator<readonly [Step, readonly Storage[]]> {
  const bornIn = new Map<number, Storage[]>();
  for (const storage of problem.storages) {
    const step = Math.max(0, storage.firstStep);
    const born = bornIn.get(step);
    if (born === undefined) bornIn.set(step, [storage]);
    else born.push(storage);
  }
  let live: readonly Storage[] = [];
  for (const [index, step] of problem.steps.entries()) {
    live = [...live, ...(bornIn.get(index) ?? [])].filter((storage) => storage.lastStep >= index);
    yield [step, live];
  }
}

/** The bytes of these storages, given where each begins. */
export function rangesOf(storages: readonly Storage[], begins: readonly number[]): Range[] {
  return storages
    .filter((storage) => storage.bytes > 0)
    .map(({ id, bytes }) => ({ begin: begins[id] ?? 0, end: (begins[id] ?? 0) + bytes }));
}

/** The complement of `occupied`, which may overlap one another. */
export function freeAmong(occupied: readonly Range[]): FreeSpace {
  const holes: Range[] = [];
  let top = 0;
  for (const range of occupied.toSorted((a, b) => a.begin - b.begin)) {
    if (range.begin > top) holes.push({ begin: top, end: range.begin });
    top = Math.max(top, align(range.end, ALIGNMENT));
  }
  return { holes, top };
}

/** The largest of these ranges, the first if several; empty if there is none. */
export function largest(ranges: readonly Range[]): Range {
  return ranges.reduce((best, range) => (range.end - range.begin > best.end - best.begin ? range : best), {
    begin: 0,
    end: 0,
  });
}
