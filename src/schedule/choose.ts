import type { Packed } from "../ops/op.ts";
import { align } from "../plan/packing.ts";
import type { Variant } from "../plan/variant.ts";
import type { Step } from "./layers.ts";
import type { Operation, Program } from "./program.ts";
import { streamOf } from "./stream.ts";

/** What a step needs and takes, estimated before anything is placed. */
interface Segment {
  readonly begin: number;
  readonly end: number;
  readonly step: Step;
  /** Activations and rings that are alive in it. */
  readonly arenaBytes: number;
  /** Those, scratch, and its weights as far as they must be there at once. */
  readonly ramBytes: number;
  /** Cycles that the step takes, roughly; only differences count. */
  readonly cycles: number;
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

/** Every stream that may be a step, and every operator as a whole. */
export function segmentsOf(
  program: Program,
  packed: readonly (Packed | undefined)[],
  variant: Variant,
): Segments {
  const { operations } = program;
  const alive = aliveBytes(program);
  const share = Math.max(MAX_PULLS / (operations.length + 1), 1024);
  const from = operations.map((operation, begin) => {
    const segments: Segment[] = [];
    const add = (step: Step): void => {
      const end = begin + step.operations.length;
      segments.push({ begin, end, step, ...bytesOf(step, begin), cycles: cyclesOf(step, variant) });
    };
    const bytesOf = (step: Step, first: number): Pick<Segment, "arenaBytes" | "ramBytes"> => {
      const arenaBytes = (alive[first] ?? 0) + madeBytes(program, step, first, variant);
      return { arenaBytes, ramBytes: arenaBytes + workingBytes(step, packed, first, variant) };
    };
    add({ operations: [operation] });
    const last = Math.min(operations.length, begin + MAX_STAGES);
    let pulls = 0;
    for (let end = begin + 2, fits = true; end <= last && fits && pulls < share; end++) {
      for (const rows of ROWS_AT_ONCE) {
        const stream = streamOf(program, begin, end, rows);
        // What does not fit together now does not with more.
        if (stream === undefined) fits = false;
        else add({ operations: operations.slice(begin, end), stream });
        pulls += stream?.pulls ?? 0;
      }
    }
    return segments;
  });
  return { from };
}

/** Rows per pull that are tried: one needs least memory, more suit the kernels' tiles. */
const ROWS_AT_ONCE = [1, 2, 4];

/** The least that any schedule can need by this measure. */
export function leastPeak({ from }: Segments, measure: Measure): number {
  const least = new Float64Array(from.length + 1).fill(Infinity);
  least[0] = 0;
  for (const segments of from) {
    for (const { begin, end, [measure]: bytes } of segments) {
      least[end] = Math.min(least[end] ?? Infinity, Math.max(least[begin] ?? Infinity, bytes));
    }
  }
  return least[from.length] ?? 0;
}

/** The fastest schedule none of whose steps needs more than `limit` bytes by this measure; undefined if there is none. */
export function fastestWithin(
  { from }: Segments,
  measure: Measure,
  limit: number,
): readonly Step[] | undefined {
  const cost = new Float64Array(from.length + 1).fill(Infinity);
  const before: (Segment | undefined)[] = [];
  cost[0] = 0;
  for (const segments of from) {
    for (const segment of segments) {
      if (segment[measure] > limit) continue;
      const cycles = (cost[segment.begin] ?? Infinity) + segment.cycles;
      if (cycles >= (cost[segment.end] ?? Infinity)) continue;
      cost[segment.end] = cycles;
      before[segment.end] = segment;
    }
  }
  const steps: Step[] = [];
  for (let at = from.length; at > 0;) {
    const segment = before[at];
    if (segment === undefined) return undefined;
    steps.unshift(segment.step);
    at = segment.begin;
  }
  return steps;
}

/** Peaks between the least and that of whole layers at which the fastest schedule may change, a few of them. */
export function peaksBetween(
  { from }: Segments,
  measure: Measure,
  low: number,
  high: number,
): readonly number[] {
  const peaks = new Set<number>();
  for (const segments of from) {
    for (const { [measure]: bytes } of segments) if (bytes > low && bytes < high) peaks.add(bytes);
  }
  const sorted = [...peaks].sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(sorted.length / MAX_PEAKS));
  return [low, ...sorted.filter((_, index) => index % stride === stride - 1)];
}

const MAX_PEAKS = 12;

/** Bytes of the values that are there when operation `index` begins. */
function aliveBytes({ operations, values }: Program): Float64Array {
  const change = new Float64Array(operations.length + 2);
  for (const { bytes, born, lastRead } of values.values()) {
    const size = align(bytes, 16);
    change[born + 1] = (change[born + 1] ?? 0) + size;
    change[lastRead + 1] = (change[lastRead + 1] ?? 0) - size;
  }
  let alive = 0;
  return change.map((difference) => (alive += difference));
}

/** What a step adds to the values that are there: its outputs and rings, less what its output shares with a dying input. */
function madeBytes(
  { values }: Program,
  { operations, stream }: Step,
  begin: number,
  variant: Variant,
): number {
  const end = begin + operations.length;
  let bytes = 0;
  for (const { writes } of operations) {
    for (const id of writes) {
      const value = values.get(id);
      if (value === undefined || stream?.inPlaceOf.has(id) === true) continue;
      bytes += align(ringBytes(value.bytes, stream, operations, id), 16);
    }
  }
  const output = values.get(operations.at(-1)?.writes[0] ?? -1);
  if (output === undefined || (stream?.ringRows.has(output.id) ?? false)) return bytes;
  const size = align(output.bytes, 16);
  let shared = 0;
  for (const [id, distance] of distancesOf(operations, stream, variant)) {
    const input = values.get(id);
    if (input === undefined || input.lastRead >= end) continue;
    const apart = Math.max(size - align(input.bytes, 16), align(distance, 16));
    shared = Math.max(shared, size - apart);
  }
  return bytes - shared;
}

/** Per value that dies in a step: how many bytes below it the step's last output must begin, where they may share memory. */
export function distancesOf(
  operations: readonly Operation[],
  stream: Step["stream"],
  variant: Variant,
): readonly (readonly [number, number])[] {
  if (stream !== undefined) return [...stream.overlapDistance];
  return operations.flatMap(({ op, bound, reads }) =>
    reads.flatMap((id, i) => {
      const distance = id === undefined ? undefined : op.overlapDistance?.(bound, i, variant);
      return id === undefined || distance === undefined || reads.indexOf(id) !== reads.lastIndexOf(id)
        ? []
        : [[id, distance] as const];
    }),
  );
}

/** Bytes of a value, or of its ring. */
function ringBytes(
  whole: number,
  stream: Step["stream"],
  operations: readonly Operation[],
  id: number,
): number {
  const kept = stream?.ringRows.get(id);
  return kept === undefined ? whole : kept * rowBytesOf(operations, id, whole);
}

/** Bytes of a row of a value that these operations make. */
export function rowBytesOf(operations: readonly Operation[], id: number, bytes: number): number {
  const maker = operations.find(({ writes }) => writes.includes(id));
  if (maker?.rows === undefined || maker.rows.accumulatorBytes !== undefined) return bytes;
  return bytes / maker.rows.rows;
}

/** Scratch, and weights that must be in memory at once. */
function workingBytes(
  { operations, stream }: Step,
  packed: readonly (Packed | undefined)[],
  begin: number,
  variant: Variant,
): number {
  const scratch = stepScratch({ operations, ...(stream && { stream }) }, variant).bytes;
  const weights = operations.map((_, i) => packed[begin + i]);
  if (stream === undefined) return scratch + (weights[0]?.blockBytes ?? 0);
  return scratch + weights.reduce((sum, blob) => sum + align(blob?.bytes.length ?? 0, 16), 0);
}

/** How a step's scratch is laid out, in bytes from its beginning. */
export interface ScratchLayout {
  readonly bytes: number;
  /** Per operation: of its accumulators, and of the scratch that all share in turn. */
  readonly accumulators: readonly number[];
  readonly shared: number;
}

/** A stream's state, then the accumulators of its stages, then what the stages use in turn. */
export function stepScratch({ operations, stream }: Step, variant: Variant): ScratchLayout {
  let at = stream === undefined ? 0 : align(8 * operations.length, 16);
  const accumulators = operations.map(({ rows }) => {
    const begin = at;
    if (stream !== undefined) at += align(rows?.accumulatorBytes ?? 0, 16);
    return begin;
  });
  const most = operations.reduce(
    (bytes, { op, bound }) => Math.max(bytes, op.scratchBytes?.(bound, variant) ?? 0),
    0,
  );
  return { bytes: at + most, accumulators, shared: at };
}

/** What calling a kernel for a range of rows costs beside its work. */
const PULL_CYCLES = 250;
/** Multiply-accumulates per cycle of a usual layer. */
const MACS_PER_CYCLE = 8;
/** Pixels of a tile. */
const TILE = 4;

/** Cycles that a step takes, roughly; only differences between schedules count. */
export function cyclesOf({ operations, stream }: Step, variant: Variant): number {
  return operations.reduce((sum, { op, bound }, i) => {
    const [, height = 1, width = 1] = bound.outputs[0]?.shape ?? [];
    const rows = stream?.rows[i] ?? 1;
    const perPull = stream === undefined ? height : (stream.rowsPerPull[i] ?? 1);
    const pixels = perPull * width;
    const waste =
      (align(pixels, TILE) / pixels) * (perPull % (op.rowsAtOnce?.(bound, variant) ?? 1) === 0 ? 1 : 1.6);
    const pulls = stream === undefined ? 1 : Math.ceil(rows / perPull);
    return sum + (op.macs(bound) / MACS_PER_CYCLE) * waste + pulls * PULL_CYCLES;
  }, 0);
}
