import type { RowWindow } from "../ops/op.ts";
import { rowCount } from "../ops/view.ts";
import type { Operation, Program } from "./program.ts";
import { liesApart } from "./program.ts";

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
  /** Of its window. */
  readonly stride: number;
  readonly first: number;
  readonly divisor: number;
  /** Of the value as this stage sees it, and how many rows it sees. */
  readonly rowBytes: number;
  readonly rows: number;
}

/** Consecutive operations whose rows fit together. */
export interface Chain {
  readonly stages: readonly Operation[];
  readonly rows: readonly number[];
  readonly links: readonly (readonly StageLink[])[];
  readonly maker: ReadonlyMap<number, number>;
  readonly readers: ReadonlyMap<number, readonly Reader[]>;
  /** Of each value that the stages make: of a row of it. */
  readonly rowBytes: ReadonlyMap<number, number>;
  /** Values that are made here and outlive the chain. */
  readonly kept: ReadonlySet<number>;
  /** Values from before the chain that it is the last to read. */
  readonly dying: readonly number[];
  /** Of the last output. */
  readonly outputBytes: number;
}

/**
 * What is the same of operations [begin, end) as one stream, however many rows are made at a time; undefined where they do not
 * fit together: an operation without rows, or one that reads rows of another shape than they are made in.
 */
export function chainOf(program: Program, begin: number, end: number): Chain | undefined {
  const { values } = program;
  const stages = program.operations.slice(begin, end);
  const maker = new Map<number, number>();
  for (const [index, { writes }] of stages.entries()) for (const id of writes) maker.set(id, index);
  const wholeOf = (id: number | undefined): number => values.get(id ?? -1)?.view?.whole ?? id ?? -1;
  /** Whether the chain makes something that lies where the value does. */
  const isMadeAround = (id: number): boolean =>
    !liesApart(values.get(id)) && [...maker.keys()].some((made) => wholeOf(made) === wholeOf(id));
  const readers = new Map<number, Reader[]>();
  const links: StageLink[][] = [];
  const rows: number[] = [];
  for (const [index, operation] of stages.entries()) {
    const access = operation.rows;
    if (access === undefined) return undefined;
    rows.push(access.rows);
    const own: StageLink[] = [];
    links.push(own);
    for (const [i, id] of operation.reads.entries()) {
      if (id === undefined) continue;
      // What lies within another, or has others within it, is there when all of it has been made.
      if (!maker.has(id) && isMadeAround(id)) return undefined;
      const window = access.inputs[i];
      if (window === undefined) return undefined;
      const read = operation.bound.inputs[i];
      const seen = read === undefined ? 1 : rowCount(read);
      const rowBytes = (values.get(id)?.bytes ?? 0) / seen;
      const { stride, first, divisor = 1 } = window;
      const reader = { stage: index, stride, first, divisor, rowBytes, rows: seen };
      const known = readers.get(id);
      if (known === undefined) readers.set(id, [reader]);
      else known.push(reader);
      const stage = maker.get(id);
      if (stage === undefined) continue;
      const link = linkTo(stages, stage, operation, i, window);
      if (link === undefined) return undefined;
      own.push(link);
    }
    if (own.length > MAX_LINKS) return undefined;
  }
  const lastRead = (id: number): number => values.get(id)?.lastRead ?? -1;
  const output = stages.at(-1)?.writes[0] ?? -1;
  return {
    stages,
    rows,
    links,
    maker,
    readers,
    rowBytes: rowSizes(program, stages),
    kept: new Set([...maker.keys()].filter((id) => lastRead(id) >= end)),
    dying: [...readers.keys()].filter((id) => !maker.has(id) && lastRead(id) < end),
    outputBytes: values.get(output)?.bytes ?? 0,
  };
}

/** Pulls of a chain that makes one row at a time: what running it takes, before it is run. */
export function pullsOf({ rows }: Chain): number {
  return rows.reduce((sum, count) => sum + count, 0);
}

/**
 * Runs a chain row by row, in thought: the order is that of assembly/kernels/stream.ts, so what is found here holds there. The
 * planner does so thousands of times, hence the arrays instead of look-ups.
 */
export function runChain(chain: Chain, rowsAtOnce: number): Stream {
  const { stages, rows, links, maker, readers, rowBytes, kept, dying, outputBytes } = chain;
  const rowsPerPull = rows.map((all) => Math.min(rowsAtOnce, all));
  const inPlaceOf = findInPlace(stages, maker, readers, kept, rowsAtOnce);
  const placeOf = (id: number): number => {
    let place = id;
    for (let next = inPlaceOf.get(place); next !== undefined; next = inPlaceOf.get(place)) place = next;
    return place;
  };
  const last = stages.length - 1;
  const output = placeOf(stages[last]?.writes[0] ?? -1);

  const places = new Map<number, Place>();
  const outputs = stages.map(({ writes }) =>
    writes.map((id): Output => {
      const at = placeOf(id);
      const place = places.get(at) ?? { readers: [], isKept: false, ringRows: 0 };
      places.set(at, place);
      place.readers.push(...(readers.get(id) ?? []));
      place.isKept ||= kept.has(id);
      return { place, rowBytes: rowBytes.get(id) ?? 0, isLast: at === output };
    }),
  );
  const inputs = dying.map((id): Input => ({ id, readers: readers.get(id) ?? [], distance: 0 }));
  const done = new Float64Array(stages.length);
  let pulls = 0;

  const accumulates = stages.map(({ rows }) => rows?.accumulatorBytes !== undefined);

  // Loops over indices from here on: in code that runs for the first time, which this mostly is, an iterator costs more than what it yields.
  /** Of a value under all its readers' eyes: the least that is still needed, in their rows or in bytes. */
  const oldest = (readers: readonly Reader[], inBytes: boolean): number => {
    let oldest = Infinity;
    for (let i = 0; i < readers.length; i++) {
      const { stage, stride, first, divisor, rowBytes, rows: seen } = readers[i] as Reader;
      const y = done[stage] as number;
      if (y >= (rows[stage] as number)) continue;
      // The first row that row y needs.
      const row = Math.max(Math.floor((y * stride + first) / divisor), 0);
      // Windows may reach behind the last row.
      if (row >= seen) continue;
      const needed = inBytes ? row * rowBytes : row;
      if (needed < oldest) oldest = needed;
    }
    return oldest;
  };
  const noteDistances = (index: number, y1: number, written: number): void => {
    const { rows: access, reads } = stages[index] as Operation;
    for (const input of inputs) {
      // An operator that works in place reads each element before it writes there.
      const inPlace = access?.inPlace?.some((i) => reads[i] === input.id) === true;
      const saved = done[index] ?? 0;
      if (inPlace) done[index] = y1;
      const intact = oldest(input.readers, true);
      done[index] = saved;
      if (intact !== Infinity) input.distance = Math.max(input.distance, written - intact);
    }
  };
  const make = (index: number, y1: number): void => {
    const y0 = done[index] as number;
    const made = outputs[index] as readonly Output[];
    pulls++;
    for (let i = 0; i < made.length; i++) {
      const { place, rowBytes, isLast } = made[i] as Output;
      const isWhole = accumulates[index] === true;
      const first = Math.min(isWhole ? 0 : y0, oldest(place.readers, false));
      const ringRows = (isWhole ? 1 : y1) - first;
      if (ringRows > place.ringRows) place.ringRows = ringRows;
      if (isLast) {
        const all = y1 === rows[index] ? outputBytes : 0;
        noteDistances(index, y1, isWhole ? all : y1 * rowBytes);
      }
    }
    done[index] = y1;
  };
  const pull = (index: number, end: number): void => {
    const all = rows[index] as number;
    const target = Math.min(end, all);
    const own = links[index] as readonly StageLink[];
    const perPull = rowsPerPull[index] as number;
    for (let y = done[index] as number; y < target;) {
      const y1 = Math.min(y + perPull, all);
      for (let i = 0; i < own.length; i++) {
        const { stage, stride, divisor, offset } = own[i] as StageLink;
        const needed = Math.floor((y1 * stride + offset) / divisor);
        if (needed > (done[stage] as number)) pull(stage, needed);
      }
      make(index, y1);
      y = y1;
    }
  };
  for (let index = last; index >= 0; index--) pull(index, Infinity);

  const ringRows = new Map([...places].map(([id, place]) => [id, place.ringRows]));
  // The rows of what is accumulated in place follow each other there.
  for (const { rows: access, reads, writes } of stages) {
    const [input = -1] = reads;
    const [made = -1] = writes;
    if (access?.accumulatorBytes === undefined || inPlaceOf.get(input) !== made) continue;
    ringRows.set(input, 1);
    if (ringRows.has(made)) ringRows.set(made, 1);
  }
  for (const [id, { isKept }] of places) if (isKept) ringRows.delete(id);
  return {
    rows,
    rowsPerPull,
    links,
    ringRows,
    inPlaceOf,
    overlapDistance: new Map(inputs.map(({ id, distance }) => [id, distance])),
    pulls,
  };
}

/** Where one value is made, or several in each other's place. */
interface Place {
  readonly readers: Reader[];
  isKept: boolean;
  ringRows: number;
}

/** What a stage makes. */
interface Output {
  readonly place: Place;
  readonly rowBytes: number;
  /** It is the chain's last output, or lies where that is made. */
  readonly isLast: boolean;
}

/** A value from before the chain, and how far below it the last output must begin. */
interface Input {
  readonly id: number;
  readonly readers: readonly Reader[];
  distance: number;
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
  kept: ReadonlySet<number>,
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
        if (id === undefined || kept.has(id) || readers.get(id)?.length !== 1) return false;
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
