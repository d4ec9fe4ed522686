import { ExecutionError, InputError } from "../errors.ts";
import type { ElementType } from "../graph/graph.ts";
import { Header } from "../plan/format.ts";
import type { PortType } from "../plan/port-type.ts";
import { PORT_BYTES } from "../plan/port-type.ts";
import { planRecords } from "../plan/record.ts";
import type { Schedule } from "../plan/schedule.ts";
import { elementCount } from "../plan/shape.ts";
import type { Variant } from "../plan/variant.ts";
import type { PlanToVerify, ValueRange } from "../plan/verify.ts";
import { verifyPlan } from "../plan/verify.ts";

/** An input or output of the model, as the caller sees it. */
export interface Port {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of the typed array that `run` takes or gives. */
  readonly type: PortType;
  /** Quantisation of the int8 or int16 values (also of a float port whose QUANTIZE or DEQUANTIZE is done by the host). */
  readonly scale: number;
  readonly zeroPoint: number;
  /** Of the value in linear memory: int8 where the host converts a float port, otherwise `type`. */
  readonly storedType: PortType;
  readonly address: number;
  /** The value's id in `Image.operands`. */
  readonly value: number;
  /** Set where the input has no place in memory (address 0, value -1) but comes in so many equal rows. */
  readonly rows?: number;
}

/** State of an operator: bytes of linear memory that it reads and changes, and that outlive the run. */
export interface State {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
  /** The value's id in `Image.operands`. */
  readonly value: number;
  /** What every byte is before the first run, in storage form. */
  readonly initialByte: number;
}

/** A tensor that a step leaves in memory: what a trace reads after it. */
export interface TracedTensor {
  readonly id: number;
  /** Index in the file of the operator that makes it, -1 if a pass made that. */
  readonly source: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly address: number;
  readonly bytes: number;
  /** Where others' channels lie between its pixels: the bytes of one, and from each to the next. */
  readonly pixels?: { readonly bytes: number; readonly step: number };
  /** Channels, the last dimension, that are not in memory, because they always have this value. */
  readonly constants?: readonly (readonly [channel: number, value: number])[];
}

/** An operator of a step. */
export interface OperatorReport {
  readonly op: string;
  readonly name: string;
  /** Index of the operator in the file, -1 for one that a pass or the schedule made. */
  readonly source: number;
  readonly shape: readonly number[];
  readonly macs: number;
  readonly weightBytes: number;
  /** In a stream: rows made at a time, and what is kept of the output where it does not outlive the stream. */
  readonly rowsPerPull?: number;
  readonly ringRows?: number;
  readonly ringBytes?: number;
}

/** One step of the schedule: an operator, or several that run row by row as a stream. */
export interface StepReport {
  /** The operator's, or "stream". */
  readonly op: string;
  readonly name: string;
  readonly operators: readonly OperatorReport[];
  /** Strips of columns that a stream is run in, one after the other; absent if it makes all at once. */
  readonly strips?: number;
  /** Address of its first record, and of the one after its last. */
  readonly firstRecord: number;
  readonly endRecord: number;
  readonly outputs: readonly TracedTensor[];
  readonly macs: number;
  readonly weightBytes: number;
  /** Where its weights are: in SRAM always, copied from flash in so many tiles, or none. */
  readonly weights: "none" | "resident" | "streamed";
  readonly tiles: number;
  readonly scratchBytes: number;
  /** Activation bytes alive while it runs. */
  readonly liveBytes: number;
}

/** A rectangle of the memory map: bytes [address, address + bytes) from step `firstStep` to `lastStep`. */
export interface MapEntry {
  readonly name: string;
  readonly kind: "activation" | "ring" | "scratch" | "weights";
  /** Of an activation: its id in `Image.operands`. */
  readonly value?: number;
  readonly address: number;
  readonly bytes: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

/** Every byte of the plan, and where the peak is. All sizes are in bytes. */
export interface Report {
  readonly model: string;
  readonly variant: Variant;
  /** Budget given; Infinity for "unbounded" is written as null. */
  readonly budgetBytes: number | null;
  /** Activations: inputs, outputs, everything between, rings of streams. */
  readonly arenaBytes: number;
  /** What kernels need while they run, beyond what fits in the arena's holes. */
  readonly scratchBytes: number;
  /** Weights in passing from flash, beyond what fits in the holes. */
  readonly weightTileBytes: number;
  /** Weights, biases and requantisation constants that stay in SRAM. */
  readonly residentWeightBytes: number;
  /** Header and records. */
  readonly planBytes: number;
  /** Bytes at the end that kernels may read, and never write. */
  readonly slackBytes: number;
  /** Sum of the six above: the SRAM that the model needs. */
  readonly ramBytes: number;
  /** `ramBytes` rounded up to WebAssembly pages. */
  readonly linearMemoryBytes: number;
  /** Records, resident and streamed weights: what lies in flash on a microcontroller. */
  readonly flashBytes: number;
  /** Bytes copied from flash per inference. */
  readonly streamedBytes: number;
  readonly macs: number;
  /** Of those, done a second time to save SRAM. */
  readonly extraMacs: number;
  /** Cycles per inference, estimated: for comparing schedules of one model, not with a clock. */
  readonly cycles: number;
  /** What was asked for: the fastest that fits, whole layers, or the fewest bytes; and how inputs come. */
  readonly schedule: Schedule;
  readonly input: "resident" | "streamed";
  /** Index of the step at which the most activation bytes are alive. */
  readonly peakStep: number;
  readonly steps: readonly StepReport[];
  readonly map: readonly MapEntry[];
}

/**
 * A compiled model for one variant: everything the kernels run. `sram` is copied to address 0 (header, records, resident
 * weights); `flash` is what fetch records read. `operands` names the value behind every operand of every record, so that
 * the checker can tell two tensors at one address apart: see plan/verify.ts.
 */
export interface Image {
  readonly variant: Variant;
  readonly sram: Uint8Array;
  readonly flash: Uint8Array;
  readonly operands: Int32Array;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly states: readonly State[];
  readonly report: Report;
}

/**
 * Proves an image before it is run: sections, ports, and every record by replay, with at most `maxWork` steps of it.
 * @throws ExecutionError with what is wrong and where
 * @throws InputError `not-an-image`: no image at all
 */
export function verifyImage(image: Image, maxWork = Infinity): void {
  requireImage("verifyImage", image);
  const header = new DataView(image.sram.buffer, image.sram.byteOffset, image.sram.byteLength);
  const ramBytes = image.sram.length >= 4 * Header.words ? header.getUint32(4 * Header.ramBytes, true) : 0;
  if (ramBytes !== image.report.ramBytes)
    throw damaged(`the plan needs ${ramBytes} bytes, the report states otherwise`);
  for (const { name, storedType, address } of [...image.inputs, ...image.outputs]) {
    if (address % PORT_BYTES[storedType] !== 0) throw damaged(`port "${name}" is at address ${address}`);
  }
  verifyPlan(planToVerify(image), maxWork);
  verifySteps(image);
}

/** What the checker proves of an image. */
export function planToVerify(image: Image): PlanToVerify {
  const { variant, sram, flash, operands, inputs, outputs } = image;
  const value = (port: Port): ValueRange => ({
    id: port.value,
    address: port.address,
    bytes: portBytes(port),
  });
  return {
    variant,
    sram,
    flashBytes: flash.length,
    operands,
    inputRows: inputs.map((port) =>
      port.rows === undefined ? undefined : { rows: port.rows, rowBytes: portBytes(port) / port.rows },
    ),
    initial: inputs.filter(({ rows }) => rows === undefined).map(value),
    final: outputs.map(value),
    states: image.states.map(({ value: id, address, bytes }) => ({ id, address, bytes })),
  };
}

/** What a trace relies on: steps end where a record begins, one after another, and leave their tensors in memory. */
function verifySteps({ sram, report: { steps, ramBytes } }: Image): void {
  const starts = new Set([...planRecords(sram)].map(({ address }) => address));
  let last = 0;
  for (const { endRecord, outputs } of steps) {
    if (!starts.has(endRecord) || endRecord < last) throw damaged(`a step ends at address ${endRecord}`);
    last = endRecord;
    for (const { address, bytes, pixels = { bytes, step: bytes } } of outputs) {
      const span = bytes === 0 ? 0 : (bytes / pixels.bytes - 1) * pixels.step + pixels.bytes;
      if (address + span > ramBytes) throw damaged(`a step's output ends at address ${address + span}`);
    }
  }
}

/** Bytes of a port's value in linear memory. */
export function portBytes(port: Port): number {
  return elementCount(port.shape) * PORT_BYTES[port.storedType];
}

/** The error of an image that is not what it says. */
export function damaged(what: string): ExecutionError {
  return new ExecutionError("image-damaged", `${what}; compile the model again`);
}

/** @throws InputError unless it has an image's parts, which are then checked one by one */
export function requireImage(caller: string, image: unknown): void {
  const isArray = (part: string): boolean => isRecord(image) && ArrayBuffer.isView(image[part]);
  const isList = (part: string): boolean => isRecord(image) && Array.isArray(image[part]);
  const hasArrays = ["sram", "flash", "operands"].every(isArray);
  if (
    hasArrays &&
    ["inputs", "outputs", "states"].every(isList) &&
    isRecord(image) &&
    isRecord(image["report"])
  )
    return;
  throw new InputError(
    "not-an-image",
    `${caller} takes an image, which \`compile\` makes of a model and \`decodeImage\` of a .thimble file`,
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
