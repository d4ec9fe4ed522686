import { UnsupportedError } from "../errors.ts";
import type { Program } from "../schedule/program.ts";

/** Pairs of values that are alive at once: time and memory of the search for places grow with them. 1,449 values at once have more. */
const MAX_PAIRS = 1 << 20;

/**
 * Those of the programs whose values can be placed in bounded time.
 * @throws UnsupportedError too-many-alive: all of them do some work twice, or there are none
 */
export function placeable<One extends { readonly program: Program }>(
  programs: readonly One[],
): readonly One[] {
  const crowds = programs.map(({ program }) => crowdOf(program));
  const kept = programs.filter((_, i) => (crowds[i]?.pairs ?? 0) <= MAX_PAIRS);
  const [first] = crowds;
  if (first === undefined || kept.some(({ program }) => program.extraMacs === 0)) return kept;
  throw new UnsupportedError(
    "too-many-alive",
    `the model holds ${first.most} tensors at once, before operator ${first.at}, and too many pairs of such in all; ` +
      "reorder its operators so that each tensor is read soon after it is made, or split the model",
  );
}

/** How many values are alive at once at most, and before which operation; and how many pairs of values ever are. */
function crowdOf({ values, operations }: Program): { most: number; at: number; pairs: number } {
  const born = new Int32Array(operations.length + 2);
  const dead = new Int32Array(operations.length + 2);
  for (const value of values.values()) {
    if (value.view !== undefined) continue;
    born[value.born + 1] = (born[value.born + 1] ?? 0) + 1;
    dead[value.lastRead + 1] = (dead[value.lastRead + 1] ?? 0) + 1;
  }
  let [alive, most, at, pairs] = [0, 0, 0, 0];
  for (let step = 0; step < born.length; step++) {
    const count = born[step] ?? 0;
    pairs += count * alive + (count * (count - 1)) / 2;
    alive += count;
    if (alive > most) [most, at] = [alive, step];
    // Read for the last time here, and so alive beside what is made here.
    alive -= dead[step] ?? 0;
  }
  return { most, at, pairs };
}
