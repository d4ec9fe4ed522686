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
import type { Operation, Program } from "./program.ts";
import { liesApart } from "./program.ts";
import { chainOf, pullsOf, runChain } from "./stream.ts";
import { stripsOf } from "./strips.ts";

/** Which end of the arena a value is to lie at. */
export type Side = "bottom" | "top";

/** What a step needs and takes, estimated before anything is placed. */
export interface Segment extends Estimate {
  readonly ways: readonly Way[];
}

/** What is known of a segment before the ways to run it. */
export interface Estimate {
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
  const extraCyclesIn = cyclesIn.map((cycles) => cycles.map((each, i) => each - (leastCycles[i] ?? 0)));
  const search: Search = {
    program,
    packed,
    variant,
    alive: aliveBytes(program),
    extraCyclesIn,
    slack: bounds.cycles - leastCycles.reduce((sum, cycles) => sum + cycles, 0),
    mostBytes: bounds.bytes,
    maxExtraMacs,
    share: Math.max(MAX_PULLS / (operations.length + 1), 1024),
  };
  const from = operations.map((operation, begin) => [
    ...layersFrom(search, operation, begin),
    ...streamsFrom(search, begin),
  ]);
  return { from };
}

/** What all segments of a program are found with. */
interface Search {
  readonly program: Program;
  readonly packed: readonly (Packed | undefined)[];
  readonly variant: Variant;
  /** By operation: activations that are alive in it whatever the schedule. */
  readonly alive: Float64Array;
  /** By index in ROWS_AT_ONCE and operation: cycles that so many rows per pull take more than the fastest way to run it. */
  readonly extraCyclesIn: readonly (readonly number[])[];
  /** What a schedule may take more than the least that its operations do. */
  readonly slack: number;
  readonly mostBytes: number;
  readonly maxExtraMacs: number;
  /** Rows that may be looked at for the streams from one operation on. */
  readonly share: number;
}

/** The operation as a whole, and exactly in the place of its input where it may be. */
function layersFrom(search: Search, operation: Operation, begin: number): Segment[] {
  const { program, variant } = search;
  const layer: Step = { operations: [operation] };
  const [input = -1] = operation.reads;
  const dies = program.values.get(input)?.lastRead === begin;
  const isApart = [...operation.reads, ...operation.writes].every((id) =>
    liesApart(program.values.get(id ?? -1)),
  );
  const isInPlace =
    dies && isApart && operation.op.inPlaceScratchBytes?.(operation.bound, variant) !== undefined;
  const steps = isInPlace ? [layer, { ...layer, inPlace: true }] : [layer];
  return steps.map((step) => withWays(estimateOf(search, step, begin, workingOf(search, step, begin))));
}

/** Streams of the operation and those behind it, at every number of rows per pull and, for the least, in strips. */
function streamsFrom(search: Search, begin: number): Segment[] {
  const { program, packed, extraCyclesIn, slack, mostBytes, maxExtraMacs, share } = search;
  const segments: Segment[] = [];
  const last = Math.min(program.operations.length, begin + MAX_STAGES);
  let pulls = 0;
  let weights = packed[begin]?.bytes.length ?? 0;
  const extra = extraCyclesIn.map(({ [begin]: cycles = 0 }) => cycles);
  for (let end = begin + 2; end <= last && pulls < share; end++) {
    for (const [i, { [end - 1]: cycles = 0 }] of extraCyclesIn.entries()) extra[i] = (extra[i] ?? 0) + cycles;
    // A stream has the weights of all its operators in memory at once.
    weights += packed[end - 1]?.bytes.length ?? 0;
    if (weights > mostBytes || extra.every((cycles) => cycles > slack)) break;
    const chain = chainOf(program, begin, end);
    // What does not fit together now does not with more; nor do rows beyond number become fewer.
    if (chain === undefined || pullsOf(chain) > share) break;
    const operations = chain.stages;
    let working: WorkingBytes | undefined;
    const add = (step: Step, working: WorkingBytes): void => {
      const estimate = estimateOf(search, step, begin, working);
      if (leastBytes(estimate) <= mostBytes) segments.push(withWays(estimate));
    };
    for (const [i, rows] of ROWS_AT_ONCE.entries()) {
      if ((extra[i] ?? 0) > slack) continue;
      const stream = runChain(chain, rows);
      // The same for all numbers of rows.
      working ??= workingOf(search, { operations, stream }, begin);
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
}

/** Bytes that a step needs beside its activations, with the output beside all else and sharing bytes with its input. */
type WorkingBytes = readonly [apart: number, overlapped: number];

function workingOf({ packed, variant }: Search, step: Step, begin: number): WorkingBytes {
  return [
    workingBytes(step, packed, begin, variant, false),
    workingBytes(step, packed, begin, variant, true),
  ];
}

function estimateOf(
  { program, variant, alive }: Search,
  step: Step,
  begin: number,
  [apart, overlapped]: WorkingBytes,
): Estimate {
  const { bytes, shared, inPlace } = madeBytes(program, step, begin, variant);
  const arenaBytes = (alive[begin] ?? 0) + bytes;
  return {
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
}

function leastBytes({ apart, overlapped }: Estimate): number {
  return Math.min(apart.ramBytes, overlapped.ramBytes);
}

/** A value is small if what is alive beside it is so many times as large. */
const SMALL_SHARE = 16;
/** Bytes of a usual operator's record. */
const RECORD_BYTES = 160;
/** Numbers of strips that are tried. */
const STRIPS = [2, 3, 4, 6, 8];
/** Rows per pull that are tried: one needs least memory, more suit the kernels' tiles. */
const ROWS_AT_ONCE = [1, 2, 4];

/** A way to run a segment: what it needs, and the ends of the arena that its input and output then lie at. */
export interface Way {
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
