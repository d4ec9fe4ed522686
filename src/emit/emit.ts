import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { byteSize, initialByte, tensorOf } from "../graph/graph.ts";
import type { MemoryDemand, PackedWeights } from "../memory/lifetimes.ts";
import type { Layout } from "../memory/problem.ts";
import type { LoweredRecord, Packed } from "../ops/op.ts";
import { recordsOf } from "../ops/op.ts";
import { Header, MAGIC, PLAN_VERSION } from "../plan/format.ts";
import { align } from "../plan/packing.ts";
import { recordBytes } from "../plan/record.ts";
import type { Schedule } from "../plan/schedule.ts";
import type { Variant } from "../plan/variant.ts";
import { VARIANTS, storageFlip } from "../plan/variant.ts";
import { ADD_N_OPERANDS } from "../plan/steps.ts";
import { stepScratch } from "../schedule/cost.ts";
import type { Step } from "../schedule/layers.ts";
import type { Operation, Program } from "../schedule/program.ts";
import type { StageLink, Stream } from "../schedule/stream.ts";
import type { Strip } from "../schedule/strips.ts";
import type { Image } from "./image.ts";
import { places } from "./places.ts";
import { ports } from "./ports.ts";
import type { EmittedStep } from "./report.ts";
import { report } from "./report.ts";
import { FlashWriter, RecordWriter } from "./writers.ts";

/** Everything that the earlier stages decided. */
export interface Compilation {
  readonly program: Program;
  readonly variant: Variant;
  readonly budget: number;
  readonly schedule: Schedule;
  readonly steps: readonly Step[];
  readonly packed: PackedWeights;
  readonly demand: MemoryDemand;
  readonly layout: Layout;
  readonly cycles: number;
}

/** The graph's int8 inputs and outputs that lie whole in memory, by value: what the relaxed variant flips at the border. */
function borderValues(
  program: Program,
  side: "inputs" | "outputs",
  variant: Variant,
): ReadonlyMap<number, Tensor> {
  const border = new Map<number, Tensor>();
  if (storageFlip(variant) === 0) return border;
  for (const [index, id] of program.graph[side].entries()) {
    const tensor = tensorOf(program.graph, id);
    const value = program.valueOf(id);
    const isStreamed = side === "inputs" && program.inputRows[index] !== undefined;
    if (tensor.type === "int8" && value !== undefined && !isStreamed) border.set(value, tensor);
  }
  return border;
}

/** Bytes of the header and of the records that belong to no step. */
export function fixedPlanBytes(program: Program, variant: Variant): number {
  const flips =
    borderValues(program, "inputs", variant).size + borderValues(program, "outputs", variant).size;
  return 4 * Header.words + recordBytes("end") + flips * recordBytes("flipSign");
}

/** Writes records, resident weights and flash for a proved layout. */
export function emit(compilation: Compilation): Image {
  const { program, variant, steps, layout, demand } = compilation;
  const sram = new Uint8Array(layout.planBytes + layout.residentWeightBytes);
  const writer = new RecordWriter(sram, 4 * Header.words);
  const flash = new FlashWriter();
  const addressOf = (value: number | undefined): number => {
    const storage = demand.storageOf(value);
    const { offset = 0 } = program.values.get(demand.placeOf(value) ?? -1)?.view ?? {};
    return storage === undefined ? 0 : (layout.storageAddress[storage] ?? 0) + offset;
  };
  const flip = (side: "inputs" | "outputs"): void => {
    for (const [value, tensor] of borderValues(program, side, variant)) {
      writer.write({ op: "flipSign", address: addressOf(value), bytes: byteSize(tensor) }, () => value);
    }
  };

  flip("inputs");
  const ids = { next: program.graph.tensors.length };
  const emitter: StepEmitter = { ...compilation, sram, writer, flash, ids, addressOf };
  const emitted = steps.map((step, index): EmittedStep => {
    const firstRecord = writer.address;
    if (step.stream === undefined) emitLayer(emitter, step, index);
    else emitStream(emitter, step, step.stream, index);
    return { step, firstRecord, endRecord: writer.address };
  });
  flip("outputs");
  writer.write({ op: "end" }, () => -1);
  sram.set(planHeader(variant, layout));

  return {
    variant,
    sram,
    flash: flash.bytes(),
    operands: Int32Array.from(writer.operands),
    inputs: ports(program, "inputs", addressOf),
    outputs: ports(program, "outputs", addressOf),
    states: program.variables.map((tensor) => ({
      name: tensor.name,
      address: addressOf(tensor.id),
      bytes: byteSize(tensor),
      value: tensor.id,
      initialByte: initialByte(tensor) ^ (tensor.type === "int8" ? storageFlip(variant) : 0),
    })),
    report: report(compilation, emitted, flash.length, addressOf),
  };
}

function planHeader(variant: Variant, layout: Layout): Uint8Array {
  const header = new Uint32Array(Header.words);
  header[Header.magic] = MAGIC;
  header[Header.version] = PLAN_VERSION;
  header[Header.variant] = VARIANTS.indexOf(variant);
  header[Header.entry] = 4 * Header.words;
  header[Header.planBytes] = layout.planBytes;
  header[Header.residentWeightBytes] = layout.residentWeightBytes;
  header[Header.arenaAddress] = layout.arenaAddress;
  header[Header.ramBytes] = layout.ramBytes;
  return new Uint8Array(header.buffer);
}

interface StepEmitter extends Compilation {
  readonly sram: Uint8Array;
  readonly writer: RecordWriter;
  readonly flash: FlashWriter;
  /** Ids of tiles and accumulators, which are no tensors'. */
  readonly ids: { next: number };
  readonly addressOf: (value: number | undefined) => number;
}

/** A whole operator: its record, behind that of the fetch or of the tiles that bring its weights where they are streamed. */
function emitLayer(emitter: StepEmitter, { operations, inPlace = false }: Step, index: number): void {
  const { program, layout, packed, writer, flash, ids, addressOf } = emitter;
  const [operation] = operations;
  if (operation === undefined) return;
  const blob = packed.get(operation);
  const channels = channelsOf(operation);
  const placement = layout.weights[index] ?? { kind: "none" };
  let weightsId = -1;
  if (blob !== undefined && placement.kind === "resident") emitter.sram.set(blob.bytes, placement.address);
  if (blob !== undefined && placement.kind === "streamed") {
    weightsId = ids.next++;
    const copy = {
      destination: placement.address,
      source: flash.append(blob.bytes),
      bytes: blob.blocks * blob.blockBytes,
    };
    const tileBytes = placement.blocksPerTile * blob.blockBytes;
    const tileChannels = placement.blocksPerTile * blob.blockChannels;
    writer.write(
      placement.tiles === 1
        ? { op: "fetch", ...copy }
        : { op: "tiles", ...copy, tileBytes, tileChannels, channels },
      () => weightsId,
    );
  }
  const at = {
    ...places(program, addressOf, operation),
    packed: placement.kind === "none" ? 0 : placement.address,
    scratch: layout.scratchAddress[index] ?? 0,
    c0: 0,
    c1: channels,
    inPlace,
  };
  const records = recordsOf(operation.op, operation.bound, at, emitter.variant, blob);
  writeRecords(emitter, operation, records, weightsId, -1);
}

/** Consecutive operators: the stream's record, then a stage and a record per operator; their weights lie together. */
function emitStream(emitter: StepEmitter, step: Step, stream: Stream, index: number): void {
  const { layout, packed, writer, flash, ids } = emitter;
  const { operations } = step;
  const placement = layout.weights[index] ?? { kind: "none" };
  const offsets: number[] = [];
  let bytes = 0;
  for (const operation of operations) {
    offsets.push(bytes);
    bytes += align(packed.get(operation)?.bytes.length ?? 0, 16);
  }
  const blob = new Uint8Array(bytes);
  for (const [i, operation] of operations.entries()) blob.set(packed.get(operation)?.bytes ?? [], offsets[i]);
  const weights = placement.kind === "none" ? 0 : placement.address;
  let weightsId = -1;
  if (placement.kind === "resident") emitter.sram.set(blob, weights);
  if (placement.kind === "streamed") {
    weightsId = ids.next++;
    writer.write({ op: "fetch", destination: weights, source: flash.append(blob), bytes }, () => weightsId);
  }

  for (const strip of step.strips ?? [undefined]) {
    emitStages(emitter, step, stream, { index, weights, offsets, weightsId, strip });
  }
}

/** What the stages of one run of a stream have in common. */
interface StageContext {
  /** Of the step. */
  readonly index: number;
  /** Where its weights lie, those of each stage from there on, and the id of their tile. */
  readonly weights: number;
  readonly offsets: readonly number[];
  readonly weightsId: number;
  /** The columns of this run; undefined: all. */
  readonly strip: Strip | undefined;
}

function emitStages(
  emitter: StepEmitter,
  step: Step,
  stream: Stream,
  { index, weights, offsets, weightsId, strip }: StageContext,
): void {
  const { program, layout, packed, writer, ids, addressOf, variant } = emitter;
  const { operations } = step;
  const scratch = layout.scratchAddress[index] ?? 0;
  const parts = stepScratch(step, variant);
  // What an earlier strip has left in a ring is another value.
  const ringIds = new Map<number, number>();
  if (strip !== undefined) for (const id of madeBy(operations, stream)) ringIds.set(id, ids.next++);
  writer.write({ op: "stream", stages: operations.length, state: scratch }, () => -1);
  for (const [i, operation] of operations.entries()) {
    const accumulates = operation.rows?.accumulatorBytes !== undefined;
    const at = {
      ...places(program, addressOf, operation, stream, strip && { strip, operations, stage: i }),
      packed: weights + (offsets[i] ?? 0),
      scratch: scratch + parts.shared,
      c0: 0,
      c1: channelsOf(operation),
      accumulators: accumulates ? scratch + (parts.accumulators[i] ?? 0) : 0,
    };
    const records = recordsOf(operation.op, operation.bound, at, variant, packed.get(operation));
    const [lhs = NO_LINK, rhs = NO_LINK] = stream.links[i] ?? [];
    writer.write(
      {
        op: "stage",
        bytes: records.reduce((sum, { record }) => sum + recordBytes(record.op), 0),
        rows: stream.rows[i] ?? 1,
        rowsPerPull: stream.rowsPerPull[i] ?? 1,
        lhs: lhs.stage,
        lhsRate: rateOf(lhs),
        lhsOffset: lhs.offset,
        rhs: rhs.stage,
        rhsRate: rateOf(rhs),
        rhsOffset: rhs.offset,
      },
      () => -1,
    );
    writeRecords(emitter, operation, records, weightsId, accumulates ? ids.next++ : -1, ringIds);
  }
}

/** Values that a stream makes and does not leave whole. */
function madeBy(operations: readonly Operation[], stream: Stream): number[] {
  return operations
    .flatMap(({ writes }) => writes)
    .filter((id) => stream.ringRows.has(id) || stream.inPlaceOf.has(id));
}

const NO_LINK: StageLink = { stage: -1, stride: 0, divisor: 1, offset: 0 };

function rateOf({ stride, divisor }: StageLink): number {
  return stride + (divisor << 16);
}

function writeRecords(
  { writer, packed, program }: StepEmitter,
  operation: Operation,
  records: readonly LoweredRecord[],
  weightsId: number,
  accumulatorsId: number,
  ringIds: ReadonlyMap<number, number> = new Map(),
): void {
  const blob = packed.get(operation);
  for (const lowered of records) {
    writer.write(lowered.record, (operand) => {
      if (operand === "accumulators") return accumulatorsId;
      const id = operandId(operand, lowered, operation, blob, program, weightsId);
      // What lies within another value is a piece of that.
      return program.values.get(id)?.view?.whole ?? ringIds.get(id) ?? id;
    });
  }
}

function channelsOf({ bound }: Operation): number {
  return bound.outputs[0]?.shape.at(-1) ?? 1;
}

/** Which input of its node an operand is whose name says so; "input" is what the record's lowering names. */
const OPERAND_INPUTS: Readonly<Record<string, number>> = {
  lhs: 0,
  rhs: 1,
  indices: 1,
  condition: 0,
  chosen: 1,
  other: 2,
  ...Object.fromEntries(ADD_N_OPERANDS.map((name, index) => [name, index])),
};

/**
 * The value behind an operand of an operation's record; -1 for resident constants, and for operands beyond the node's inputs.
 * @throws UnsupportedError a constant where only activations are read
 */
function operandId(
  operand: string,
  { input = 0, output = 0 }: LoweredRecord,
  { bound, node, op, reads, writes }: Operation,
  blob: Packed | undefined,
  program: Program,
  weightsId: number,
): number {
  if (operand === "weights") return weightsId;
  if (operand === "output") return writes[output] ?? -1;
  if (operand === "input" && input === "packed") return weightsId;
  const state = op.states?.[operand];
  if (state !== undefined) return reads[state] ?? -1;
  const index = OPERAND_INPUTS[operand] ?? Number(input);
  if (index >= bound.inputs.length) return -1;
  const value = reads[index];
  if (value !== undefined && program.values.has(value)) return value;
  if (operand === "input" || blob === undefined) {
    throw new UnsupportedError(
      "constant-input",
      `${node.op} "${node.name}" reads the constant "${bound.inputs[index]?.name ?? ""}" alone; compute its output before export (the converter's constant folding does)`,
    );
  }
  return weightsId;
}
