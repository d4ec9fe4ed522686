import type { ExecutionError } from "../errors.ts";
import { planError } from "./fields.ts";
import { Header, MAGIC, PLAN_VERSION, SLACK_BYTES } from "./format.ts";
import { claim, createOwners, firstOther } from "./owners.ts";
import type { Replay, ReplayedPlan } from "./replay.ts";
import { holder, outsideOfArena, refusedTable, replayStep } from "./replay.ts";
import { readStep, RecordReader } from "./steps.ts";
import { VARIANTS } from "./variant.ts";

/** A value in memory: an id and where its bytes are. */
export interface ValueRange {
  readonly id: number;
  readonly address: number;
  readonly bytes: number;
}

/** A plan as it will be run, and what it is meant to do with which values. */
export interface PlanToVerify extends ReplayedPlan {
  /**
   * For every record in order, the value behind each operand of `operandNames`; -1 for resident constants. Values have
   * ids because two tensors may take turns at one address, which addresses alone cannot tell apart. A tile of weights
   * has the id of the fetch that brings it.
   */
  readonly operands: Int32Array;
  /** In memory before the first record: graph inputs. */
  readonly initial: readonly ValueRange[];
  /** Intact after the last: graph outputs. */
  readonly final: readonly ValueRange[];
  /** In memory before the first record and intact after the last, because the next run begins with them. */
  readonly states: readonly ValueRange[];
}

/**
 * Replays the records over a map of which value owns each byte, and refuses a plan in which any record reads a byte that is
 * not the value it means, writes outside the arena, or reaches outside memory. Knows nothing of graphs, operators or the
 * planner. Takes time and memory in proportion to the plan and to the rows and bytes it touches; where nobody vouches for the
 * plan, `maxWork` bounds the records, ranges and pages of bytes that are looked at.
 * @throws ExecutionError plan-header: the sections contradict each other · plan-unterminated: an unknown or cut record ·
 *   plan-field: a value that no kernel can mean · plan-bounds: an operand outside of where it may be · plan-overlap: bytes
 *   that something else has overwritten, or that nothing has written · plan-operands: the table of operands does not fit ·
 *   plan-work: over `maxWork`
 */
export function verifyPlan(plan: PlanToVerify, maxWork = Infinity): void {
  const { entry, planBytes, arena, ramBytes } = readHeader(plan);
  const limit = ramBytes - SLACK_BYTES;
  const replay: Replay = {
    plan,
    planBytes,
    arena,
    limit,
    owners: createOwners(limit - arena),
    tiles: new Map(),
    work: maxWork,
    laps: new Map(),
  };
  // The host writes inputs before a run, over whatever is there: states come first.
  for (const [what, values] of [
    ["state", plan.states],
    ["graph input", plan.initial],
  ] as const) {
    for (const value of values) {
      requireValue(replay, value, what);
      claim(replay.owners, value.address - arena, value.address + value.bytes - arena, value.id);
    }
  }

  const reader = new RecordReader(plan, entry, planBytes);
  for (let step = readStep(reader); step !== undefined; step = readStep(reader)) {
    replayStep(replay, step);
  }
  if (reader.operand !== plan.operands.length) {
    throw refusedTable(`has ${plan.operands.length} entries, the records have ${reader.operand} operands`);
  }
  for (const value of plan.final) requireIntact(replay, value, "graph output");
  for (const value of plan.states) requireIntact(replay, value, "state");
}

/** A value that is read after the last record is all there. */
function requireIntact(replay: Replay, value: ValueRange, what: string): void {
  requireValue(replay, value, what);
  const { id, address, bytes } = value;
  const other = firstOther(replay.owners, address - replay.arena, address + bytes - replay.arena, id);
  if (other < 0) return;
  throw planError(
    "plan-overlap",
    `${what} ${id} at ${address} to ${address + bytes} is not intact at the end: byte ${replay.arena + other} ` +
      `holds ${holder(replay, other)}`,
  );
}

interface Sections {
  readonly entry: number;
  readonly planBytes: number;
  readonly arena: number;
  readonly ramBytes: number;
}

function readHeader({ sram, variant }: PlanToVerify): Sections {
  const fail = (what: string): ExecutionError => planError("plan-header", what);
  if (sram.length < 4 * Header.words) throw fail(`the plan has ${sram.length} bytes`);
  const bytes = new DataView(sram.buffer, sram.byteOffset, sram.byteLength);
  const word = (field: Header): number => bytes.getUint32(4 * field, true);
  if (word(Header.magic) !== MAGIC) throw fail("the plan does not begin with its magic number");
  if (word(Header.version) !== PLAN_VERSION) {
    throw fail(`the plan is of version ${word(Header.version)}, this thimble runs ${PLAN_VERSION}`);
  }
  if (VARIANTS[word(Header.variant)] !== variant) {
    throw fail(
      `the plan is of variant ${VARIANTS[word(Header.variant)] ?? word(Header.variant)}, not ${variant}`,
    );
  }
  const entry = word(Header.entry);
  const planBytes = word(Header.planBytes);
  const weights = word(Header.residentWeightBytes);
  const arena = word(Header.arenaAddress);
  const ramBytes = word(Header.ramBytes);
  const sound =
    entry === 4 * Header.words &&
    planBytes >= entry &&
    planBytes % 4 === 0 &&
    planBytes + weights === sram.length &&
    arena % 16 === 0 &&
    arena >= sram.length &&
    ramBytes >= arena + SLACK_BYTES &&
    ramBytes < 2 ** 31;
  if (!sound) {
    throw fail(
      `the plan's sections (entry ${entry}, ${planBytes} + ${weights} of ${sram.length} bytes, arena at ${arena}, ` +
        `${ramBytes} in all) disagree`,
    );
  }
  return { entry, planBytes, arena, ramBytes };
}

/** Graph inputs, outputs and states: ids of values, in the arena. */
function requireValue(replay: Replay, value: ValueRange, what: string): void {
  const { id } = value;
  if (!(id >= 0)) throw refusedTable(`has no value for a ${what}: its id is ${id}`);
  const outside = outsideOfArena(replay, value);
  if (outside !== undefined) throw planError("plan-bounds", `${what} ${id} is at ${outside}`);
}
