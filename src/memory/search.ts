import { MemoryError } from "../errors.ts";
import type { Schedule } from "../plan/schedule.ts";
import type { Variant } from "../plan/variant.ts";
import type { Aim, Measure } from "../schedule/choose.ts";
import { bestWithin, leastPeak, peaksBetween } from "../schedule/choose.ts";
import { cyclesOf } from "../schedule/cost.ts";
import type { Step } from "../schedule/layers.ts";
import { scheduleLayers } from "../schedule/layers.ts";
import type { Program } from "../schedule/program.ts";
import type { Bounds, Segments } from "../schedule/segments.ts";
import { segmentsOf } from "../schedule/segments.ts";
import { placeable } from "./crowd.ts";
import type { MemoryDemand, PackedWeights } from "./lifetimes.ts";
import { demandMemory } from "./lifetimes.ts";
import { planMemory } from "./planner.ts";
import type { Layout } from "./problem.ts";
import { copyCycles } from "./residency.ts";

/** A schedule and where everything lies. */
export interface Planned {
  readonly program: Program;
  readonly packed: PackedWeights;
  readonly steps: readonly Step[];
  readonly demand: MemoryDemand;
  readonly layout: Layout;
  /** Cycles per inference, roughly: for comparing schedules. */
  readonly cycles: number;
}

/** A program and its weights. */
export interface PackedProgram {
  readonly program: Program;
  readonly packed: PackedWeights;
}

export interface PlanRequest {
  /** The program as it is, perhaps in more ways than one, then with more and more of it done twice; at least one. */
  readonly programs: readonly PackedProgram[];
  readonly variant: Variant;
  readonly schedule: Schedule;
  /** Bytes of linear memory; Infinity keeps all weights resident. */
  readonly budget: number;
  /** Multiply-accumulates that may be done more than once. */
  readonly maxExtraMacs: number;
  /** Header and records that belong to no step. */
  readonly fixedPlanBytes: number;
}

/**
 * Schedules a program and arranges its memory. "auto" takes whole layers where they and all weights fit, because nothing is
 * faster; else it weighs the cycles of streams against the bytes that each schedule leaves for weights to copy. Work is done
 * twice only where that gives what `schedule` asks for, or where nothing else fits.
 * @throws UnsupportedError `too-many-alive`
 * @throws MemoryError `arena-overflow` if no schedule fits; it names the fewest bytes that were found to be enough
 */
export function planProgram(request: PlanRequest): Planned {
  const { schedule, budget, variant, maxExtraMacs } = request;
  const programs = placeable(request.programs);
  const plain = programs.filter(({ program }) => program.extraMacs === 0);
  const [first, ...others] = plain.map((one) => tryToArrange(request, one, scheduleLayers(one.program)));
  if (first === undefined) throw new RangeError("no program to plan");
  let best = first;
  for (const other of others) if (isBetter(request, other, best)) best = other;
  const needsNoMore = schedule === "auto" && !(best instanceof MemoryError) && streamedBytes(best) === 0;
  for (const one of schedule === "layer" || needsNoMore ? [] : programs) {
    // Where time counts, work is not done twice for nothing.
    if (schedule === "auto" && !(best instanceof MemoryError) && one.program.extraMacs > 0) break;
    const { program, packed } = one;
    const blobs = program.operations.map((operation) => packed.get(operation));
    const bounds =
      schedule === "auto" && !(best instanceof MemoryError) ? boundsOf(best, one, budget) : undefined;
    const segments = segmentsOf(program, blobs, variant, bounds);
    const found = candidates(segments, schedule, budget);
    if (maxExtraMacs > program.extraMacs) {
      const left = maxExtraMacs - program.extraMacs;
      found.push(...inStrips(segmentsOf(program, blobs, variant, bounds, left), segments, left));
    }
    for (const steps of distinct(found)) {
      if (bounds !== undefined && runCycles(steps, variant) > bounds.cycles) continue;
      const planned = tryToArrange(request, one, steps);
      if (isBetter(request, planned, best)) best = planned;
    }
  }
  if (!(best instanceof MemoryError)) return best;
  // The fastest do not fit: the leanest may.
  if (schedule === "auto") return planProgram({ ...request, schedule: "minimum" });
  throw best;
}

/** Schedules to place. */
function candidates(segments: Segments, schedule: Schedule, budget: number): (readonly Step[])[] {
  const aims: readonly Aim[] = schedule === "auto" ? ["cycles"] : ["planBytes", "cycles"];
  const within = (measure: Measure, limit: number): (readonly Step[])[] =>
    aims.flatMap((aim) => {
      const steps = bestWithin(segments, measure, limit, aim);
      return steps === undefined ? [] : [steps];
    });
  const leastArena = leastPeak(segments, "arenaBytes");
  const leastRam = leastPeak(segments, "ramBytes");
  if (schedule === "auto") {
    const limits = peaksBetween(segments, "arenaBytes", leastArena, budget);
    return [...limits.flatMap((limit) => within("arenaBytes", limit)), ...within("ramBytes", leastRam)].map(
      freely,
    );
  }
  // Beside weights that are fetched, records and scratch may cost more than the last bytes of activations save.
  const near = (measure: Measure, least: number): (readonly Step[])[] => {
    const high = Number.isFinite(budget) ? NEAR_LEAST * least : least;
    return peaksBetween(segments, measure, least, high, NEAR_TRIALS).flatMap((limit) =>
      within(measure, limit),
    );
  };
  const lean = near("ramBytes", leastRam);
  return [...near("arenaBytes", leastArena).map(freely), ...lean, ...lean.map(freely)];
}

/** Each schedule once: one is often the best within several limits. */
function distinct(schedules: readonly (readonly Step[])[]): (readonly Step[])[] {
  const isSame = (a: Step, b: Step | undefined): boolean =>
    a.operations.length === b?.operations.length &&
    a.stream === b.stream &&
    a.strips === b.strips &&
    a.inPlace === b.inPlace &&
    a.outputAtTop === b.outputAtTop &&
    a.sharesBytes === b.sharesBytes;
  return schedules.filter((steps, i) =>
    schedules
      .slice(0, i)
      .every((other) => steps.length !== other.length || !steps.every((step, j) => isSame(step, other[j]))),
  );
}

/** How far above the least estimate schedules of the fewest bytes are looked for, and at how many peaks. */
const NEAR_LEAST = 1.25;
const NEAR_TRIALS = 4;

/**
 * Schedules that strips can give with no more than `left` extra multiply-accumulates: of the least bytes, and some between
 * those and the `plain` peak, because strips cost records.
 */
function inStrips(segments: Segments, plain: Segments, left: number): readonly (readonly Step[])[] {
  const extraOf = (steps: readonly Step[] | undefined): number =>
    steps === undefined ? Infinity : steps.reduce((sum, { extraMacs = 0 }) => sum + extraMacs, 0);
  const measures: readonly Measure[] = ["arenaBytes", "ramBytes"];
  return measures.flatMap((measure) => {
    const least = leastPeak(segments, measure);
    const limits = peaksBetween(segments, measure, least, leastPeak(plain, measure), Infinity);
    const within = (index: number): readonly Step[] | undefined => {
      const steps = bestWithin(segments, measure, limits[index] ?? Infinity, "extraMacs");
      return extraOf(steps) <= left ? steps : undefined;
    };
    // More bytes never need more work: search for the fewest bytes that the allowance is enough for.
    let [low, high] = [0, limits.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (within(middle) !== undefined) high = middle;
      else low = middle + 1;
    }
    const tried = Array.from({ length: STRIP_TRIALS }, (_, i) => {
      return within(low + Math.floor((i * (limits.length - low)) / STRIP_TRIALS));
    });
    return tried.flatMap((steps) => (steps === undefined ? [] : [freely(steps)]));
  });
}

const STRIP_TRIALS = 4;

/**
 * The same steps with `sharesBytes` left open: the planner may overlap other outputs and inputs than the estimate assumed.
 */
function freely(steps: readonly Step[]): readonly Step[] {
  return steps.map(({ operations, stream, strips, extraMacs, inPlace, outputAtTop }) => ({
    operations,
    ...(strips && { strips }),
    ...(extraMacs !== undefined && { extraMacs }),
    ...(stream && { stream }),
    ...(inPlace !== undefined && { inPlace }),
    ...(outputAtTop !== undefined && { outputAtTop }),
  }));
}

/**
 * Fewer bytes (of activations, where the sum is the same), or, where the budget is all that matters, less time. What fits is
 * better than what does not, and of those that do not the one that lacks the least.
 */
function isBetter({ schedule }: PlanRequest, a: Planned | MemoryError, b: Planned | MemoryError): boolean {
  if (a instanceof MemoryError) return b instanceof MemoryError && neededBy(a) < neededBy(b);
  if (b instanceof MemoryError) return true;
  const bytes = a.layout.ramBytes - b.layout.ramBytes;
  const cycles = a.cycles - b.cycles;
  const arena = a.layout.arenaBytes - b.layout.arenaBytes;
  return (schedule === "minimum" ? bytes || arena || cycles : cycles || bytes) < 0;
}

function neededBy({ neededBytes = Infinity }: MemoryError): number {
  return neededBytes;
}

function planCycles(planned: Omit<Planned, "cycles">, variant: Variant): number {
  const { steps, layout } = planned;
  const tiles = layout.weights.reduce((sum, weights) => {
    return sum + (weights.kind === "streamed" ? weights.tiles : 0);
  }, 0);
  return runCycles(steps, variant) + copyCycles(streamedBytes(planned), tiles);
}

/**
 * What a schedule that is faster than the `best` plan keeps to: whatever it is, weights that memory has no room for are copied. Where no plan
 * fits so far, and where bytes are what counts, there are no bounds, on which the peaks that are tried would hang (peaksBetween).
 */
function boundsOf({ cycles }: Planned, { packed }: PackedProgram, budget: number): Bounds {
  const blobs = new Set(packed.values());
  const bytes = [...blobs].reduce((sum, blob) => sum + (blob?.bytes.length ?? 0), 0);
  return { cycles: cycles - copyCycles(Math.max(0, bytes - budget), 0), bytes: budget };
}

/** Cycles without those of copying weights. */
function runCycles(steps: readonly Step[], variant: Variant): number {
  return steps.reduce((sum, step) => sum + cyclesOf(step, variant), 0);
}

/** Bytes of weights that are copied per run. */
function streamedBytes({ demand, layout }: Pick<Planned, "demand" | "layout">): number {
  return layout.weights.reduce((sum, { kind }, index) => {
    const weights = demand.steps[index]?.weights;
    return kind === "streamed" && weights ? sum + weights.blocks * weights.blockBytes : sum;
  }, 0);
}

function arrange(
  { variant, schedule, budget, fixedPlanBytes }: PlanRequest,
  { program, packed }: PackedProgram,
  steps: readonly Step[],
): Planned {
  const demand = demandMemory(program, steps, packed, variant);
  const leanest = schedule === "minimum" && Number.isFinite(budget);
  const layout = planMemory({ ...demand, budget, fixedPlanBytes, leanest });
  const planned = { program, packed, steps, demand, layout };
  return { ...planned, cycles: planCycles(planned, variant) };
}

function tryToArrange(
  request: PlanRequest,
  program: PackedProgram,
  steps: readonly Step[],
): Planned | MemoryError {
  try {
    return arrange(request, program, steps);
  } catch (error) {
    if (error instanceof MemoryError) return error;
    throw error;
  }
}
