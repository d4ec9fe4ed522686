import type { ExecutionError } from "../errors.ts";
import type { Access, Range } from "./access.ts";
import { forEachRange } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { aligned, atLeast, LIMIT, planError, refusal } from "./fields.ts";
import { footprint } from "./footprint.ts";
import type { Owners } from "./owners.ts";
import { claim, firstOther, NOBODY, ownerAt, PAGE } from "./owners.ts";
import type { RecordOf } from "./record.ts";
import type { Operands, Placement, StagePlacement, StreamPlacement, TilesPlacement } from "./steps.ts";
import type { Variant } from "./variant.ts";

/** A model input that is asked for row by row. */
export interface InputRows {
  readonly rows: number;
  readonly rowBytes: number;
}

/** The id of resident constants. */
const RESIDENT = -1;

/** What replaying records needs to know of their plan. */
export interface ReplayedPlan {
  readonly variant: Variant;
  /** Header, records and resident weights: linear memory from address 0. */
  readonly sram: Uint8Array;
  readonly flashBytes: number;
  /** Model inputs that come row by row; undefined for those that are in memory. */
  readonly inputRows: readonly (InputRows | undefined)[];
}

/** A plan being replayed: which value owns each byte so far. */
export interface Replay {
  readonly plan: ReplayedPlan;
  readonly planBytes: number;
  /** First byte that records may write, and the first one behind them. */
  readonly arena: number;
  readonly limit: number;
  /** Of the bytes from `arena` on. */
  readonly owners: Owners;
  /** Where the fetch of each tile put it. */
  readonly tiles: Map<number, Range>;
  /** Steps of the check that are left: a plan of few bytes may ask for any number. */
  work: number;
  /** Owners that stand for a value's later laps around a ring. */
  readonly laps: Map<string, number>;
}

/** Does to the owners of bytes what the kernels do to the bytes, and refuses what they must not. */
export function replayStep(replay: Replay, step: Placement | StreamPlacement | TilesPlacement): void {
  if ("stages" in step) replayStream(replay, step);
  else if ("tiles" in step) replayTiles(replay, step);
  else replayRecord(replay, step);
}

/** As the kernels run it: assembly/kernels/stream.ts. */
function replayStream(replay: Replay, { record, stages }: StreamPlacement): void {
  const state = { address: record.state, bytes: 8 * record.stages };
  aligned(record, "state", 4);
  requireArena(replay, record, state, "state");
  const owner = lapOwner(replay, `stream ${record.index}`, 0);
  claimRange(replay, record, state, owner);
  // Every stage is pulled to its end, so that it is known beforehand how much there is to do.
  for (const { stage, records } of stages) {
    spend(replay, stage, Math.ceil(stage.rows / stage.rowsPerPull) * records.length);
  }
  const done = new Float64Array(stages.length);
  const pull = (index: number, end: number): void => {
    const { stage, records } = stages[index] as StagePlacement;
    const last = Math.min(end, stage.rows);
    for (let y0 = done[index] ?? 0; y0 < last; y0 = done[index] ?? 0) {
      const y1 = Math.min(y0 + stage.rowsPerPull, stage.rows);
      if (stage.lhs >= 0) pull(stage.lhs, needed(stage, y1, stage.lhsRate, stage.lhsOffset));
      if (stage.rhs >= 0) pull(stage.rhs, needed(stage, y1, stage.rhsRate, stage.rhsOffset));
      for (const { record, ids } of records) {
        replayRecord(replay, { record: "y0" in record ? { ...record, y0, y1 } : record, ids });
      }
      done[index] = y1;
    }
  };
  for (let i = stages.length - 1; i >= 0; i--) pull(i, Infinity);
  // Nothing that the stream did may have touched it.
  requireOwned(replay, record, state, owner, "state");
}

/** Rows that a stage's rows up to `y1` need of another. */
function needed(stage: RecordOf<"stage"> & Placed, y1: number, rate: number, offset: number): number {
  const [stride, divisor] = [rate & 0xffff, rate >> 16];
  const end = y1 * stride + offset;
  if (divisor >= 1 && end >= -LIMIT && end < LIMIT) return Math.trunc(end / divisor);
  throw refusal("plan-field", stage, `needs rows up to ${end} / ${divisor}`);
}

/** As the kernels run it: assembly/kernels/tiles.ts. */
function replayTiles(replay: Replay, { tiles, ids, operator }: TilesPlacement): void {
  atLeast(tiles, 1, ["bytes", "tileBytes", "tileChannels", "channels"]);
  atLeast(tiles, 0, ["destination", "source"]);
  const { index, destination, bytes, tileBytes, tileChannels, channels } = tiles;
  const { record } = operator;
  if (record.op !== "conv2d" && record.op !== "conv2dWinograd" && record.op !== "depthwiseConv2d") {
    throw refusal("plan-field", record, "stands where an operator with weights in tiles does");
  }
  const count = Math.ceil(bytes / tileBytes);
  spend(replay, tiles, count);
  if (count !== Math.ceil(channels / tileChannels) || record.c0 !== 0 || record.c1 !== channels) {
    const range = `${record.c0} to ${record.c1}`;
    throw refusal(
      "plan-field",
      tiles,
      `gives ${count} × ${tileChannels} channels to an operator of ${range}`,
    );
  }
  for (let tile = 0; tile < count; tile++) {
    const fetched = Math.min(tileBytes, bytes - tile * tileBytes);
    const source = tiles.source + tile * tileBytes;
    const fetch = { op: "fetch", index, destination, source, bytes: fetched } as const;
    const c0 = tile * tileChannels;
    const c1 = Math.min(c0 + tileChannels, channels);
    replayRecord(replay, { record: fetch, ids });
    replayRecord(replay, { record: { ...record, c0, c1 }, ids: operator.ids });
  }
}

function replayRecord(replay: Replay, { record, ids }: Placement): void {
  checkOperands(record, ids);
  if (record.op === "input") requireInputRows(replay, record);
  const { scratch, weights, accesses } = footprint(record, replay.plan.variant);
  if (record.op === "fetch") noteTile(replay, record, ids.get("output") ?? NaN);
  if (scratch !== undefined) {
    aligned(record, "scratch", 16);
    requireArena(replay, record, scratch, "scratch");
    claimRange(replay, record, scratch, NOBODY);
  }
  if (weights !== undefined) requireWeights(replay, record, weights, ids);
  for (const access of accesses) replayAccess(replay, record, access, ids);
  // Outputs must not have run over what was in use.
  if (scratch !== undefined) requireOwned(replay, record, scratch, NOBODY, "scratch");
  if (weights !== undefined) requireWeights(replay, record, weights, ids);
}

/** The host knows the input, and gives as many rows of as many bytes. */
function requireInputRows({ plan }: Replay, record: RecordOf<"input"> & Placed): void {
  const port = plan.inputRows[record.input];
  if (port !== undefined && record.rowBytes === port.rowBytes && record.y1 <= port.rows) return;
  const has = port === undefined ? "is not given in rows" : `has ${port.rows} rows of ${port.rowBytes} bytes`;
  throw refusal(
    "plan-field",
    record,
    `asks for rows up to ${record.y1} of ${record.rowBytes} bytes of input ${record.input}, which ${has}`,
  );
}

/** Ids of values are not negative, and what a record writes is another value than what it reads. */
function checkOperands(record: AnyRecord, ids: Operands): void {
  const output = ids.get("output");
  for (const [name, id] of ids) {
    if (!(id >= RESIDENT)) throw refusedTable(`lacks the ${name} of record ${record.index} (${record.op})`);
    if (id === output && name !== "output") {
      throw refusedTable(`has one value for ${name} and output of record ${record.index} (${record.op})`);
    }
  }
}

/** An error about the table of operands. */
export function refusedTable(what: string): ExecutionError {
  return planError("plan-operands", `the plan's table of operands ${what}`);
}

function noteTile({ plan, tiles }: Replay, record: RecordOf<"fetch"> & Placed, id: number): void {
  const { destination: address, source, bytes } = record;
  if (source + bytes > plan.flashBytes) {
    throw refusal(
      "plan-bounds",
      record,
      `reads flash at ${source} to ${source + bytes} of ${plan.flashBytes} bytes`,
    );
  }
  tiles.set(id, { address, bytes });
}

function replayAccess(
  replay: Replay,
  record: AnyRecord,
  { kind, operand, region }: Access,
  ids: Operands,
): void {
  const id = ids.get(operand) ?? NaN;
  if (kind === "write" && id === RESIDENT) {
    throw refusal("plan-operands", record, `writes its ${operand}, which is named a constant`);
  }
  forEachRange(region, (address, bytes, lap) => {
    const range = { address, bytes };
    if (id === RESIDENT) {
      spend(replay, record, 1);
      requireResident(replay, record, range, operand);
      return;
    }
    requireArena(replay, record, range, operand);
    const owner = lap === 0 ? id : lapOwner(replay, `value ${id}`, lap);
    if (kind === "read") requireOwned(replay, record, range, owner, operand);
    else claimRange(replay, record, range, owner);
  });
}

/** A row of a ring is not the one that was there a lap ago: each lap owns its bytes as another value. So does a stream's state. */
function lapOwner({ laps }: Replay, what: string, lap: number): number {
  const key = lap === 0 ? what : `${what} (lap ${lap} of its ring)`;
  const known = laps.get(key);
  if (known !== undefined) return known;
  const owner = NOBODY - 1 - laps.size;
  laps.set(key, owner);
  return owner;
}

/** Weights are resident, or in a tile that is still whole. */
function requireWeights(replay: Replay, record: AnyRecord, weights: Range, ids: Operands): void {
  const id = ids.get("weights") ?? NaN;
  aligned(record, "weights", 16);
  if (id === RESIDENT) {
    requireResident(replay, record, weights, "weights");
    return;
  }
  const tile = replay.tiles.get(id);
  const end = weights.address + weights.bytes;
  if (tile === undefined || weights.address < tile.address || end > tile.address + tile.bytes) {
    const where = tile && `, which is at ${tile.address} to ${tile.address + tile.bytes}`;
    throw refusal(
      "plan-bounds",
      record,
      `reads weights at ${weights.address} to ${end}, outside of tile ${id}${where ?? ", which no record fetches"}`,
    );
  }
  requireOwned(replay, record, weights, id, "weights");
}

function requireResident(
  { plan, planBytes }: Replay,
  record: AnyRecord,
  { address, bytes }: Range,
  what: string,
): void {
  const end = address + bytes;
  if (address >= planBytes && end <= plan.sram.length) return;
  throw refusal(
    "plan-bounds",
    record,
    `reads constant ${what} at ${address} to ${end}, constants are at ${planBytes} to ${plan.sram.length}`,
  );
}

function requireArena(replay: Replay, record: AnyRecord, range: Range, what: string): void {
  const outside = outsideOfArena(replay, range);
  if (outside !== undefined) throw refusal("plan-bounds", record, `has its ${what} at ${outside}`);
}

/** Where the bytes are, if not all of them lie in the arena. */
export function outsideOfArena({ arena, limit }: Replay, { address, bytes }: Range): string | undefined {
  const end = address + bytes;
  return address >= arena && end <= limit
    ? undefined
    : `${address} to ${end}, the arena is ${arena} to ${limit}`;
}

/** Counts steps of the check. */
function spend(replay: Replay, record: AnyRecord, steps: number): void {
  replay.work -= steps;
  if (replay.work >= 0) return;
  throw refusal("plan-work", record, "asks for more rows and ranges than the image's size justifies");
}

function claimRange(replay: Replay, record: AnyRecord, { address, bytes }: Range, owner: number): void {
  spend(replay, record, stepsOf(bytes));
  claim(replay.owners, address - replay.arena, address + bytes - replay.arena, owner);
}

/** Bytes are claimed and looked at by pages. */
function stepsOf(bytes: number): number {
  return 1 + Math.floor(bytes / PAGE);
}

function requireOwned(replay: Replay, record: AnyRecord, range: Range, owner: number, what: string): void {
  spend(replay, record, stepsOf(range.bytes));
  const begin = range.address - replay.arena;
  const other = firstOther(replay.owners, begin, begin + range.bytes, owner);
  if (other < 0) return;
  throw refusal(
    "plan-overlap",
    record,
    `needs its ${what} at ${range.address} to ${range.address + range.bytes}, but byte ${replay.arena + other} ` +
      `holds ${holder(replay, other)}, not ${ownerName(replay, owner)}`,
  );
}

/** How messages name the owner of a byte, counted from the arena's first. */
export function holder(replay: Replay, at: number): string {
  return ownerName(replay, ownerAt(replay.owners, at));
}

function ownerName({ laps }: Replay, owner: number): string {
  if (owner >= 0) return `value ${owner}`;
  if (owner === NOBODY) return "nothing";
  const [key = ""] = [...laps].find(([, of]) => of === owner) ?? [];
  return key;
}
