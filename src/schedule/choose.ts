import type { Packed } from "../ops/op.ts";
import type { Variant } from "../plan/variant.ts";
import {
  aliveBytes,
  cyclesOf,
  madeBytes,
  operationCycles,
  outputBytes,
  repeats,
  streamBytes,
  workingBytes,
} from "./cost.ts";
import type { Step } from "./layers.ts";
import type { Program } from "./program.ts";
import { liesApart } from "./program.ts";
import { chainOf, pullsOf, runChain } from "./stream.ts";
import { stripsOf } from "./strips.ts";

/** Which end of the arena a value is to lie at. */
type Side = "bottom" | "top";

/** What a step needs and takes, estimated before anything is placed. */
interface Segment extends Estimate {
  readonly ways: readonly Way[];
}

/** What is known of a segment before the ways to run it. */
interface Estimate {
  readonly begin: number;
  readonly end: number;
  readonly step: Step;
  /** With the output beside all else, or sharing bytes with a dying input as far as it may. */
  readonly apart: Bytes;
  readonly overlapped: Bytes;
  /** The output may lie just where a dying input does. */
  readonly inPlace: boolean;
  /** The output finds room anywhere beside what else is alive. */
  readonly isSmall: boolean;
  /** Bytes of records that a stream adds to those of its operators. */
  readonly planBytes: number;
  /** Multiply-accumulates that it does more than once. */
  readonly extraMacs: number;
  /** Cycles that the step takes, roughly; only differences count. */
  readonly cycles: number;
}

interface Bytes {
  /** Activations and rings that are alive in it. */
  readonly arenaBytes: number;
  /** Those, scratch, and its weights as far as they must be there at once. */
  readonly ramBytes: number;
}

/** Consecutive operations cut into steps in every way that is worth looking at. */
export interface Segments {
  /** By the operation that a segment begins with. */
  readonly from: readonly (readonly Segment[])[];
}

/** What a schedule is to keep small. */
export type Measure = "arenaBytes" | "ramBytes";

/** Bounds on the search: rows that are looked at per operation, and operations in a stream. */
const MAX_PULLS = 1 << 22;
const MAX_STAGES = 64;

/** What a schedule must keep to, to be of use. */
export interface Bounds {
  readonly cycles: number;
  /** Of memory. */
  readonly bytes: number;
}

/** Every stream that may be a step of a schedule within `bounds`, and every operator as a whole. */
export function segmentsOf(
  program: Program,
  packed: readonly (Packed | undefined)[],
  variant: Variant,
  bounds: Bounds = { cycles: Infinity, bytes: Infinity },
  maxExtraMacs = 0,
): Segments {
  const { operations } = program;
  const cyclesIn = ROWS_AT_ONCE.map((most) =>
    operations.map((operation) => {
      const rows = operation.rows?.rows;
      // What has no rows is in no stream.
      if (rows === undefined) return Infinity;
      return operationCycles(operation, variant, rows, Math.min(most, rows));
    }),
  );
  const leastCycles = operations.map((operation, i) =>
    Math.min(operationCycles(operation, variant), ...cyclesIn.map(({ [i]: cycles = Infinity }) => cycles)),
  );
  /** What such a schedule may take more than the least that its operations do. */
  const slack = bounds.cycles - leastCycles.reduce((sum, cycles) => sum + cycles, 0);
  const alive = aliveBytes(program);
  const share = Math.max(MAX_PULLS / (operations.length + 1), 1024);
  const from = operations.map((operation, begin) => {
    const segments: Segment[] = [];
    const workingOf = (step: Step): readonly [number, number] => [
      workingBytes(step, packed, begin, variant, false),
      workingBytes(step, packed, begin, variant, true),
    ];
    const add = (step: Step, working: readonly [number, number]): void => {
      const { bytes, shared, inPlace } = madeBytes(program, step, begin, variant);
      const arenaBytes = (alive[begin] ?? 0) + bytes;
      const [apart, overlapped] = working;
      const estimate: Estimate = {
        begin,
        end: begin + step.operations.length,
        step,
        apart: { arenaBytes, ramBytes: arenaBytes + apart },
        overlapped: { arenaBytes: arenaBytes - shared, ramBytes: arenaBytes - shared + overlapped },
        inPlace,
        isSmall: outputBytes(program, step) * SMALL_SHARE <= arenaBytes,
        planBytes:
          streamBytes(step) * repeats(step) + RECORD_BYTES * step.operations.length * (repeats(step) - 1),
        extraMacs: step.extraMacs ?? 0,
        cycles: cyclesOf(step, variant),
      };
      if (step.stream === undefined || leastBytes(estimate) <= bounds.bytes)
        segments.push(withWays(estimate));
    };
    const layer = { operations: [operation] };
    add(layer, workingOf(layer));
    const [input = -1] = operation.reads;
    const dies = program.values.get(input)?.lastRead === begin;
    const isApart = [...operation.reads, ...operation.writes].every((id) =>
      liesApart(program.values.get(id ?? -1)),
    );
    if (dies && isApart && operation.op.inPlaceScratchBytes?.(operation.bound, variant) !== undefined) {
      const inPlace = { ...layer, inPlace: true };
      add(inPlace, workingOf(inPlace));
    }
    const last = Math.min(operations.length, begin + MAX_STAGES);
    let pulls = 0;
    let weights = packed[begin]?.bytes.length ?? 0;
    const extra = cyclesIn.map(({ [begin]: cycles = 0 }) => cycles - (leastCycles[begin] ?? 0));
    for (let end = begin + 2; end <= last && pulls < share; end++) {
      for (const [i, cycles] of cyclesIn.entries()) {
        extra[i] = (extra[i] ?? 0) + (cycles[end - 1] ?? 0) - (leastCycles[end - 1] ?? 0);
      }
      // A stream has the weights of all its operators in memory at once.
      weights += packed[end - 1]?.bytes.length ?? 0;
      if (weights > bounds.bytes || extra.every((cycles) => cycles > slack)) break;
      const chain = chainOf(program, begin, end);
      // What does not fit together now does not with more; nor do rows beyond number become fewer.
      if (chain === undefined || pullsOf(chain) > share) break;
      const operations = chain.stages;
      let working: readonly [number, number] | undefined;
      for (const [i, rows] of ROWS_AT_ONCE.entries()) {
        if ((extra[i] ?? 0) > slack) continue;
        const stream = runChain(chain, rows);
        // The same for all numbers of rows.
        working ??= workingOf({ operations, stream });
        add({ operations, stream }, working);
        pulls += stream.pulls;
        for (const count of rows === 1 && maxExtraMacs > 0 ? STRIPS : []) {
          const { strips, extraMacs = Infinity } = stripsOf(program, begin, end, stream, count) ?? {};
          if (strips === undefined || extraMacs > maxExtraMacs) break;
          add({ operations, stream, strips, extraMacs }, working);
        }
      }
    }
    return segments;
  });
  return { from };
}

function leastBytes({ apart, overlapped }: Estimate): number {
  return Math.min(apart.ramBytes, overlapped.ramBytes);
}

/** Bytes of a usual operator's record. */
const RECORD_BYTES = 160;
/** Numbers of strips that are tried. */
const STRIPS = [2, 3, 4, 6, 8];
/** Rows per pull that are tried: one needs least memory, more suit the kernels' tiles. */
const ROWS_AT_ONCE = [1, 2, 4];

/** A way to run a segment: what it needs, and the ends of the arena that its input and output then lie at. */
interface Way {
  readonly segment: Estimate;
  readonly bytes: Bytes;
  readonly from: Side;
  readonly to: Side;
}

const SIDES: readonly Side[] = ["bottom", "top"];

/** A segment with its ways, which every search goes through. */
export function withWays(estimate: Estimate): Segment {
  return { ...estimate, ways: waysOf(estimate) };
}

/**
 * An output that shares bytes with its input lies below it, so the input is at the top and the output at the bottom: then
 * nothing has to be moved between steps. Without sharing they lie at opposite ends; exactly in place, at the same.
 */
function waysOf(segment: Estimate): readonly Way[] {
  const { apart, overlapped, inPlace } = segment;
  const other = (side: Side): Side => (side === "top" ? "bottom" : "top");
  const ways = SIDES.map((from): Way => ({ segment, bytes: apart, from, to: other(from) }));
  if (segment.isSmall)
    ways.push(...SIDES.map((side): Way => ({ segment, bytes: apart, from: side, to: side })));
  if (overlapped.arenaBytes === apart.arenaBytes) return ways;
  return inPlace
    ? [...ways, ...SIDES.map((side): Way => ({ segment, bytes: overlapped, from: side, to: side }))]
    : [...ways, { segment, bytes: overlapped, from: "top", to: "bottom" }];
}

/** The least that any schedule can need by this measure. */
export function leastPeak({ from }: Segments, measure: Measure): number {
  const none = (): Record<Side, number> => ({ bottom: Infinity, top: Infinity });
  const least = [{ bottom: 0, top: 0 }, ...from.map(none)];
  for (const segments of from) {
    for (const segment of segments) {
      for (const { bytes, from, to } of segment.ways) {
        const [before, after] = [least[segment.begin] ?? none(), least[segment.end] ?? none()];
        after[to] = Math.min(after[to], Math.max(before[from], bytes[measure]));
      }
    }
  }
  const { bottom, top } = least.at(-1) ?? none();
  return Math.min(bottom, top);
}

/** What counts among schedules that fit: time; bytes of records and then time; or work done twice and then time. */
export type Aim = "cycles" | "planBytes" | "extraMacs";

/** The best schedule none of whose steps needs more than `limit` bytes by this measure; undefined if there is none. */
export function bestWithin(
  { from }: Segments,
  measure: Measure,
  limit: number,
  aim: Aim,
): readonly Step[] | undefined {
  interface Reached {
    cost: number;
    way: Way | undefined;
  }
  // A byte of records, or a product done twice, counts more than any time.
  const costOf = (segment: Estimate): number =>
    segment.cycles + (aim === "cycles" ? 0 : 2 ** 40 * segment[aim]);
  const reached = Array.from({ length: from.length + 1 }, (_, i): Record<Side, Reached> => {
    const cost = i === 0 ? 0 : Infinity;
    return { bottom: { cost, way: undefined }, top: { cost, way: undefined } };
  });
  for (const segments of from) {
    for (const segment of segments) {
      for (const way of segment.ways) {
        if (way.bytes[measure] > limit) continue;
        const cost = (reached[segment.begin]?.[way.from].cost ?? Infinity) + costOf(segment);
        const after = reached[segment.end]?.[way.to];
        if (after === undefined || cost >= after.cost) continue;
        after.cost = cost;
        after.way = way;
      }
    }
  }
  const end = reached.at(-1);
  let side: Side = (end?.top.cost ?? Infinity) < (end?.bottom.cost ?? Infinity) ? "top" : "bottom";
  const steps: Step[] = [];
  for (let at = from.length; at > 0;) {
    const way = reached[at]?.[side].way;
    if (way === undefined) return undefined;
    const sharesBytes = way.bytes === way.segment.overlapped;
    steps.unshift({ ...way.segment.step, outputAtTop: way.to === "top", sharesBytes });
    side = way.from;
    at = way.segment.begin;
  }
  return steps;
}

/** Peaks between the least and that of whole layers at which the fastest schedule may change, a few of them. */
export function peaksBetween(
  { from }: Segments,
  measure: Measure,
  low: number,
  high: number,
  most = MAX_PEAKS,
): readonly number[] {
  const peaks = new Set<number>();
  for (const segments of from) {
    for (const { apart, overlapped } of segments) {
      for (const { [measure]: bytes } of [apart, overlapped])
        if (bytes > low && bytes < high) peaks.add(bytes);
    }
  }
  const sorted = [...peaks].sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(sorted.length / most));
  return [low, ...sorted.filter((_, index) => index % stride === stride - 1)];
}

const MAX_PEAKS = 12;

/** A value is small if what is alive beside it is so many times as large. */
const SMALL_SHARE = 16;
