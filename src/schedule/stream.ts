import type { RowWindow } from "../ops/op.ts";
import { firstRow, rowCount } from "../ops/view.ts";
import type { Operation, Program } from "./program.ts";

/** What one input of a stage needs of the stage that makes it: its rows up to (y · stride + offset) / divisor before rows up to y are made. */
export interface StageLink {
  readonly stage: number;
  readonly stride: number;
  readonly divisor: number;
  readonly offset: number;
}

/** How consecutive operations run as one stream. */
export interface Stream {
  /** Rows of each stage, and how many it makes at a time. */
  readonly rows: readonly number[];
  readonly rowsPerPull: readonly number[];
  /** Per stage, the stages that make its inputs. */
  readonly links: readonly (readonly StageLink[])[];
  /** Rows that are kept of each value that does not outlive the stream. */
  readonly ringRows: ReadonlyMap<number, number>;
  /** Values made in the place of another, element by element. */
  readonly inPlaceOf: ReadonlyMap<number, number>;
  /** How many bytes below a value from before the stream its last output must begin for both to share memory. */
  readonly overlapDistance: ReadonlyMap<number, number>;
  /** Ranges of rows that are run, of all stages. */
  readonly pulls: number;
}

/** A record names two stages that its stage needs rows of. */
const MAX_LINKS = 2;

interface Reader {
  readonly stage: number;
  readonly window: RowWindow;
  /** Of the value as this stage sees it. */
  readonly rowBytes: number;
}

/**
 * Runs operations [begin, end) of a program row by row, in thought: the order is that of assembly/kernels/stream.ts, so what
 * is found here holds there. undefined where they do not fit together: an operation without rows, or one that reads rows
 * of another shape than they are made in.
 */
export function streamOf(
  program: Program,
  begin: number,
  end: number,
  rowsAtOnce: number,
): Stream | undefined {
  const { values } = program;
  const stages = program.operations.slice(begin, end);
  const maker = new Map<number, number>();
  for (const [index, { writes }] of stages.entries()) for (const id of writes) maker.set(id, index);
  const readers = new Map<number, Reader[]>();
  const links: StageLink[][] = [];
  const rows: number[] = [];
  for (const [index, operation] of stages.entries()) {
    const access = operation.rows;
    if (access === undefined) return undefined;
    rows.push(access.rows);
    links.push([]);
    for (const [i, id] of operation.reads.entries()) {
      if (id === undefined) continue;
      const window = access.inputs[i];
      if (window === undefined) return undefined;
      const read = operation.bound.inputs[i];
      const rowBytes = (values.get(id)?.bytes ?? 0) / (read === undefined ? 1 : rowCount(read));
      readers.set(id, [...(readers.get(id) ?? []), { stage: index, window, rowBytes }]);
      const stage = maker.get(id);
      if (stage === undefined) continue;
      const link = linkTo(stages, stage, operation, i, window);
      if (link === undefined) return undefined;
      links[index]?.push(link);
    }
    if ((links[index]?.length ?? 0) > MAX_LINKS) return undefined;
  }
  const rowsPerPull = rows.map((all) => Math.min(rowsAtOnce, all));

  const isKept = (id: number): boolean => (values.get(id)?.lastRead ?? -1) >= end;
  const inPlaceOf = findInPlace(stages, maker, readers, isKept, rowsAtOnce);
  const placeOf = (id: number): number => {
    let place = id;
    for (let next = inPlaceOf.get(place); next !== undefined; next = inPlaceOf.get(place)) place = next;
    return place;
  };

  const done = new Float64Array(stages.length);
  /** The oldest row of a value that its readers still need, as they count it; Infinity if they need none. */
  const oldestOf = (id: number, unit: (reader: Reader) => number): number => {
    let oldest = Infinity;
    for (const reader of readers.get(id) ?? []) {
      const y = done[reader.stage] ?? 0;
      if (y >= (rows[reader.stage] ?? 0)) continue;
      const row = Math.max(firstRow(reader.window, y), 0);
      // Windows may reach behind the last row.
      if (row * reader.rowBytes < (values.get(id)?.bytes ?? 0)) oldest = Math.min(oldest, row * unit(reader));
    }
    return oldest;
  };
  const oldestRow = (id: number): number => oldestOf(id, () => 1);
  /** In bytes: readers may see a value under shapes with different rows. */
  const oldestByte = (id: number): number => oldestOf(id, ({ rowBytes }) => rowBytes);
  /** Values by the place they are made in. */
  const sharers = new Map<number, number[]>();
  for (const id of maker.keys()) sharers.set(placeOf(id), [...(sharers.get(placeOf(id)) ?? []), id]);
  const last = stages.length - 1;
  const output = placeOf(stages[last]?.writes[0] ?? -1);
  const outputBytes = values.get(output)?.bytes ?? 0;
  const before = [...readers.keys()].filter(
    (id) => !maker.has(id) && (values.get(id)?.lastRead ?? end) < end,
  );
  const rowBytes = rowSizes(program, stages);
  const ringRows = new Map<number, number>();
  const accumulated = new Map<number, number>();
  const overlapDistance = new Map(before.map((id) => [id, 0]));
  let pulls = 0;

  const make = (index: number, y1: number): void => {
    const { rows: access, writes, reads } = stages[index] as Operation;
    const y0 = done[index] ?? 0;
    const accumulates = access?.accumulatorBytes !== undefined;
    pulls++;
    for (const id of writes) {
      const place = placeOf(id);
      const made = accumulates ? 1 : y1;
      let oldest = accumulates ? 0 : y0;
      for (const other of sharers.get(place) ?? []) oldest = Math.min(oldest, oldestRow(other));
      ringRows.set(place, Math.max(ringRows.get(place) ?? 0, made - oldest));
      if (place !== output) continue;
      const written = accumulates ? (y1 === access.rows ? outputBytes : 0) : y1 * (rowBytes.get(id) ?? 0);
      for (const input of before) {
        // An operator that works in place reads each element before it writes there.
        const inPlace = access?.inPlace?.some((i) => reads[i] === input) === true;
        const saved = done[index] ?? 0;
        if (inPlace) done[index] = y1;
        const intact = oldestByte(input);
        done[index] = saved;
        const distance = intact === Infinity ? 0 : written - intact;
        overlapDistance.set(input, Math.max(overlapDistance.get(input) ?? 0, distance));
      }
    }
    done[index] = y1;
  };
  const pull = (index: number, end: number): void => {
    const all = rows[index] ?? 0;
    const target = Math.min(end, all);
    while ((done[index] ?? 0) < target) {
      const y1 = Math.min((done[index] ?? 0) + (rowsPerPull[index] ?? 1), all);
      for (const { stage, stride, divisor, offset } of links[index] ?? []) {
        pull(stage, Math.floor((y1 * stride + offset) / divisor));
      }
      make(index, y1);
    }
  };
  for (let index = last; index >= 0; index--) pull(index, Infinity);

  // The rows of what is accumulated in place follow each other there.
  for (const { rows: access, reads, writes } of stages) {
    const [input = -1] = reads;
    if (access?.accumulatorBytes === undefined || inPlaceOf.get(input) !== writes[0]) continue;
    accumulated.set(input, 1);
    if (ringRows.has(writes[0] ?? -1)) accumulated.set(writes[0] ?? -1, 1);
  }
  for (const [id, kept] of accumulated) ringRows.set(id, kept);
  for (const id of ringRows.keys()) if (sharers.get(id)?.some(isKept) === true) ringRows.delete(id);
  return {
    rows,
    rowsPerPull,
    links,
    ringRows,
    inPlaceOf,
    overlapDistance,
    pulls,
  };
}

/** How a stage depends on another that makes its input; undefined if they do not agree on what a row is. */
function linkTo(
  stages: readonly Operation[],
  stage: number,
  reader: Operation,
  input: number,
  window: RowWindow,
): StageLink | undefined {
  const maker = stages[stage];
  const made = maker?.bound.outputs[0];
  const read = reader.bound.inputs[input];
  if (maker?.rows === undefined || made === undefined || read === undefined) return undefined;
  const rows = maker.rows.rows;
  // What is accumulated is there when all has come.
  if (maker.rows.accumulatorBytes !== undefined) return { stage, stride: 0, divisor: 1, offset: rows };
  if (rowCount(read) !== rowCount(made)) return undefined;
  const { stride, divisor = 1, last } = window;
  return { stage, stride, divisor, offset: last + divisor - stride };
}

/** Values that only an operator reads which may write in their place, by the value that it makes. */
function findInPlace(
  stages: readonly Operation[],
  maker: ReadonlyMap<number, number>,
  readers: ReadonlyMap<number, readonly Reader[]>,
  isKept: (id: number) => boolean,
  rowsAtOnce: number,
): ReadonlyMap<number, number> {
  const inPlaceOf = new Map<number, number>();
  for (const { rows, reads, writes } of stages) {
    const [output] = writes;
    // A ring of one row, whose last gives way to what is accumulated.
    if (rows?.accumulatorBytes !== undefined && rowsAtOnce > 1) continue;
    const operand = rows?.inPlace
      ?.map((i) => reads[i])
      .find((id) => {
        if (id === undefined || isKept(id) || readers.get(id)?.length !== 1) return false;
        const by = maker.get(id);
        return by !== undefined && stages[by]?.rows?.accumulatorBytes === undefined;
      });
    if (operand !== undefined && output !== undefined) inPlaceOf.set(operand, output);
  }
  return inPlaceOf;
}

/** Bytes of a row of each value that the stages make. */
function rowSizes({ values }: Program, stages: readonly Operation[]): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>();
  for (const { bound, writes } of stages) {
    for (const [i, id] of writes.entries()) {
      const tensor = bound.outputs[i];
      if (tensor !== undefined) sizes.set(id, (values.get(id)?.bytes ?? 0) / rowCount(tensor));
    }
  }
  return sizes;
}
