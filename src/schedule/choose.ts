import type { TensorType } from "../graph/graph.ts";
import { byteSize } from "../graph/graph.ts";
import type { Packed } from "../ops/op.ts";
import { align } from "../plan/packing.ts";
import { recordBytes } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import type { Step } from "./layers.ts";
import type { Operation, Program } from "./program.ts";
import { streamOf } from "./stream.ts";
import { stripsOf, widest } from "./strips.ts";

/** Which end of the arena a value is to lie at. */
type Side = "bottom" | "top";

/** What a step needs and takes, estimated before anything is placed. */
interface Segment {
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

/** Every stream that may be a step, and every operator as a whole. */
export function segmentsOf(
  program: Program,
  packed: readonly (Packed | undefined)[],
  variant: Variant,
  maxExtraMacs = 0,
): Segments {
  const { operations } = program;
  const alive = aliveBytes(program);
  const share = Math.max(MAX_PULLS / (operations.length + 1), 1024);
  const from = operations.map((operation, begin) => {
    const segments: Segment[] = [];
    const add = (step: Step): void => {
      const { bytes, shared, inPlace } = madeBytes(program, step, begin, variant);
      const arenaBytes = (alive[begin] ?? 0) + bytes;
      const sized = (arenaBytes: number, shares: boolean): Bytes => ({
        arenaBytes,
        ramBytes: arenaBytes + workingBytes(step, packed, begin, variant, shares),
      });
      segments.push({
        begin,
        end: begin + step.operations.length,
        step,
        apart: sized(arenaBytes, false),
        overlapped: sized(arenaBytes - shared, true),
        inPlace,
        isSmall: outputBytes(program, step) * SMALL_SHARE <= arenaBytes,
        planBytes:
          streamBytes(step) * repeats(step) + RECORD_BYTES * step.operations.length * (repeats(step) - 1),
        extraMacs: step.extraMacs ?? 0,
        cycles: cyclesOf(step, variant),
      });
    };
    add({ operations: [operation] });
    const [input = -1] = operation.reads;
    const dies = program.values.get(input)?.lastRead === begin;
    if (dies && operation.op.inPlaceScratchBytes?.(operation.bound, variant) !== undefined) {
      add({ operations: [operation], inPlace: true });
    }
    const last = Math.min(operations.length, begin + MAX_STAGES);
    let pulls = 0;
    for (let end = begin + 2, fits = true; end <= last && fits && pulls < share; end++) {
      const run = operations.slice(begin, end);
      for (const rows of ROWS_AT_ONCE) {
        const stream = streamOf(program, begin, end, rows);
        // What does not fit together now does not with more.
        fits &&= stream !== undefined;
        if (stream === undefined) break;
        add({ operations: run, stream });
        pulls += stream.pulls;
        for (const count of rows === 1 && maxExtraMacs > 0 ? STRIPS : []) {
          const { strips, extraMacs = Infinity } = stripsOf(program, begin, end, stream, count) ?? {};
          if (strips === undefined || extraMacs > maxExtraMacs) break;
          add({ operations: run, stream, strips, extraMacs });
        }
      }
    }
    return segments;
  });
  return { from };
}

/** Bytes of a usual operator's record. */
const RECORD_BYTES = 160;
/** Numbers of strips that are tried. */
const STRIPS = [2, 3, 4, 6, 8];
/** Rows per pull that are tried: one needs least memory, more suit the kernels' tiles. */
const ROWS_AT_ONCE = [1, 2, 4];

/** A way to run a segment: what it needs, and the ends of the arena that its input and output then lie at. */
interface Way {
  readonly segment: Segment;
  readonly bytes: Bytes;
  readonly from: Side;
  readonly to: Side;
}

const SIDES: readonly Side[] = ["bottom", "top"];

/**
 * An output that shares bytes with its input lies below it, so the input is at the top and the output at the bottom: then
 * nothing has to be moved between steps. Without sharing they lie at opposite ends; exactly in place, at the same.
 */
function waysOf(segment: Segment): readonly Way[] {
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
      for (const { bytes, from, to } of waysOf(segment)) {
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
  const costOf = (segment: Segment): number =>
    segment.cycles + (aim === "cycles" ? 0 : 2 ** 40 * segment[aim]);
  const reached = Array.from({ length: from.length + 1 }, (_, i): Record<Side, Reached> => {
    const cost = i === 0 ? 0 : Infinity;
    return { bottom: { cost, way: undefined }, top: { cost, way: undefined } };
  });
  for (const segments of from) {
    for (const segment of segments) {
      for (const way of waysOf(segment)) {
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

/** What a step adds to the values that are there: its outputs and rings; and what its output may share with a dying input. */
function madeBytes(
  { values }: Program,
  step: Step,
  begin: number,
  variant: Variant,
): { readonly bytes: number; readonly shared: number; readonly inPlace: boolean } {
  const { operations, stream } = step;
  const end = begin + operations.length;
  let bytes = 0;
  for (const { writes } of operations) {
    for (const id of writes) {
      const value = values.get(id);
      if (value === undefined || stream?.inPlaceOf.has(id) === true) continue;
      bytes += align(bytesInStep(step, id, value.bytes), 16);
    }
  }
  let shared = 0;
  let inPlace = false;
  const output = values.get(operations.at(-1)?.writes[0] ?? -1);
  if (output === undefined || stream?.ringRows.has(output.id) === true) return { bytes, shared, inPlace };
  const size = align(output.bytes, 16);
  // Strips read the input again and again.
  for (const [id, distance] of step.strips === undefined ? distancesOf(step, variant) : []) {
    const input = values.get(id);
    if (input === undefined || input.lastRead >= end) continue;
    const apart = Math.max(size - align(input.bytes, 16), align(distance, 16));
    if (size - apart <= shared) continue;
    shared = size - apart;
    inPlace = distance === 0;
  }
  return { bytes, shared, inPlace };
}

/** Per value that dies in a step: how many bytes below it the step's last output must begin, where they may share memory. */
export function distancesOf(
  { operations, stream, inPlace }: Step,
  variant: Variant,
): readonly (readonly [number, number])[] {
  if (stream !== undefined) return [...stream.overlapDistance];
  return operations.flatMap(({ op, bound, reads }) =>
    reads.flatMap((id, i) => {
      const usual = id === undefined ? undefined : op.overlapDistance?.(bound, i, variant);
      const distance = inPlace === true && i === 0 ? 0 : usual;
      // What is read twice may be read at two paces.
      const once = reads.indexOf(id) === reads.lastIndexOf(id);
      return id === undefined || distance === undefined || !once ? [] : [[id, distance] as const];
    }),
  );
}

/** Bytes that a value has in a step that makes it: all, or those of the rows and columns of its ring. */
export function bytesInStep({ operations, stream, strips }: Step, id: number, whole: number): number {
  const ringRows = stream?.ringRows.get(id);
  if (ringRows === undefined) return whole;
  const maker = operations.findIndex(({ writes }) => writes.includes(id));
  const [, , width = 1] = operations[maker]?.bound.outputs[0]?.shape ?? [];
  const share = strips === undefined ? 1 : widest(strips, maker) / width;
  return ringRows * rowBytesOf(operations, id, whole) * share;
}

/** Bytes of a row of a value that these operations make. */
function rowBytesOf(operations: readonly Operation[], id: number, bytes: number): number {
  const maker = operations.find(({ writes }) => writes.includes(id));
  if (maker?.rows === undefined || maker.rows.accumulatorBytes !== undefined) return bytes;
  return bytes / maker.rows.rows;
}

/** A value is small if what is alive beside it is so many times as large. */
const SMALL_SHARE = 16;

function outputBytes({ values }: Program, { operations }: Step): number {
  return values.get(operations.at(-1)?.writes[0] ?? -1)?.bytes ?? 0;
}

/** Bytes of records that a stream adds to those of its operators. */
export function streamBytes({ operations, stream }: Step): number {
  return stream === undefined ? 0 : recordBytes("stream") + operations.length * recordBytes("stage");
}

/** How many times the records of a step stand in the plan. */
export function repeats({ strips }: Step): number {
  return strips?.length ?? 1;
}

/** Scratch, and weights that must be in memory at once: all where the output shares bytes with the input, which is then read once. */
function workingBytes(
  step: Step,
  packed: readonly (Packed | undefined)[],
  begin: number,
  variant: Variant,
  sharesBytes: boolean,
): number {
  const { operations, stream } = step;
  const scratch = stepScratch(step, variant).bytes;
  const weights = operations.map((_, i) => packed[begin + i]);
  const [blob] = weights;
  if (stream === undefined && !sharesBytes) return scratch + (blob?.blockBytes ?? 0);
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
export function stepScratch({ operations, stream, inPlace }: Step, variant: Variant): ScratchLayout {
  let at = stream === undefined ? 0 : align(8 * operations.length, 16);
  const accumulators = operations.map(({ rows }) => {
    const begin = at;
    if (stream !== undefined) at += align(rows?.accumulatorBytes ?? 0, 16);
    return begin;
  });
  const scratchOf = ({ op, bound }: Operation): number =>
    (inPlace === true ? op.inPlaceScratchBytes?.(bound, variant) : op.scratchBytes?.(bound, variant)) ?? 0;
  const most = Math.max(0, ...operations.map(scratchOf));
  return { bytes: at + most, accumulators, shared: at };
}

/** What calling a kernel for a range of rows costs beside its work. */
const PULL_CYCLES = 250;
/** Multiply-accumulates per cycle of a usual layer. */
const MACS_PER_CYCLE = 8;
/** Pixels of a tile. */
const TILE = 4;

/** Cycles that a step takes, roughly; only differences between schedules count. */
export function cyclesOf(
  { operations, stream, strips, extraMacs = 0, inPlace }: Step,
  variant: Variant,
): number {
  const more = (extraMacs / MACS_PER_CYCLE) * 1.5;
  return (
    more +
    operations.reduce((sum, { op, bound }, i) => {
      const [, height = 1, width = 1] = bound.outputs[0]?.shape ?? [];
      const rows = stream?.rows[i] ?? height;
      const perPull = stream?.rowsPerPull[i] ?? height;
      const pulls = Math.ceil(rows / perPull);
      const together = op.rowsAtOnce?.(bound, variant) ?? 1;
      // Of all pulls, the last perhaps a short one: rows and pixels that tiles are filled up to.
      const filledUp = (unit: number, size: number): number =>
        ((pulls - 1) * align(perPull * size, unit) + align((rows - (pulls - 1) * perPull) * size, unit)) /
        (rows * size);
      const waste = filledUp(TILE, width) * (1 + ALONE_COST * (filledUp(together, 1) - 1));
      const copied = inPlace === true ? byteSize(bound.outputs[0] ?? NOTHING) : 0;
      return (
        sum +
        (op.macs(bound) / MACS_PER_CYCLE) * waste +
        pulls * PULL_CYCLES * (strips?.length ?? 1) +
        copied / COPIED_PER_CYCLE
      );
    }, 0)
  );
}

/** What the place of a row costs that its kernel could have made together with others but did not. */
const ALONE_COST = 0.6;
/** Bytes per cycle that go to a plane and come back. */
const COPIED_PER_CYCLE = 2;
const NOTHING: TensorType = { shape: [0], type: "int8" };
