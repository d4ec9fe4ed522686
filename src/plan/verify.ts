import { ExecutionError } from "../errors.ts";
import type { Access, Range, Region } from "./footprint.ts";
import { footprint } from "./footprint.ts";
import { Header, MAGIC, PLAN_VERSION, SLACK_BYTES } from "./format.ts";
import type { PlanRecord, RecordOp } from "./record.ts";
import { decodeRecord, recordBytes } from "./record.ts";
import type { Variant } from "./variant.ts";
import { VARIANTS } from "./variant.ts";

/** A value in memory: an id and where its bytes are. */
export interface ValueRange {
  readonly id: number;
  readonly address: number;
  readonly bytes: number;
}

/** A plan as it will be run, and what it is meant to do with which values. */
export interface PlanToVerify {
  readonly variant: Variant;
  /** Header, records and resident weights: linear memory from address 0. */
  readonly sram: Uint8Array;
  readonly flashBytes: number;
  /**
   * For every record in order, the value behind each operand of `operandNames`; -1 for resident constants. Values have
   * ids because two tensors may take turns at one address, which addresses alone cannot tell apart.
   */
  readonly operands: Int32Array;
  /** In memory before the first record: graph inputs. */
  readonly initial: readonly ValueRange[];
  /** Intact after the last: graph outputs. */
  readonly final: readonly ValueRange[];
}

/** Operands that have a value, in the order of `PlanToVerify.operands`. */
export function operandNames(op: RecordOp): readonly string[] {
  switch (op) {
    case "end":
      return [];
    case "fetch":
      return ["output"];
    case "flipSign":
      return ["input"];
    case "conv2d":
    case "depthwiseConv2d":
      return ["input", "output", "weights"];
    case "add":
    case "mul":
      return ["lhs", "rhs", "output"];
    default:
      return ["input", "output"];
  }
}

/** Bytes that belong to nobody, and bytes of scratch. */
const FREE = -2;
const RESIDENT = -1;

/**
 * Replays the records over a map of which value owns each byte, and refuses a plan in which any record reads a byte that is
 * not the value it means, writes outside the arena, or reaches outside memory. Knows nothing of graphs, operators or the
 * planner.
 * @throws ExecutionError with the record, the operand and the bytes
 */
export function verifyPlan(plan: PlanToVerify): void {
  const words = checkHeader(plan);
  const header = (field: Header): number => (words[field] ?? 0) >>> 0;
  const replay = new Replay(plan, header(Header.arenaAddress), header(Header.ramBytes));
  let at = header(Header.entry);
  const planBytes = header(Header.planBytes);
  for (let index = 0; ; index++) {
    const record = at + 8 <= planBytes ? decodeRecord(words, at >> 2) : undefined;
    if (record === undefined) {
      throw new ExecutionError(
        "plan-unterminated",
        `record ${index} at address ${at} is unknown or runs past the plan's ${planBytes} bytes; ` +
          "the image is damaged: compile the model again",
      );
    }
    at += recordBytes(record.op);
    if (at > planBytes)
      throw new ExecutionError("plan-unterminated", `record ${index} runs past the plan; compile again`);
    if (record.op === "end") break;
    replay.record(record, index);
  }
  replay.finish();
}

function checkHeader({ sram, variant }: PlanToVerify): Int32Array {
  const fail = (what: string): never => {
    throw new ExecutionError("plan-header", `${what}; the image is damaged: compile the model again`);
  };
  if (sram.length < 4 * Header.words) fail(`the plan has ${sram.length} bytes`);
  const words = new Int32Array(sram.slice(0, sram.length & ~3).buffer);
  const word = (field: Header): number => (words[field] ?? 0) >>> 0;
  if (word(Header.magic) !== MAGIC) fail("the plan does not begin with its magic number");
  if (word(Header.version) !== PLAN_VERSION) {
    fail(`the plan is of version ${word(Header.version)}, this thimble runs ${PLAN_VERSION}`);
  }
  if (VARIANTS[word(Header.variant)] !== variant)
    fail(`the plan is of variant ${word(Header.variant)}, not ${variant}`);
  const planBytes = word(Header.planBytes);
  const weights = word(Header.residentWeightBytes);
  const arena = word(Header.arenaAddress);
  const ram = word(Header.ramBytes);
  const sound =
    word(Header.entry) === 4 * Header.words &&
    planBytes >= 4 * Header.words &&
    planBytes % 4 === 0 &&
    planBytes + weights === sram.length &&
    arena % 16 === 0 &&
    arena >= sram.length &&
    ram >= arena + SLACK_BYTES &&
    ram < 2 ** 31;
  if (!sound)
    fail(`the plan's sections (${planBytes} + ${weights} bytes, arena at ${arena}, ${ram} in all) disagree`);
  return words;
}

class Replay {
  readonly #plan: PlanToVerify;
  readonly #arena: number;
  readonly #ramBytes: number;
  readonly #owner: Int32Array;
  readonly #tiles = new Map<number, Range>();
  #operand = 0;
  #index = 0;
  #record: PlanRecord = { op: "end" };

  constructor(plan: PlanToVerify, arena: number, ramBytes: number) {
    this.#plan = plan;
    this.#arena = arena;
    this.#ramBytes = ramBytes;
    this.#owner = new Int32Array(ramBytes - arena).fill(FREE);
    for (const value of plan.initial) {
      this.#requireArena(value, "a graph input");
      this.#fill(value, value.id);
    }
  }

  record(record: PlanRecord, index: number): void {
    this.#record = record;
    this.#index = index;
    const ids = new Map(operandNames(record.op).map((name) => [name, this.#nextOperand()]));
    const { scratch, weights, phases } = footprint(record, this.#plan.variant);
    if (record.op === "fetch")
      this.#fetch(record.source, record.bytes, record.destination, ids.get("output") ?? 0);
    if (scratch !== undefined) {
      this.#requireAligned(scratch, "scratch");
      this.#requireArena(scratch, "scratch");
      this.#fill(scratch, FREE);
    }
    if (weights !== undefined) this.#requireWeights(weights, ids.get("weights") ?? 0);
    for (const phase of phases) {
      if (phase.readsFirst) this.#readAll(phase.reads, ids);
      for (const { operand, region } of phase.writes) this.#write(region, operand, ids.get(operand) ?? 0);
      if (!phase.readsFirst) this.#readAll(phase.reads, ids);
    }
    // Outputs must not have run over scratch or weights while they were in use.
    if (scratch !== undefined) this.#requireOwned(scratch, FREE, "scratch");
    if (weights !== undefined) this.#requireWeights(weights, ids.get("weights") ?? 0);
  }

  finish(): void {
    if (this.#operand !== this.#plan.operands.length) {
      throw new ExecutionError(
        "plan-operands",
        "the plan's table of operands has another length; compile again",
      );
    }
    for (const value of this.#plan.final) {
      this.#requireArena(value, "a graph output");
      this.#requireOwned(value, value.id, "a graph output");
    }
  }

  #nextOperand(): number {
    const id = this.#plan.operands[this.#operand++];
    if (id === undefined || id < RESIDENT) {
      throw new ExecutionError(
        "plan-operands",
        "the plan's table of operands is too short or damaged; compile again",
      );
    }
    return id;
  }

  #fetch(source: number, bytes: number, destination: number, id: number): void {
    if (source + bytes > this.#plan.flashBytes) {
      throw this.#refuse(
        "plan-bounds",
        `reads flash up to ${source + bytes} of ${this.#plan.flashBytes} bytes`,
      );
    }
    const tile = { address: destination, bytes };
    this.#requireAligned(tile, "the tile");
    this.#tiles.set(id, tile);
  }

  /** Weights are resident, outside the arena, or a tile that is still whole. */
  #requireWeights(weights: Range, id: number): void {
    this.#requireAligned(weights, "the weights");
    if (id === RESIDENT) {
      this.#requireResident(weights, "weights");
      return;
    }
    const tile = this.#tiles.get(id);
    const end = weights.address + weights.bytes;
    if (tile === undefined || weights.address < tile.address || end > tile.address + tile.bytes) {
      throw this.#refuse(
        "plan-bounds",
        `reads weights at ${weights.address} to ${end}, outside the tile fetched for it`,
      );
    }
    this.#requireOwned(weights, id, "weights");
  }

  #requireResident({ address, bytes }: Range, what: string): void {
    const { sram } = this.#plan;
    const planBytes = new DataView(sram.buffer, sram.byteOffset).getUint32(4 * Header.planBytes, true);
    if (address < planBytes || address + bytes > sram.length) {
      throw this.#refuse(
        "plan-bounds",
        `reads ${what} at ${address} to ${address + bytes}, resident constants are ${planBytes} to ${sram.length}`,
      );
    }
  }

  #readAll(reads: readonly Access[], ids: ReadonlyMap<string, number>): void {
    for (const { operand, region } of reads) {
      const id = ids.get(operand) ?? 0;
      for (const range of rangesOf(region)) {
        if (id === RESIDENT) this.#requireResident(range, operand);
        else if (this.#tiles.has(id)) this.#requireWeights(range, id);
        else {
          this.#requireArena(range, operand);
          this.#requireOwned(range, id, operand);
        }
      }
    }
  }

  #write(region: Region | Range, operand: string, id: number): void {
    if (id === RESIDENT) throw this.#refuse("plan-operands", `writes ${operand}, which is a constant`);
    for (const range of rangesOf(region)) {
      this.#requireArena(range, operand);
      this.#fill(range, id);
    }
  }

  #requireAligned({ address }: Range, what: string): void {
    if (address % 16 !== 0)
      throw this.#refuse("plan-field", `has ${what} at ${address}, not a multiple of 16`);
  }

  /** Inside the arena, and short of the slack behind it. */
  #requireArena({ address, bytes }: Range, what: string): void {
    const end = address + bytes;
    const limit = this.#ramBytes - SLACK_BYTES;
    if (address >= this.#arena && end <= limit) return;
    throw this.#refuse(
      "plan-bounds",
      `has ${what} at ${address} to ${end}, the arena is ${this.#arena} to ${limit}`,
    );
  }

  #requireOwned({ address, bytes }: Range, id: number, what: string): void {
    const begin = address - this.#arena;
    const owner = this.#owner;
    for (let i = begin; i < begin + bytes; i++) {
      if (owner[i] === id) continue;
      throw this.#refuse(
        "plan-overlap",
        `needs ${what} (value ${id}) at ${address} to ${address + bytes}, but byte ${i + this.#arena} holds ` +
          (owner[i] === FREE ? "nothing" : `value ${owner[i]}`),
      );
    }
  }

  #fill({ address, bytes }: Range, id: number): void {
    this.#owner.fill(id, address - this.#arena, address - this.#arena + bytes);
  }

  #refuse(code: string, what: string): ExecutionError {
    return new ExecutionError(
      code,
      `record ${this.#index} (${this.#record.op}) ${what}; the image is damaged: compile the model again`,
    );
  }
}

/** The consecutive runs of a region: one where rows and channels are dense, rows or pixels otherwise. */
function* rangesOf(region: Region | Range): Generator<Range> {
  if (!("view" in region)) {
    yield region;
    return;
  }
  const { view, y0, y1, c0, c1, batches, batchBytes } = region;
  const { address, pixelBytes, rowBytes, ringRows, width, channels } = view;
  const wholePixels = c0 === 0 && c1 === channels && pixelBytes === channels;
  const wholeRows = wholePixels && rowBytes === width * pixelBytes && y1 <= ringRows;
  for (let n = 0; n < batches && y0 < y1; n++) {
    const base = address + n * batchBytes;
    if (wholeRows) {
      yield { address: base + y0 * rowBytes, bytes: (y1 - y0) * rowBytes };
      continue;
    }
    for (let y = y0; y < y1; y++) {
      const row = base + (y % ringRows) * rowBytes;
      if (wholePixels) {
        yield { address: row, bytes: width * pixelBytes };
        continue;
      }
      for (let x = 0; x < width; x++) yield { address: row + x * pixelBytes + c0, bytes: c1 - c0 };
    }
  }
}
