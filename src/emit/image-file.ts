/** Images as the bytes of `.thimble` files. */
import { ExecutionError, InputError } from "../errors.ts";
import { requireBytes } from "../given/bytes.ts";
import { crc32 } from "../plan/crc32.ts";
import { PLAN_VERSION } from "../plan/format.ts";
import { latin1 } from "../plan/latin1.ts";
import { align } from "../plan/packing.ts";
import { encodePortTable } from "../plan/port-table.ts";
import { isPortType } from "../plan/port-type.ts";
import { elementCount } from "../plan/shape.ts";
import type { Variant } from "../plan/variant.ts";
import { VARIANTS } from "../plan/variant.ts";
import type { Image, Port, Report, State } from "./image.ts";
import { damaged, isRecord, requireImage, verifyImage } from "./image.ts";

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

/** @throws InputError `not-an-image`: bytes that begin otherwise */
export function requireImageFile(bytes: Uint8Array, name: string): void {
  if (isImageFile(bytes)) return;
  throw new InputError(
    "not-an-image",
    `${name} is not a .thimble image; compile the model first, or load it with \`load\` of "thimble"`,
  );
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
 * @throws InputError `bytes`: no bytes at all; `not-an-image`: those of something else
 */
export function decodeImage(file: Uint8Array | ArrayBuffer): Image {
  // A plain view: the slice of Node's Buffer, a subclass, would not copy.
  const bytes = requireBytes("decodeImage", file);
  const head = 4 * FileHeader.words;
  requireImageFile(bytes, "what was given to decodeImage");
  if (bytes.length < head) throw damaged("this is not a whole .thimble file");
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

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

/** Rows that a shape can be cut into. */
function isRowCount(rows: unknown, shape: readonly number[]): boolean {
  const elements = elementCount(shape);
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
  const elements = elementCount(shape);
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
