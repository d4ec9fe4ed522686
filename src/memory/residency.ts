import { align } from "../plan/packing.ts";
import { recordBytes } from "../plan/record.ts";
import { ALIGNMENT, freeAmong, largest, liveStorages, rangesOf } from "./occupancy.ts";
import type { PlanProblem } from "./problem.ts";

/** Activations and scratch, in bytes from the start of the arena. */
export interface Arena {
  /** What was placed: its overlaps are those that may be in use. */
  readonly problem: PlanProblem;
  readonly storageBegins: readonly number[];
  readonly scratchBegins: readonly number[];
  /** End of the topmost activation. */
  readonly activationEnd: number;
  /** End of the topmost activation or scratch. */
  readonly end: number;
}

/** The weights of one step, and what its activations and scratch leave free. */
export interface Demand {
  readonly step: number;
  readonly bytes: number;
  readonly blocks: number;
  readonly blockBytes: number;
  /** The output shares bytes with the input, so that the input can be read only once. */
  readonly singleTile: boolean;
  /** Largest hole between the activations, and the begin of the free bytes above them. */
  readonly holeBegin: number;
  readonly holeBytes: number;
  readonly top: number;
}

/** The weights of a step in so many tiles of whole blocks; resident if none. */
export interface Choice {
  readonly demand: Demand;
  readonly tiles: number;
}

/** The outcome of a search. Bytes are those of plan, weights, arena and tiles. */
export interface ResidencySearch {
  /** The fewest that any choice needs, and that choice. */
  readonly need: number;
  readonly leanest: readonly Choice[];
  /** The best choice within the limit, if there is one. */
  readonly best: readonly Choice[] | undefined;
}

/**
 * Chooses which weights stay and which are streamed within `limit` bytes: of what fits, what takes the least time to copy.
 *
 * Steps are coupled only by their sum and by the ceiling, the height up to which tiles may reach above the activations.
 * Under a given ceiling every blob has a cost resident (its bytes) and a cost streamed (its records), so every ceiling
 * that saves some step a tile is tried and filled greedily, large blobs first; the best is filled once more as a knapsack.
 */
export function chooseResidency(arena: Arena, limit: number): ResidencySearch {
  const demands = weightDemands(arena).sort((a, b) => b.bytes - a.bytes);
  const ceilings = ceilingsOf(demands, arena.end);
  const planBytes = basePlanBytes(arena.problem);
  const endOf = (choices: readonly Choice[]): number =>
    choices.reduce((end, choice) => Math.max(end, choice.tiles > 0 ? tileRange(choice).end : 0), arena.end);
  const bytesOf = (choices: readonly Choice[]): number =>
    align(planBytes + sum(choices, costOf), ALIGNMENT) + endOf(choices);
  const roomBeside = (choices: readonly Choice[]): number =>
    Math.floor((limit - endOf(choices)) / ALIGNMENT) * ALIGNMENT - planBytes - sum(choices, costOf);

  let need = Infinity;
  let leanest: readonly Choice[] = [];
  let best: readonly Choice[] | undefined;
  let base: readonly Choice[] = [];
  for (const ceiling of ceilings) {
    const cheapest = demands.map((demand) => cheapestUnder(demand, ceiling));
    const bytes = bytesOf(cheapest);
    if (bytes < need) [need, leanest] = [bytes, cheapest];
    if (bytes > limit) continue;
    const filled = fill(cheapest, roomBeside(cheapest));
    if (best === undefined || isBetter(filled, best)) [best, base] = [filled, cheapest];
  }
  // Nothing is better than copying nothing.
  if (best === undefined || sum(best, cyclesOf) === 0) return { need, leanest, best };

  const packed = pack(base, roomBeside(base));
  return { need, leanest, best: isBetter(packed, best) ? packed : best };
}

/** Makes resident what fits into `room` more bytes, in this order. */
function fill(choices: readonly Choice[], room: number): readonly Choice[] {
  let left = room;
  return choices.map((choice): Choice => {
    const more = residentExtra(choice);
    if (more > left) return choice;
    left -= more;
    return { demand: choice.demand, tiles: 0 };
  });
}

/** Makes resident what saves most time in `room` more: a knapsack, exact but for rounding `room` to cells. */
function pack(choices: readonly Choice[], room: number): readonly Choice[] {
  const unit = choices.map(residentExtra).reduce(greatestDivisor, 0);
  const grain = Math.max(unit, Math.ceil((room * choices.length) / MAX_CELLS));
  const capacity = Math.floor(room / grain);
  /** By room: the most cycles that the choices so far save. */
  const most = new Float64Array(capacity + 1);
  const rows = choices.map((choice) => {
    const cells = Math.ceil(residentExtra(choice) / grain);
    const isKept = new Uint8Array(capacity + 1);
    const cycles = cyclesOf(choice);
    for (let cell = capacity; cell >= cells; cell--) {
      const saved = (most[cell - cells] ?? 0) + cycles;
      if (saved <= (most[cell] ?? 0)) continue;
      most[cell] = saved;
      isKept[cell] = 1;
    }
    return { choice, cells, isKept };
  });
  let left = capacity;
  return rows.toReversed().map(({ choice, cells, isKept }): Choice => {
    if (isKept[left] !== 1) return choice;
    left -= cells;
    return { demand: choice.demand, tiles: 0 };
  });
}

/** Bound on cells × choices. */
const MAX_CELLS = 1 << 20;

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** What a choice costs more if it is resident. */
function residentExtra(choice: Choice): number {
  return costOf({ demand: choice.demand, tiles: 0 }) - costOf(choice);
}

function cheapestUnder(demand: Demand, ceiling: number): Choice {
  const resident = { demand, tiles: 0 };
  const streamed = { demand, tiles: fewestTiles(demand, ceiling) };
  return costOf(streamed) < costOf(resident) ? streamed : resident;
}

/** Less time spent on copies. */
export function isBetter(a: readonly Choice[], b: readonly Choice[]): boolean {
  return sum(a, cyclesOf) < sum(b, cyclesOf);
}

function cyclesOf({ demand, tiles }: Choice): number {
  return copyCycles(tiles > 0 ? demand.bytes : 0, tiles);
}

/** Cycles for copying so many bytes from flash in so many tiles, roughly, where flash is memory of the host. */
export function copyCycles(bytes: number, tiles: number): number {
  return bytes / FLASH_BYTES_PER_CYCLE + tiles * FETCH_CYCLES;
}

const FLASH_BYTES_PER_CYCLE = 12;
/** Of one copy beside its bytes. */
const FETCH_CYCLES = 250;

function sum(choices: readonly Choice[], value: (choice: Choice) => number): number {
  return choices.reduce((total, choice) => total + value(choice), 0);
}

/** What has weights, in order of steps. */
function weightDemands(arena: Arena): Demand[] {
  const demands: Demand[] = [];
  let index = 0;
  for (const [step, live] of liveStorages(arena.problem)) {
    const { blocks, blockBytes } = step.weights ?? { blocks: 0, blockBytes: 0 };
    if (blocks * blockBytes > 0) {
      const begin = arena.scratchBegins[index] ?? 0;
      const scratch = { begin, end: begin + step.scratchBytes };
      const free = freeAmong([
        ...rangesOf(live, arena.storageBegins),
        ...(step.scratchBytes > 0 ? [scratch] : []),
      ]);
      const hole = largest(free.holes);
      demands.push({
        step: index,
        bytes: blocks * blockBytes,
        blocks,
        blockBytes,
        singleTile: step.overlaps.some(({ input, output }) => shareBytes(arena, input, output)),
        holeBegin: hole.begin,
        holeBytes: hole.end - hole.begin,
        top: free.top,
      });
    }
    index++;
  }
  return demands;
}

function shareBytes({ problem, storageBegins }: Arena, a: number, b: number): boolean {
  const [beginA = 0, beginB = 0] = [storageBegins[a], storageBegins[b]];
  return (
    beginA < beginB + (problem.storages[b]?.bytes ?? 0) && beginB < beginA + (problem.storages[a]?.bytes ?? 0)
  );
}

/** Bytes of header and records if no weights are streamed. */
export function basePlanBytes(problem: PlanProblem): number {
  return problem.steps.reduce((sum, step) => sum + step.recordBytes, problem.fixedPlanBytes);
}

/** What the choice adds to the plan's and the resident weights' bytes. A sum of it, rounded up to 16, is exact. */
export function costOf({ demand, tiles }: Choice): number {
  if (tiles === 0) return align(demand.bytes, ALIGNMENT);
  if (tiles === 1) return FETCH_BYTES;
  return Number.isFinite(tiles) ? TILES_BYTES : Infinity;
}

const FETCH_BYTES = recordBytes("fetch");
const TILES_BYTES = recordBytes("tiles");

/** Where the tiles of a choice lie, from the start of the arena. */
export function tileRange({ demand, tiles }: Choice): { begin: number; end: number; blocks: number } {
  const blocks = Math.ceil(demand.blocks / tiles);
  const bytes = blocks * demand.blockBytes;
  const begin = bytes <= demand.holeBytes ? demand.holeBegin : demand.top;
  return { begin, end: begin + bytes, blocks };
}

/** The fewest tiles if they may reach up to `ceiling`; Infinity if not even one block fits. */
function fewestTiles({ blocks, blockBytes, singleTile, holeBytes, top }: Demand, ceiling: number): number {
  const perTile = Math.floor(Math.max(holeBytes, ceiling - top) / blockBytes);
  if (perTile >= blocks) return 1;
  return singleTile || perTile < 1 ? Infinity : Math.ceil(blocks / perTile);
}

/**
 * The heights up to which tiles may reach: `lowest` (the end of the arena), and above it each that saves some step a
 * tile. Thinned out evenly where they are very many.
 */
function ceilingsOf(demands: readonly Demand[], lowest: number): number[] {
  const ceilings = new Set([lowest]);
  for (const { blocks, blockBytes, top } of demands) {
    for (let perTile = blocks; perTile > 0; perTile = nextSmaller(blocks, perTile)) {
      ceilings.add(Math.max(lowest, top + perTile * blockBytes));
    }
  }
  const sorted = [...ceilings].sort((a, b) => a - b);
  const stride = Math.ceil((sorted.length * (demands.length + 1)) / MAX_WORK);
  return sorted.filter((_, index) => index % stride === 0);
}

/** Bound on ceilings × demands. */
const MAX_WORK = 1 << 20;

/** The largest number of blocks per tile that makes one tile more than `perTile` does; 0 if none. */
function nextSmaller(blocks: number, perTile: number): number {
  return perTile === 1 ? 0 : Math.ceil(blocks / Math.ceil(blocks / (perTile - 1)));
}
