import { ExecutionError, InputError } from "../errors.ts";
import { requireBytes } from "../given/bytes.ts";
import type { ElementType } from "../graph/graph.ts";
import { crc32 } from "../plan/crc32.ts";
import { Head, Header, PLAN_VERSION } from "../plan/format.ts";
import { latin1 } from "../plan/latin1.ts";
import { align } from "../plan/packing.ts";
import { encodePortTable } from "../plan/port-table.ts";
import type { PortType } from "../plan/port-type.ts";
import { isPortType, PORT_BYTES } from "../plan/port-type.ts";
import { decodeRecord } from "../plan/record.ts";
import type { Schedule } from "../plan/schedule.ts";
import type { Variant } from "../plan/variant.ts";
import { VARIANTS } from "../plan/variant.ts";
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
  const planBytes = new DataView(sram.buffer, sram.byteOffset).getUint32(4 * Header.planBytes, true);
  const words = new Int32Array(new Uint8Array(sram.subarray(0, planBytes)).buffer);
  const starts = new Set<number>();
  // The plan is proved: its records are known and end.
  for (let at: number = Header.words, op = ""; op !== "end"; at += words[at + Head.words] ?? 0) {
    starts.add(4 * at);
    op = decodeRecord(words, at)?.op ?? "end";
  }
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
function portBytes(port: Port): number {
  return port.shape.reduce((a, b) => a * b, 1) * PORT_BYTES[port.storedType];
}

function damaged(what: string): ExecutionError {
  return new ExecutionError("image-damaged", `${what}; compile the model again`);
}

/** @throws InputError unless it has an image's parts, which are then checked one by one */
function requireImage(caller: string, image: unknown): void {
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

/** First word of an image file: "THIM", little-endian. */
const FILE_MAGIC = 0x4d494854;

/** Words of the file header; sections follow in this order, each 16-byte aligned. */
enum FileHeader {
  magic = 0,
  version = 1,
  variant = 2,
  /** CRC-32 of everything behind this word; what is before it is compared with what is known. */
  crc = 3,
  metadataBytes = 4,
  sramBytes = 5,
  flashBytes = 6,
  operandBytes = 7,
  portTableBytes = 8,
  /** Up to the first section's alignment. */
  words = 12,
}

const CHECKED_FROM = 4 * (FileHeader.crc + 1);

/** Steps of the check that any file, and each byte of it, pays for: many times what the largest plans take. */
const MIN_WORK = 1 << 20;
const WORK_PER_BYTE = 4;

/** Whether these bytes begin as an image file does. */
export function isImageFile(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === FILE_MAGIC;
}

/**
 * The image as the bytes of a `.thimble` file.
 * @throws InputError `not-an-image`
 */
export function encodeImage(image: Image): Uint8Array {
  requireImage("encodeImage", image);
  const { inputs, outputs, states, report } = image;
  const metadata = asciiBytes(JSON.stringify({ inputs, outputs, states, report }));
  const operands = new Uint8Array(
    image.operands.buffer,
    image.operands.byteOffset,
    image.operands.byteLength,
  );
  const sections = [metadata, image.sram, image.flash, operands, encodePortTable(inputs, outputs, states)];
  const head = 4 * FileHeader.words;
  const file = new Uint8Array(sections.reduce((size, section) => size + align(section.length, 16), head));
  let at = head;
  for (const section of sections) {
    file.set(section, at);
    at += align(section.length, 16);
  }
  const words = new Uint32Array(FileHeader.words);
  words[FileHeader.magic] = FILE_MAGIC;
  words[FileHeader.version] = PLAN_VERSION;
  words[FileHeader.variant] = VARIANTS.indexOf(image.variant);
  words.set(
    sections.map((section) => section.length),
    FileHeader.metadataBytes,
  );
  file.set(new Uint8Array(words.buffer));
  new DataView(file.buffer).setUint32(4 * FileHeader.crc, crc32(file.subarray(CHECKED_FROM)), true);
  return file;
}

/**
 * Reads a `.thimble` file. The file is not trusted: the image is verified like a model.
 * @throws ExecutionError a file that is cut, changed, of another version, or whose plan does not hold
 * @throws InputError `bytes`: no bytes at all
 */
export function decodeImage(file: Uint8Array | ArrayBuffer): Image {
  // A plain view: the slice of Node's Buffer, a subclass, would not copy.
  const bytes = requireBytes("decodeImage", file);
  const head = 4 * FileHeader.words;
  if (!isImageFile(bytes) || bytes.length < head) throw damaged("this is not a whole .thimble file");
  const words = new Uint32Array(bytes.slice(0, head).buffer);
  const word = (index: FileHeader): number => words[index] ?? 0;
  if (word(FileHeader.version) !== PLAN_VERSION) {
    throw new ExecutionError(
      "image-version",
      `the image is of plan version ${word(FileHeader.version)}, this thimble reads ${PLAN_VERSION}; compile the model again`,
    );
  }
  const variant = VARIANTS[word(FileHeader.variant)];
  if (variant === undefined) throw damaged(`the image names variant ${word(FileHeader.variant)}`);
  const lengths = [
    FileHeader.metadataBytes,
    FileHeader.sramBytes,
    FileHeader.flashBytes,
    FileHeader.operandBytes,
    FileHeader.portTableBytes,
  ];
  let at = head;
  const ranges = lengths.map((index) => {
    const begin = at;
    at += align(word(index), 16);
    return { begin, end: begin + word(index) };
  });
  if (at !== bytes.length)
    throw damaged(`the image's sections take ${at} bytes, the file has ${bytes.length}`);
  if (crc32(bytes.subarray(CHECKED_FROM)) !== word(FileHeader.crc))
    throw damaged("the image's checksum is wrong: it was not copied whole, or has been changed");
  const [metadata, sram, flash, operands, ports] = ranges.map(({ begin, end }) => bytes.slice(begin, end));
  if (
    metadata === undefined ||
    sram === undefined ||
    flash === undefined ||
    operands === undefined ||
    ports === undefined
  ) {
    throw damaged("the image lacks a section");
  }
  const { inputs, outputs, states, report } = readMetadata(metadata, variant);
  const table = encodePortTable(inputs, outputs, states);
  if (table.length !== ports.length || table.some((byte, i) => byte !== ports[i]))
    throw damaged("the image's table of inputs and outputs is not that of its description");
  const operandIds = new Int32Array(operands.buffer, 0, operands.length >> 2);
  const image = { variant, sram, flash, operands: operandIds, inputs, outputs, states, report };
  verifyImage(image, MIN_WORK + WORK_PER_BYTE * bytes.length);
  return image;
}

function readMetadata(
  bytes: Uint8Array,
  variant: Variant,
): Pick<Image, "inputs" | "outputs" | "states" | "report"> {
  let value: unknown;
  try {
    value = JSON.parse(latin1(bytes));
  } catch {
    throw damaged("the image's description is not JSON");
  }
  if (!isRecord(value) || !isRecord(value["report"]) || value["report"]["variant"] !== variant) {
    throw damaged("the image's description lacks its report");
  }
  const { inputs, outputs, states } = value;
  if (
    !Array.isArray(inputs) ||
    !inputs.every(isPort) ||
    !Array.isArray(outputs) ||
    !outputs.every(isOutput)
  ) {
    throw damaged("the image's description of inputs and outputs is wrong");
  }
  if (!Array.isArray(states) || !states.every(isState)) {
    throw damaged("the image's description of its states is wrong");
  }
  const { report } = value;
  if (!isReport(report)) throw damaged("the image's report is wrong");
  return { inputs, outputs, states, report };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

/** Rows that a shape can be cut into. */
function isRowCount(rows: unknown, shape: readonly number[]): boolean {
  const elements = shape.reduce((a, b) => a * b, 1);
  return isSize(rows) && rows > 0 && elements > 0 && elements < 2 ** 31 && elements % rows === 0;
}

function isPort(value: unknown): value is Port {
  return (
    isRecord(value) &&
    typeof value["name"] === "string" &&
    Array.isArray(value["shape"]) &&
    value["shape"].every(isSize) &&
    isPortType(value["type"]) &&
    isPortType(value["storedType"]) &&
    (value["storedType"] === value["type"] ||
      (value["storedType"] === "int8" && value["type"] === "float32")) &&
    typeof value["scale"] === "number" &&
    typeof value["zeroPoint"] === "number" &&
    isSize(value["address"]) &&
    Number.isInteger(value["value"]) &&
    (value["rows"] === undefined || (value["address"] === 0 && isRowCount(value["rows"], value["shape"])))
  );
}

/** Outputs have their place in memory. */
function isOutput(value: unknown): value is Port {
  return isPort(value) && value.rows === undefined;
}

function isState(value: unknown): value is State {
  return (
    isRecord(value) &&
    typeof value["name"] === "string" &&
    isSize(value["address"]) &&
    isSize(value["bytes"]) &&
    isSize(value["value"]) &&
    isSize(value["initialByte"]) &&
    value["initialByte"] < 256
  );
}

/** What the runtime itself uses of a report; the rest is only shown. */
function isReport(value: Record<string, unknown>): value is Record<string, unknown> & Report {
  return (
    typeof value["model"] === "string" &&
    isSize(value["ramBytes"]) &&
    Array.isArray(value["steps"]) &&
    value["steps"].every(
      (step: unknown) =>
        isRecord(step) &&
        isSize(step["endRecord"]) &&
        Array.isArray(step["outputs"]) &&
        step["outputs"].every(isTraced),
    )
  );
}

function isTraced(tensor: unknown): boolean {
  if (!isRecord(tensor) || !isSize(tensor["address"]) || !isSize(tensor["bytes"])) return false;
  const { bytes, pixels, shape, constants } = tensor;
  if (constants !== undefined && !(tensor["type"] === "int8" && areConstants(constants, shape, bytes)))
    return false;
  if (pixels === undefined) return true;
  if (!isRecord(pixels) || !isSize(pixels["bytes"]) || !isSize(pixels["step"])) return false;
  return pixels["bytes"] > 0 && pixels["step"] >= pixels["bytes"] && bytes % pixels["bytes"] === 0;
}

/** Elements of a tensor that a trace puts together: more than any that a model has. */
const MAX_TRACED = 2 ** 28;

/** Whether these channels and those in memory, `bytes` in all, make up the tensor. */
function areConstants(constants: unknown, shape: unknown, bytes: number): boolean {
  if (!Array.isArray(shape) || !shape.every(isSize) || !Array.isArray(constants)) return false;
  const channels = shape.at(-1) ?? 0;
  let last = -1;
  for (const entry of constants as unknown[]) {
    const [channel, value] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (!isSize(channel) || channel <= last || channel >= channels) return false;
    if (!Number.isInteger(value) || (value as number) < -128 || (value as number) > 127) return false;
    last = channel;
  }
  const left = channels - constants.length;
  const elements = shape.reduce((a, b) => a * b, 1);
  return left > 0 && elements <= MAX_TRACED && bytes === (elements / channels) * left;
}

/** ASCII without TextEncoder, which audio worklets lack; other characters as JSON escapes. */
export function asciiBytes(json: string): Uint8Array {
  const escaped = json.replace(
    /[\u0080-\uffff]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
  return Uint8Array.from({ length: escaped.length }, (_, i) => escaped.charCodeAt(i));
}
