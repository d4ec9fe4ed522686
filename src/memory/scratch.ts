import { freeAmong, liveStorages, rangesOf } from "./occupancy.ts";
import type { PlanProblem } from "./problem.ts";

/** Where the scratch of each step begins, from the start of the arena (0 if none), and the end of the topmost. */
export interface ScratchPlacement {
  readonly begins: readonly number[];
  readonly end: number;
}

/**
 * Scratch lives in one step only. It takes the smallest hole that holds it between the activations of that step (a
 * larger one may then serve weights), or else follows the topmost of them.
 */
export function placeScratch(problem: PlanProblem, storageBegins: readonly number[]): ScratchPlacement {
  const begins: number[] = [];
  let top = 0;
  for (const [{ scratchBytes }, live] of liveStorages(problem)) {
    let begin = 0;
    if (scratchBytes > 0) {
      const free = freeAmong(rangesOf(live, storageBegins));
      const fits = free.holes.filter((hole) => hole.end - hole.begin >= scratchBytes);
      const tightest = fits.sort((a, b) => a.end - a.begin - (b.end - b.begin))[0];
      begin = tightest?.begin ?? free.top;
      top = Math.max(top, begin + scratchBytes);
    }
    begins.push(begin);
  }
  return { begins, end: top };
}
