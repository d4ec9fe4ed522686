import { ModelError } from "../errors.ts";
import { latin1 } from "../plan/latin1.ts";

/**
 * A FlatBuffers reader for files that nobody vouches for: every offset, vtable, length and string is checked before it is
 * followed, and the elements read in all are bounded by the file's size, so that vectors that share their contents cannot
 * multiply work. Format: FlatBuffers internals, "Encoding".
 */
export class FlatBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #work: number;

  constructor(bytes: Uint8Array) {
    // A plain view: the slice of Node's Buffer, a subclass, would not copy.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#work = 16 * bytes.length + 4096;
  }

  /** The root table. */
  root(): Table {
    this.need(0, 8, "the file");
    return new Table(this, this.offsetAt(0, "the file"), "model");
  }

  /** @throws ModelError unless `size` bytes at `at` are inside the file */
  need(at: number, size: number, path: string): void {
    if (at < 0 || size < 0 || at + size > this.bytes.length) {
      throw new ModelError(
        "flatbuffer-bounds",
        `${path} lies at bytes ${at} to ${at + size} of a file of ${this.bytes.length}; ` +
          "the file is cut short or damaged: copy or export it again",
      );
    }
  }

  /** Follows the unsigned offset at `at`. Tables and vectors are 4-byte aligned. */
  offsetAt(at: number, path: string): number {
    this.need(at, 4, path);
    const target = at + this.view.getUint32(at, true);
    if (target % 4 !== 0) {
      throw new ModelError(
        "flatbuffer-alignment",
        `${path} points to byte ${target}, which is not a multiple of 4; the file is damaged: export it again`,
      );
    }
    this.need(target, 4, path);
    return target;
  }

  /** Counts elements read. */
  spend(elements: number, path: string): void {
    this.#work -= elements;
    if (this.#work < 0) {
      throw new ModelError(
        "flatbuffer-work",
        `${path}: the file's vectors repeat each other more often than its ${this.bytes.length} bytes justify; ` +
          "it is damaged or hostile: export it again",
      );
    }
  }
}

/** One table; `path` names it in messages. */
export class Table {
  readonly path: string;
  readonly #buffer: FlatBuffer;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;
  readonly #tableBytes: number;

  constructor(buffer: FlatBuffer, at: number, path: string) {
    buffer.need(at, 4, path);
    buffer.spend(1, path);
    this.path = path;
    this.#buffer = buffer;
    this.#at = at;
    this.#vtable = at - buffer.view.getInt32(at, true);
    buffer.need(this.#vtable, 4, `${path} (vtable)`);
    this.#vtableBytes = buffer.view.getUint16(this.#vtable, true);
    this.#tableBytes = buffer.view.getUint16(this.#vtable + 2, true);
    if (this.#vtableBytes < 4 || this.#vtableBytes % 2 !== 0 || this.#tableBytes < 4) {
      throw new ModelError(
        "flatbuffer-vtable",
        `${path} has a vtable of ${this.#vtableBytes} bytes for a table of ${this.#tableBytes}; ` +
          "the file is damaged: export it again",
      );
    }
    buffer.need(this.#vtable, this.#vtableBytes, `${path} (vtable)`);
    buffer.need(at, this.#tableBytes, path);
  }

  int(field: number, fallback: number): number {
    const at = this.#fieldAt(field, 4);
    return at === 0 ? fallback : this.#buffer.view.getInt32(at, true);
  }

  uint(field: number, fallback: number): number {
    return this.int(field, fallback) >>> 0;
  }

  byte(field: number, fallback: number): number {
    const at = this.#fieldAt(field, 1);
    return at === 0 ? fallback : this.#buffer.view.getUint8(at);
  }

  bool(field: number, fallback: boolean): boolean {
    return this.byte(field, fallback ? 1 : 0) !== 0;
  }

  float(field: number, fallback: number): number {
    const at = this.#fieldAt(field, 4);
    return at === 0 ? fallback : this.#buffer.view.getFloat32(at, true);
  }

  /** Whether the field is present. */
  has(field: number): boolean {
    return this.#fieldAt(field, 0) !== 0;
  }

  /** The table that the field points to. */
  table(field: number, name: string): Table | undefined {
    const at = this.#fieldAt(field, 4);
    const path = `${this.path}.${name}`;
    return at === 0 ? undefined : new Table(this.#buffer, this.#buffer.offsetAt(at, path), path);
  }

  /** A vector of tables, empty if absent. */
  tables(field: number, name: string): Table[] {
    const path = `${this.path}.${name}`;
    const { at, length } = this.#vector(field, name, 4);
    return Array.from({ length }, (_, i) => {
      const entry = `${path}[${i}]`;
      return new Table(this.#buffer, this.#buffer.offsetAt(at + 4 * i, entry), entry);
    });
  }

  /** A vector of int32, empty if absent. */
  ints(field: number, name: string): number[] {
    const { at, length } = this.#vector(field, name, 4);
    return Array.from({ length }, (_, i) => this.#buffer.view.getInt32(at + 4 * i, true));
  }

  /** A vector of int64 as doubles (rounded beyond 2^53), empty if absent. */
  longs(field: number, name: string): number[] {
    const { at, length } = this.#vector(field, name, 8);
    return Array.from({ length }, (_, i) => Number(this.#buffer.view.getBigInt64(at + 8 * i, true)));
  }

  /** A vector of float32, empty if absent. */
  floats(field: number, name: string): Float32Array {
    const { at, length } = this.#vector(field, name, 4);
    return Float32Array.from({ length }, (_, i) => this.#buffer.view.getFloat32(at + 4 * i, true));
  }

  /** A vector of bytes, uncopied; undefined if absent. */
  bytes(field: number, name: string): Uint8Array | undefined {
    if (!this.has(field)) return undefined;
    const { at, length } = this.#vector(field, name, 1, 0);
    return this.#buffer.bytes.subarray(at, at + length);
  }

  /** A string fit to be shown: see `readableText`. Empty if absent. */
  text(field: number, name: string): string {
    const { at, length } = this.#vector(field, name, 1, 0);
    const shown = Math.min(length, 4 * MAX_TEXT);
    this.#buffer.spend(shown, `${this.path}.${name}`);
    return readableText(this.#buffer.bytes.subarray(at, at + shown));
  }

  /** Address of a field's value, 0 if the table does not have it. */
  #fieldAt(field: number, size: number): number {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#vtableBytes) return 0;
    const offset = this.#buffer.view.getUint16(this.#vtable + slot, true);
    if (offset === 0) return 0;
    if (offset < 4 || offset + size > this.#tableBytes) {
      throw new ModelError(
        "flatbuffer-field",
        `${this.path}: field ${field} lies at byte ${offset} of a table of ${this.#tableBytes}; ` +
          "the file is damaged: export it again",
      );
    }
    return this.#at + offset;
  }

  /** Start and length of a vector of elements of `size` bytes; counts `weight` per element as work. */
  #vector(field: number, name: string, size: number, weight = 1): { at: number; length: number } {
    const fieldAt = this.#fieldAt(field, 4);
    if (fieldAt === 0) return { at: 0, length: 0 };
    const path = `${this.path}.${name}`;
    const at = this.#buffer.offsetAt(fieldAt, path);
    const length = this.#buffer.view.getUint32(at, true);
    this.#buffer.need(at + 4, length * size, path);
    this.#buffer.spend(length * weight, path);
    return { at: at + 4, length };
  }
}

/** Longest name that is kept, in characters. */
const MAX_TEXT = 256;

/**
 * UTF-8 to text that is safe to print: invalid sequences become U+FFFD, control characters (terminal escapes among them)
 * are written as \xNN, and long text is cut. Worklets have no TextDecoder.
 */
export function readableText(bytes: Uint8Array): string {
  if (bytes.length <= MAX_TEXT) {
    // Nearly all names: a loop that runs for the first time is slow.
    const plain = latin1(bytes);
    if (/^[\x20-\x7e]*$/.test(plain)) return plain;
  }
  let text = "";
  let characters = 0;
  for (let i = 0; i < bytes.length; characters++) {
    if (characters === MAX_TEXT) return `${text}…`;
    const first = bytes[i] ?? 0;
    const length =
      first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    let code = length === 1 ? first : first & (0x7f >> length);
    let valid = length > 0 && i + length <= bytes.length;
    for (let j = 1; valid && j < length; j++) {
      const next = bytes[i + j] ?? 0;
      valid = (next & 0xc0) === 0x80;
      code = code * 64 + (next & 0x3f);
    }
    const overlong = (length === 3 && code < 0x800) || (length === 4 && code < 0x10000);
    if (!valid || overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      text += "\ufffd";
      i += 1;
      continue;
    }
    const control = code < 0x20 || (code >= 0x7f && code < 0xa0) || isInvisible(code);
    text += control ? `\\x${code.toString(16).padStart(2, "0")}` : String.fromCodePoint(code);
    i += length;
  }
  return text;
}

/** Line separators and characters that reorder the text around them. */
function isInvisible(code: number): boolean {
  return (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}
