import type { AnyRecord, Placed } from "./fields.ts";
import { atLeast, planError, refusal } from "./fields.ts";
import { ADD_N_INPUTS } from "./format.ts";
import type { RecordOf, RecordOp } from "./record.ts";
import { decodeRecord, recordBytes } from "./record.ts";

/** Names of the inputs of an addN record, in order. */
export const ADD_N_OPERANDS = Array.from({ length: ADD_N_INPUTS }, (_, i) => `input${i}` as AddNOperand);

type AddNOperand = Extract<keyof RecordOf<"addN">, `input${number}`>;

/** What records are read from: a plan's bytes from address 0, and the value behind each operand. */
export interface PlanRecords {
  readonly sram: Uint8Array;
  readonly operands: Int32Array;
}

const INPUT_OUTPUT = ["input", "output"];
const WEIGHTED = ["input", "output", "weights"];
const TWO = ["lhs", "rhs", "output"];
const ACCUMULATING = ["input", "output", "accumulators"];

/** Operands of each record that have a value, in the order of `PlanToVerify.operands`. */
const OPERANDS = {
  end: [],
  stream: [],
  stage: [],
  fetch: ["output"],
  tiles: ["output"],
  input: ["output"],
  flipSign: ["input"],
  conv2d: WEIGHTED,
  conv2dInt16: WEIGHTED,
  conv2dWinograd: WEIGHTED,
  depthwiseConv2d: WEIGHTED,
  lookup: WEIGHTED,
  sigmoidInt16: WEIGHTED,
  softmaxInt16: WEIGHTED,
  add: TWO,
  mul: TWO,
  sub: TWO,
  minimum: TWO,
  maximum: TWO,
  squaredDifference: TWO,
  weightedSum: TWO,
  div: TWO,
  compare: TWO,
  prelu: TWO,
  batchMatmul: TWO,
  elementwiseInt16: TWO,
  addN: [...ADD_N_OPERANDS, "output"],
  gather: ["input", "indices", "output"],
  select: ["condition", "chosen", "other", "output"],
  unidirectionalSequenceLstm: ["input", "output", "weights", "hidden", "cell"],
  svdf: ["input", "output", "weights", "state"],
  averagePool2d: ACCUMULATING,
  mean: ACCUMULATING,
  meanInt16: ACCUMULATING,
  maxPool2d: INPUT_OUTPUT,
  softmax: INPUT_OUTPUT,
  pad: INPUT_OUTPUT,
  copy: INPUT_OUTPUT,
  quantize: INPUT_OUTPUT,
  dequantize: INPUT_OUTPUT,
  requantize: INPUT_OUTPUT,
  resizeBilinear: INPUT_OUTPUT,
  resizeNearest: INPUT_OUTPUT,
  reduceExtreme: INPUT_OUTPUT,
  argExtreme: INPUT_OUTPUT,
  cumsum: INPUT_OUTPUT,
  l2Normalization: INPUT_OUTPUT,
  logSoftmax: INPUT_OUTPUT,
  cast: INPUT_OUTPUT,
  convert: INPUT_OUTPUT,
  scaleInt16: INPUT_OUTPUT,
  pool2dInt16: INPUT_OUTPUT,
  softmaxToInt16: INPUT_OUTPUT,
} satisfies Record<RecordOp, readonly string[]>;

export function operandNames(op: RecordOp): readonly string[] {
  return OPERANDS[op];
}

export type Operands = ReadonlyMap<string, number>;

/** A record, its place, and the values behind its operands. */
export interface Placement {
  readonly record: AnyRecord;
  readonly ids: Operands;
}

export interface StagePlacement {
  readonly stage: RecordOf<"stage"> & Placed;
  readonly records: readonly Placement[];
}

export interface StreamPlacement {
  readonly record: RecordOf<"stream"> & Placed;
  readonly stages: readonly StagePlacement[];
}

/** An operator that runs once per tile of its weights. */
export interface TilesPlacement {
  readonly tiles: RecordOf<"tiles"> & Placed;
  readonly ids: Operands;
  readonly operator: Placement;
}

/** Walks the plan's records in order, and the table of operands beside them. */
export class RecordReader {
  readonly #plan: PlanRecords;
  readonly #words: Int32Array;
  readonly #planBytes: number;
  at: number;
  index = 0;
  operand = 0;

  constructor(plan: PlanRecords, entry: number, planBytes: number) {
    this.#plan = plan;
    this.#planBytes = planBytes;
    // A copy, because the bytes need not be aligned where they are.
    this.#words = new Int32Array(new Uint8Array(plan.sram.subarray(0, planBytes)).buffer);
    this.at = entry;
  }

  next(): Placement {
    const record = decodeRecord(this.#words, this.at >> 2);
    if (record === undefined) {
      throw planError(
        "plan-unterminated",
        `record ${this.index} at address ${this.at} is unknown or runs past the plan's ${this.#planBytes} bytes`,
      );
    }
    const names = operandNames(record.op);
    const ids = this.#plan.operands.subarray(this.operand, this.operand + names.length);
    this.operand += names.length;
    this.at += recordBytes(record.op);
    const placed = { ...record, index: this.index++ };
    return { record: placed, ids: new Map(names.map((name, i) => [name, ids[i] ?? NaN])) };
  }
}

/** Stages of one stream: the kernels pull through them by recursion. */
const MAX_STAGES = 256;

/** The next record, or the next stream or tiles with what belongs to them; undefined at the end. */
export function readStep(reader: RecordReader): Placement | StreamPlacement | TilesPlacement | undefined {
  const { record, ids } = reader.next();
  if (record.op === "end") return undefined;
  if (record.op === "tiles") return { tiles: record, ids, operator: reader.next() };
  if (record.op === "stage") throw refusal("plan-field", record, "belongs to no stream");
  if (record.op !== "stream") return { record, ids };
  if (!(record.stages >= 1 && record.stages <= MAX_STAGES)) {
    throw refusal("plan-field", record, `has ${record.stages} stages, 1 to ${MAX_STAGES} are run`);
  }
  const stages = Array.from({ length: record.stages }, (_, i): StagePlacement => {
    const { record: stage } = reader.next();
    if (stage.op !== "stage")
      throw refusal("plan-field", stage, `stands where stage ${i} of a stream begins`);
    atLeast(stage, 1, ["bytes", "rows", "rowsPerPull"]);
    for (const link of [stage.lhs, stage.rhs]) {
      if (!(link >= -1 && link < i)) throw refusal("plan-field", stage, `needs rows of stage ${link}`);
    }
    const end = reader.at + stage.bytes;
    const records: Placement[] = [];
    while (reader.at < end) {
      const nested = reader.next();
      const { op } = nested.record;
      if (op === "end" || op === "stream" || op === "stage" || op === "tiles") {
        throw refusal("plan-field", nested.record, "stands within a stage");
      }
      records.push(nested);
    }
    if (reader.at !== end)
      throw refusal("plan-field", stage, `has ${stage.bytes} bytes, its records have others`);
    return { stage, records };
  });
  return { record, stages };
}
