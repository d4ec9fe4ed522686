import { SLACK_BYTES } from "../plan/format.ts";
import { align } from "../plan/packing.ts";
import { ALIGNMENT, rangesOf, type Range } from "./occupancy.ts";
import { lowerBound, withoutOverlaps, withValidOverlaps } from "./overlaps.ts";
import { overflowError } from "./overflow.ts";
import { placeStorages } from "./placement.ts";
import type { Layout, PlanProblem, WeightPlacement } from "./problem.ts";
import {
  basePlanBytes,
  chooseResidency,
  costOf,
  isBetter,
  tileRange,
  type Arena,
  type Choice,
} from "./residency.ts";
import { placeScratch } from "./scratch.ts";

/**
 * Arranges activations, scratch, weights and tiles of weights within the budget: everything resident if that fits, or
 * else as few bytes as possible streamed; with `leanest`, in as few bytes as it can. The same problem gives the same layout.
 *
 * Everything begins at a multiple of 16. The gaps belong to what lies before them (`planBytes` and each blob in
 * `residentWeightBytes` are rounded up, so `arenaAddress` is their sum), except that a gap above the topmost activation
 * belongs to the scratch or tile that follows it.
 *
 * A step in which an overlap is used reads its input once: its weights are resident or one tile.
 *
 * @throws MemoryError `arena-overflow` if nothing that the planner can find fits; it names the bytes that would, and
 *   with exactly those it succeeds.
 */
export function planMemory(problem: PlanProblem): Layout {
  const valid = withValidOverlaps(problem);
  const bound = lowerBound(valid);
  const needed = withoutOverlaps(valid, (_step, bytes) => {
    return bytes.apart > bound.extent || bytes.apart + bytes.scratch > bound.withScratch;
  });
  const arena = placeActivations({ ...needed, leanest: false });
  const resident = describe(arena, []);
  const isLeanest = problem.leanest === true;
  if (resident.ramBytes <= problem.budget && !isLeanest) return resident;

  // Where the weights outweigh what an overlap saves, tiles may be worth more.
  const worth = withoutOverlaps(needed, ({ weights }, { apart, overlapped }) => {
    return weights === undefined || apart - overlapped >= (weights.blocks - 1) * weights.blockBytes;
  });
  const problems = countOverlaps(worth) < countOverlaps(needed) ? [needed, worth] : [needed];
  const arenas = [arena, ...problems.filter((one) => isLeanest || one === worth).map(placeActivations)];

  let best: Attempt | undefined;
  let leanest: Attempt | undefined;
  let need = Infinity;
  for (const arena of arenas) {
    const search = chooseResidency(arena, problem.budget - SLACK_BYTES);
    if (search.need < need) {
      need = search.need;
      leanest = { arena, choices: search.leanest };
    }
    if (search.best !== undefined && (best === undefined || isBetter(search.best, best.choices))) {
      best = { arena, choices: search.best };
    }
  }
  if (best !== undefined && !isLeanest) return describe(best.arena, best.choices);
  const { arena: smallest, choices } = leanest ?? { arena, choices: [] };
  const layout = describe(smallest, choices);
  if (layout.ramBytes <= problem.budget) return layout;
  throw overflowError(smallest, choices, layout);
}

interface Attempt {
  readonly arena: Arena;
  readonly choices: readonly Choice[];
}

function countOverlaps({ steps }: PlanProblem): number {
  return steps.reduce((sum, step) => sum + step.overlaps.length, 0);
}

function placeActivations(problem: PlanProblem): Arena {
  const storageBegins = placeStorages(problem.leanest === true ? withLeastTiles(problem) : problem);
  const scratch = placeScratch(problem, storageBegins);
  const activationEnd = endOf(rangesOf(problem.storages, storageBegins));
  const end = Math.max(activationEnd, scratch.end);
  return { problem, storageBegins, scratchBegins: scratch.begins, activationEnd, end };
}

/** Where the fewest bytes in all are asked for, a tile of one block is there beside the scratch. */
function withLeastTiles(problem: PlanProblem): PlanProblem {
  const steps = problem.steps.map((step) => {
    const { scratchBytes, weights, overlaps } = step;
    if (weights === undefined) return step;
    const blocks = overlaps.length > 0 ? weights.blocks : 1;
    return { ...step, scratchBytes: align(scratchBytes, ALIGNMENT) + blocks * weights.blockBytes };
  });
  return { ...problem, steps };
}

function endOf(ranges: readonly Range[]): number {
  return ranges.reduce((end, range) => Math.max(end, range.end), 0);
}

/** The layout in which the weights that `choices` leaves out, or gives no tiles, are resident. */
function describe(arena: Arena, choices: readonly Choice[]): Layout {
  const { steps, storages } = arena.problem;
  const streamed = choices.filter((choice) => choice.tiles > 0);
  const byStep = new Map(streamed.map((choice) => [choice.demand.step, choice]));
  const records = streamed.reduce((sum, choice) => sum + costOf(choice), basePlanBytes(arena.problem));
  const planBytes = align(records, ALIGNMENT);

  const resident = steps.map(({ weights }, index) => {
    const bytes = weights === undefined || byStep.has(index) ? 0 : weights.blocks * weights.blockBytes;
    return align(bytes, ALIGNMENT);
  });
  const residentWeightBytes = resident.reduce((sum, bytes) => sum + bytes, 0);
  const arenaAddress = planBytes + residentWeightBytes;

  let nextResident = planBytes;
  const weights = resident.map((bytes, index): WeightPlacement => {
    const choice = byStep.get(index);
    if (choice !== undefined) {
      const { begin, blocks } = tileRange(choice);
      return { kind: "streamed", address: arenaAddress + begin, tiles: choice.tiles, blocksPerTile: blocks };
    }
    if (bytes === 0) return { kind: "none" };
    nextResident += bytes;
    return { kind: "resident", address: nextResident - bytes };
  });

  const end = Math.max(arena.end, endOf(streamed.map(tileRange)));
  return {
    storageAddress: storages.map((_, id) => arenaAddress + (arena.storageBegins[id] ?? 0)),
    scratchAddress: steps.map(({ scratchBytes }, index) => {
      return scratchBytes > 0 ? arenaAddress + (arena.scratchBegins[index] ?? 0) : 0;
    }),
    weights,
    planBytes,
    residentWeightBytes,
    arenaAddress,
    arenaBytes: arena.activationEnd,
    scratchBytes: arena.end - arena.activationEnd,
    weightTileBytes: end - arena.end,
    slackBytes: SLACK_BYTES,
    ramBytes: arenaAddress + end + SLACK_BYTES,
  };
}
