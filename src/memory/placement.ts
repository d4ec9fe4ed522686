import { align } from "../plan/packing.ts";
import { ALIGNMENT, type Range } from "./occupancy.ts";
import { lowerBound, stepNeeds, type Extent } from "./overlaps.ts";
import type { PlanProblem, Storage } from "./problem.ts";

/**
 * Where each storage begins, in bytes from the start of the arena: multiples of 16, such that two storages alive in the
 * same step share no byte, except as an overlap of that step allows. Takes valid overlaps only.
 *
 * Greedy by size from the bottom, then from the top (an overlapping output lies below its input), then in order of time
 * from alternating ends (optimal for chains), then a local search over orders and ends. Scratch takes part as a storage
 * that lives for one step. The extent of the activations counts first, what scratch adds to it second; the other way round
 * where the fewest bytes in all are asked for. The search stops when the extent meets its lower bound and with scratch
 * nearly does, or after some hundred passes. Deterministic.
 */
export function placeStorages(problem: PlanProblem): readonly number[] {
  const blocks = makeBlocks(problem);
  const bySize = blocks
    .filter((block) => block.size > 0)
    .sort((a, b) => Number(a.isScratch) - Number(b.isScratch) || b.size - a.size);
  const starts = [
    () => bySize.map((block): Seat => ({ block, fromTop: block.isScratch })),
    // What is rounded up most last: on top, where nothing follows, it need not be.
    () =>
      bySize
        .toSorted((a, b) => ragged(a) - ragged(b))
        .map((block): Seat => ({ block, fromTop: block.isScratch })),
    () => bySize.map((block): Seat => ({ block, fromTop: true })),
    () => asScheduled(bySize, () => 0),
    () => asScheduled(bySize, tightnessOf(problem, bySize)),
    () => alternating(bySize, () => false),
    () => alternating(bySize, ({ firstStep, lastStep }) => firstStep === lastStep),
  ];
  const pairs = findNeighbours(bySize);
  const least = lowerBound(problem);
  const bound = problem.leanest === true ? { ...least, extent: least.withScratch } : least;
  const maxPasses = Math.min(MAX_PASSES, MAX_WORK / (pairs + bySize.length + 1));
  const random = randomNumbers();
  const isWorse = problem.leanest === true ? isLarger : isWider;

  let current: Trial | undefined;
  let best: Trial | undefined;
  let bestPass = 0;
  let lastGain = 0;
  let restarts = 0;
  for (let pass = 0; pass <= maxPasses; pass++) {
    if (pass >= starts.length && pass > lastGain + PATIENCE) {
      lastGain = pass;
      current = arrange(starts[++restarts % starts.length]?.() ?? [], bound, blocks);
    }
    const seats = starts[pass]?.() ?? mutate(current?.seats ?? [], current?.misfits ?? [], random);
    const trial = arrange(seats, bound, blocks);
    if (current === undefined || isWorse(current.cost, trial.cost)) lastGain = pass;
    if (current === undefined || !isWorse(trial.cost, current.cost)) current = trial;
    if (best === undefined || isWorse(best.cost, trial.cost)) {
      best = trial;
      bestPass = pass;
    }
    if (pass + 1 < starts.length || best.cost.extent > bound.extent) continue;
    if (best.cost.withScratch <= bound.withScratch + SCRATCH_TOLERANCE) break;
    if (pass >= bestPass + SCRATCH_PASSES) break;
  }
  return problem.storages.map(({ id }) => best?.begins[id] ?? 0);
}

/** Passes of the search, and pairs of blocks that it may look at: large graphs get fewer passes. */
const MAX_PASSES = 1200;
/** Passes without gain after which the search begins anew from another order. */
const PATIENCE = 150;
const MAX_WORK = 1 << 22;
/** Once the activations meet their bound: passes without gain, and bytes of scratch above its bound, to settle for. */
const SCRATCH_PASSES = 16;
const SCRATCH_TOLERANCE = 256;

/** A storage, or the scratch of a step. Sizes and distances are rounded up to the alignment, which loses nothing. */
interface Block {
  readonly isScratch: boolean;
  readonly size: number;
  readonly bytes: number;
  readonly fromTop: boolean | undefined;
  readonly firstStep: number;
  readonly lastStep: number;
  /** Inputs that this output may overlap, and how far below them it must begin. */
  readonly inputs: Map<Block, number>;
  /** Blocks with bytes that are alive in the same step as this one. */
  readonly neighbours: Block[];
  begin: number;
  isPlaced: boolean;
}

/** A block's turn in the order, and the end of the arena that it prefers. */
interface Seat {
  readonly block: Block;
  readonly fromTop: boolean;
}

interface Trial {
  readonly seats: readonly Seat[];
  /** Blocks that found no place within the lower bound. */
  readonly misfits: readonly Block[];
  readonly cost: Extent;
  /** Of each block, from the lowest; 0 for an empty one. */
  readonly begins: readonly number[];
}

function isWider(a: Extent, b: Extent): boolean {
  return a.extent > b.extent || (a.extent === b.extent && a.withScratch > b.withScratch);
}

function isLarger(a: Extent, b: Extent): boolean {
  return a.withScratch > b.withScratch || (a.withScratch === b.withScratch && a.extent > b.extent);
}

/** The storages, in order of their ids, then the scratch of each step. */
function makeBlocks({ storages, steps }: PlanProblem): readonly Block[] {
  const makeBlock = (storage: Omit<Storage, "id" | "name">, isScratch: boolean): Block => {
    const { bytes, firstStep, lastStep, fromTop } = storage;
    return {
      isScratch,
      size: align(bytes, ALIGNMENT),
      bytes,
      fromTop,
      firstStep,
      lastStep,
      inputs: new Map(),
      neighbours: [],
      begin: 0,
      isPlaced: false,
    };
  };
  const activations = storages.map((storage) => makeBlock(storage, false));
  for (const { input, output, distance } of steps.flatMap((step) => step.overlaps)) {
    const above = activations[input];
    if (above !== undefined) activations[output]?.inputs.set(above, align(distance, ALIGNMENT));
  }
  const scratch = steps.map(({ scratchBytes: bytes }, index) =>
    makeBlock({ bytes, firstStep: index, lastStep: index }, true),
  );
  return [...activations, ...scratch];
}

/** Bytes that rounding up adds. */
function ragged({ size, bytes }: Block): number {
  return size - bytes;
}

/**
 * The tightest first, then in order of birth, at the ends that the schedule hints at; rings and other short lives after
 * what outlives them.
 */
function asScheduled(blocks: readonly Block[], tightness: (block: Block) => number): readonly Seat[] {
  const turn = (block: Block): number => (block.isScratch ? 2 : Number(block.firstStep === block.lastStep));
  return blocks
    .toSorted(
      (a, b) =>
        Number(a.isScratch) - Number(b.isScratch) ||
        tightness(b) - tightness(a) ||
        turn(a) - turn(b) ||
        a.firstStep - b.firstStep,
    )
    .map((block) => ({ block, fromTop: block.fromTop ?? true }));
}

/** Of a block: the most bytes that are needed at once while it is alive. */
function tightnessOf(problem: PlanProblem, blocks: readonly Block[]): (block: Block) => number {
  const needs = stepNeeds(problem);
  const tightness = new Map(
    blocks.map((block) => {
      let most = 0;
      for (
        let step = Math.max(block.firstStep, 0);
        step <= Math.min(block.lastStep, needs.length - 1);
        step++
      ) {
        most = Math.max(most, needs[step] ?? 0);
      }
      return [block, most];
    }),
  );
  return (block) => tightness.get(block) ?? 0;
}

/** In order of birth, from alternating ends: neighbours of a chain never meet. Those that are `later` come after the others. */
function alternating(blocks: readonly Block[], later: (block: Block) => boolean): readonly Seat[] {
  const turn = (block: Block): number => (block.isScratch ? 2 : Number(later(block)));
  return blocks
    .toSorted((a, b) => turn(a) - turn(b) || a.firstStep - b.firstStep)
    .map((block, index) => ({ block, fromTop: block.isScratch || index % 2 === 1 }));
}

/** Gives a misfit, or a block in its way, an earlier or other turn, and now and then the other end. */
function mutate(seats: readonly Seat[], misfits: readonly Block[], random: () => number): readonly Seat[] {
  const pick = <T>(of: readonly T[]): T | undefined => of[Math.floor(random() * of.length)];
  const misfit = pick(misfits);
  const involved =
    misfit === undefined ? seats : seats.filter(({ block }) => misfit.neighbours.includes(block));
  const chosen = random() < 0.3 ? seats.find(({ block }) => block === misfit) : pick(involved);
  if (chosen === undefined) return seats;
  const next = seats.filter((seat) => seat !== chosen);
  const fromTop = random() < 0.5 ? !chosen.fromTop : chosen.fromTop;
  next.splice(random() < 0.5 ? 0 : Math.floor(random() * seats.length), 0, { block: chosen.block, fromTop });
  return next;
}

/** Tells blocks which others are alive in the same step, and counts those pairs. */
function findNeighbours(blocks: readonly Block[]): number {
  let pairs = 0;
  let alive: Block[] = [];
  for (const block of blocks.toSorted((a, b) => a.firstStep - b.firstStep)) {
    alive = alive.filter(({ lastStep }) => lastStep >= block.firstStep);
    for (const other of alive) {
      block.neighbours.push(other);
      other.neighbours.push(block);
    }
    pairs += alive.length;
    alive.push(block);
  }
  return pairs;
}

/** Places the blocks in turn, each where the arena grows least beyond the bound. */
function arrange(seats: readonly Seat[], bound: Extent, blocks: readonly Block[]): Trial {
  const misfits: Block[] = [];
  const placed: Block[] = [];
  let low = 0;
  let high = bound.extent;
  let highWithScratch = bound.withScratch;
  for (const block of blocks) block.isPlaced = false;
  for (const { block, fromTop } of seats) {
    const forbidden: Range[] = [];
    for (const other of block.neighbours) if (other.isPlaced) forbidden.push(forbiddenBegins(block, other));
    const ceiling = block.isScratch ? highWithScratch : high;
    block.begin = bestBegin(block.size, fromTop, forbidden, low, ceiling);
    const end = block.begin + block.size;
    if (block.begin < low || end > ceiling) misfits.push(block);
    low = Math.min(low, block.begin);
    if (!block.isScratch) high = Math.max(high, end);
    highWithScratch = Math.max(highWithScratch, end);
    block.isPlaced = true;
    placed.push(block);
  }
  // To the last byte, not to the alignment.
  const ends = placed.filter(({ isScratch }) => !isScratch).map(({ begin, bytes }) => begin + bytes);
  // Without spreading: a model may have more tensors than a call takes arguments.
  const top = ends.reduce((most, end) => Math.max(most, end), low);
  const cost = { extent: high > bound.extent ? high - low : top - low, withScratch: highWithScratch - low };
  const begins = blocks.map((block) => (block.size > 0 ? block.begin - low : 0));
  return { seats, misfits, cost, begins };
}

/**
 * The begins, strictly between the two, at which `block` would touch `other`. An output may lie `distance` or more below
 * its input, however far it reaches into it.
 */
function forbiddenBegins(block: Block, other: Block): Range {
  const below = Math.min(block.size, block.inputs.get(other) ?? Infinity);
  const above = Math.min(other.size, other.inputs.get(block) ?? Infinity);
  return { begin: other.begin - below, end: other.begin + above };
}

/** The allowed begin that exceeds [low, high) least; of equals the lowest, or the highest for a block from the top. */
function bestBegin(size: number, fromTop: boolean, forbidden: Range[], low: number, high: number): number {
  forbidden.sort((a, b) => a.begin - b.begin);
  forbidden.push({ begin: Infinity, end: Infinity });
  let best = 0;
  let leastGrowth = Infinity;
  let gapBegin = -Infinity;
  for (const { begin: gapEnd, end: nextGap } of forbidden) {
    if (gapEnd >= gapBegin) {
      const begin = Math.min(Math.max(fromTop ? high - size : low, gapBegin), gapEnd);
      const growth = Math.max(low - begin, 0) + Math.max(begin + size - high, 0);
      if (growth < leastGrowth || (fromTop && growth === leastGrowth)) {
        best = begin;
        leastGrowth = growth;
      }
    }
    gapBegin = Math.max(gapBegin, nextGap);
  }
  return best;
}

/** A fixed sequence of numbers in [0, 1): the same plan for the same problem. */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
