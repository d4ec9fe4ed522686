import type { Operation, Program } from "./program.ts";
import type { Stream } from "./stream.ts";

/** Columns [begin, end) of a value. */
export interface Columns {
  readonly begin: number;
  readonly end: number;
}

/** What one strip makes and reads: columns of the output of each stage, and of each of its inputs (undefined: all). */
export interface Strip {
  readonly made: readonly Columns[];
  readonly read: readonly (readonly (Columns | undefined)[])[];
}

/** How a stream is run several times, each time for some columns of its last output. */
export interface Strips {
  readonly strips: readonly Strip[];
  /** Multiply-accumulates done more than once, where strips share input. */
  readonly extraMacs: number;
}

/** Narrower strips than this are not worth their halo. */
const MIN_WIDTH = 3;

/**
 * The stream of operations [begin, end) as `count` strips of columns, one after the other: rings hold a strip's columns and the halo that
 * its windows reach into (MCUNetV2's patches, with rows streamed). A streamed input is asked for all its rows by each strip.
 * undefined where an operation needs whole rows, or keeps sums from row to row.
 */
export function stripsOf(
  program: Program,
  begin: number,
  end: number,
  stream: Stream,
  count: number,
): Strips | undefined {
  const stages = program.operations.slice(begin, end);
  const width = widthOf(stages.at(-1));
  if (width < count * MIN_WIDTH || !stages.every(isDivisible)) return undefined;
  // What outlives the stream beside its last output would have to be made whole.
  const isKept = (id: number): boolean => (program.values.get(id)?.lastRead ?? 0) >= end;
  if (stages.slice(0, -1).some(({ writes }) => writes.some(isKept))) return undefined;
  const strips: Strip[] = [];
  for (let i = 0; i < count; i++) {
    const last = { begin: Math.floor((i * width) / count), end: Math.floor(((i + 1) * width) / count) };
    const strip = stripOf(stages, last);
    if (strip === undefined || !sharesColumns(stages, stream, strip)) return undefined;
    strips.push(strip);
  }
  const extraMacs = stages.reduce((sum, stage, index) => {
    const made = strips.reduce((columns, { made }) => {
      const { begin = 0, end = 0 } = made[index] ?? {};
      return columns + end - begin;
    }, 0);
    return sum + Math.round(stage.op.macs(stage.bound) * (made / widthOf(stage) - 1));
  }, 0);
  return { strips, extraMacs };
}

/** The most columns that any strip has of a stage's output. */
export function widest(strips: readonly Strip[], stage: number): number {
  return Math.max(...strips.map(({ made }) => (made[stage]?.end ?? 0) - (made[stage]?.begin ?? 0)));
}

function widthOf(operation: Operation | undefined): number {
  const shape = operation?.bound.outputs[0]?.shape ?? [];
  return shape.length === 4 ? (shape[2] ?? 1) : 1;
}

function isDivisible({ rows, bound }: Operation): boolean {
  if (rows === undefined || rows.accumulatorBytes !== undefined) return false;
  return rows.inputs.every((window, i) => {
    // What has one row and one column serves all.
    const [, height, width] = bound.inputs[i]?.shape ?? [];
    return window === undefined || window.columns !== undefined || (height === 1 && width === 1);
  });
}

/** From the last stage's columns back to what each stage before must make for them. */
function stripOf(stages: readonly Operation[], last: Columns): Strip | undefined {
  const made: (Columns | undefined)[] = stages.map(() => undefined);
  const read: (Columns | undefined)[][] = stages.map(() => []);
  made[stages.length - 1] = last;
  const maker = new Map(stages.flatMap(({ writes }, index) => writes.map((id) => [id, index] as const)));
  for (let index = stages.length - 1; index >= 0; index--) {
    const stage = stages[index];
    // The host gives whole rows.
    if (stage?.reads.length === 0) made[index] = { begin: 0, end: widthOf(stage) };
    const columns = made[index];
    // Nothing in the stream reads it: it is made whole, which strips do not do.
    if (stage === undefined || columns === undefined) return undefined;
    read[index] = stage.reads.map((id, i) => {
      const window = stage.rows?.inputs[i]?.columns;
      if (id === undefined || window === undefined) return undefined;
      const width = stage.bound.inputs[i]?.shape[2] ?? 1;
      const needed = {
        begin: Math.max(columns.begin * window.stride + window.first, 0),
        end: Math.min((columns.end - 1) * window.stride + window.last + 1, width),
      };
      const by = maker.get(id);
      if (by !== undefined) made[by] = union(made[by], needed);
      return needed;
    });
    if (read[index]?.some((needed) => needed !== undefined && needed.begin >= needed.end) === true)
      return undefined;
  }
  return { made: made as Columns[], read };
}

/** Whether what is made in the place of another value has the columns of that: others may be there from earlier strips. */
function sharesColumns(stages: readonly Operation[], { inPlaceOf }: Stream, { made }: Strip): boolean {
  const columnsOf = (id: number): Columns | undefined =>
    made[stages.findIndex(({ writes }) => writes.includes(id))];
  return [...inPlaceOf].every(([operand, output]) => {
    const [a, b] = [columnsOf(operand), columnsOf(output)];
    return a?.begin === b?.begin && a?.end === b?.end;
  });
}

function union(a: Columns | undefined, b: Columns): Columns {
  return a === undefined ? b : { begin: Math.min(a.begin, b.begin), end: Math.max(a.end, b.end) };
}
