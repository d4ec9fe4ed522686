/** The value of a field of a table. A table is its fields by id; `undefined` leaves the schema's default. */
export type Field =
  | { readonly byte: number }
  | { readonly bool: boolean }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly ints: readonly number[] }
  /** Whole numbers, written as int64. */
  | { readonly longs: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly table: Fields }
  | { readonly tables: readonly Fields[] }
  | undefined;

export type Fields = readonly Field[];

/** Constants of models are read in place, as vectors of whatever type: so much is every byte vector aligned. */
const DATA_ALIGNMENT = 16;

/**
 * A FlatBuffers file of a root table. What a table points to follows it, so that every offset is written before its target:
 * first as 0, then as the distance. Equal vtables are shared. Format: FlatBuffers internals, "Encoding".
 */
export function encodeFlatBuffer(root: Fields, identifier: string): Uint8Array {
  const buffer = new GrowingBuffer();
  buffer.reserve(8, 4);
  for (let i = 0; i < 4; i++) buffer.view.setUint8(4 + i, identifier.charCodeAt(i));
  pointTo(buffer, 0, writeTable(buffer, root));
  return buffer.bytes();
}

/** Bytes that are appended to; what is reserved is zero. */
class GrowingBuffer {
  view = new DataView(new ArrayBuffer(1024));
  #length = 0;

  /** Address of `size` new bytes; `ahead` bytes from there on it is a multiple of `alignment`. */
  reserve(size: number, alignment: number, ahead = 0): number {
    const at = Math.ceil((this.#length + ahead) / alignment) * alignment - ahead;
    this.#length = at + size;
    if (this.#length > this.view.byteLength) {
      const grown = new Uint8Array(2 * this.#length);
      grown.set(new Uint8Array(this.view.buffer));
      this.view = new DataView(grown.buffer);
    }
    return at;
  }

  copy(source: Uint8Array, at: number): void {
    new Uint8Array(this.view.buffer).set(source, at);
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.view.buffer).slice(0, this.#length);
  }

  readonly vtables = new Map<string, number>();
}

function pointTo(buffer: GrowingBuffer, from: number, target: number): void {
  buffer.view.setUint32(from, target - from, true);
}

function isSmall(field: Exclude<Field, undefined>): boolean {
  return "byte" in field || "bool" in field;
}

/** Four bytes of distance to the vtable, the fields of four bytes, those of one. */
function writeTable(buffer: GrowingBuffer, fields: Fields): number {
  const offsets = fields.map(() => 0);
  let size = 4;
  for (const small of [false, true]) {
    for (const [id, field] of fields.entries()) {
      if (field === undefined || isSmall(field) !== small) continue;
      offsets[id] = size;
      size += small ? 1 : 4;
    }
  }
  const vtable = writeVtable(buffer, offsets, size);
  const at = buffer.reserve(size, 4);
  buffer.view.setInt32(at, at - vtable, true);
  for (const [id, field] of fields.entries()) {
    if (field !== undefined) writeField(buffer, at + (offsets[id] ?? 0), field);
  }
  return at;
}

function writeVtable(buffer: GrowingBuffer, offsets: readonly number[], tableBytes: number): number {
  const words = [4 + 2 * offsets.length, tableBytes, ...offsets];
  const key = words.join();
  const known = buffer.vtables.get(key);
  if (known !== undefined) return known;
  const at = buffer.reserve(2 * words.length, 2);
  for (const [i, word] of words.entries()) buffer.view.setUint16(at + 2 * i, word, true);
  buffer.vtables.set(key, at);
  return at;
}

function writeField(buffer: GrowingBuffer, at: number, field: Exclude<Field, undefined>): void {
  if ("byte" in field) buffer.view.setUint8(at, field.byte);
  else if ("bool" in field) buffer.view.setUint8(at, field.bool ? 1 : 0);
  else if ("int" in field) buffer.view.setInt32(at, field.int, true);
  else if ("float" in field) buffer.view.setFloat32(at, field.float, true);
  else if ("table" in field) pointTo(buffer, at, writeTable(buffer, field.table));
  else pointTo(buffer, at, writeVector(buffer, field));
}

type Vector = Extract<
  Field,
  | { text: string }
  | { bytes: unknown }
  | { ints: unknown }
  | { longs: unknown }
  | { floats: unknown }
  | { tables: unknown }
>;

/** The number of elements in four bytes, then the elements. */
function writeVector(buffer: GrowingBuffer, field: Vector): number {
  if ("text" in field) {
    const utf8 = new TextEncoder().encode(field.text);
    // Strings end in a zero that their length does not count.
    const at = reserveVector(buffer, utf8.length, 1, 4, 1);
    buffer.copy(utf8, at + 4);
    return at;
  }
  if ("bytes" in field) {
    const at = reserveVector(buffer, field.bytes.length, 1, DATA_ALIGNMENT);
    buffer.copy(field.bytes, at + 4);
    return at;
  }
  if ("tables" in field) {
    const at = reserveVector(buffer, field.tables.length, 4);
    for (const [i, fields] of field.tables.entries())
      pointTo(buffer, at + 4 + 4 * i, writeTable(buffer, fields));
    return at;
  }
  if ("longs" in field) {
    const at = reserveVector(buffer, field.longs.length, 8);
    for (const [i, value] of field.longs.entries())
      buffer.view.setBigInt64(at + 4 + 8 * i, BigInt(value), true);
    return at;
  }
  const values = "ints" in field ? field.ints : field.floats;
  const at = reserveVector(buffer, values.length, 4);
  for (const [i, value] of values.entries()) {
    if ("ints" in field) buffer.view.setInt32(at + 4 + 4 * i, value, true);
    else buffer.view.setFloat32(at + 4 + 4 * i, value, true);
  }
  return at;
}

function reserveVector(
  buffer: GrowingBuffer,
  length: number,
  size: number,
  alignment = size,
  end = 0,
): number {
  const at = buffer.reserve(4 + length * size + end, Math.max(alignment, 4), 4);
  buffer.view.setUint32(at, length, true);
  return at;
}
