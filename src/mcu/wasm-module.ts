import { latin1 } from "../plan/latin1.ts";

/**
 * WebAssembly modules as far as the `mcu` kernels use them: types, imported and own functions, one memory, exported functions, data.
 * Reference: WebAssembly core specification 2.0, binary format.
 */
export interface WasmModule {
  readonly types: readonly WasmType[];
  readonly imports: readonly WasmImport[];
  readonly functions: readonly WasmFunction[];
  /** Pages of the one memory; it does not grow. */
  readonly pages: number;
  /** Exported functions by name. */
  readonly exports: ReadonlyMap<string, number>;
  readonly data: readonly WasmData[];
  readonly custom: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Value types of parameters and results, as the binary format numbers them. */
export interface WasmType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

/** An imported function. Imported functions have the first indices. */
export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}

export interface WasmFunction {
  readonly type: number;
  /** Declarations of locals, and instructions up to the last `end`. */
  readonly body: Uint8Array;
}

/** A data segment: active ones lie in memory from an address on, others wait for `memory.init`. */
export interface WasmData {
  readonly address?: number;
  readonly bytes: Uint8Array;
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Sections by number, in the order of the file where they have one. */
const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  memory: 5,
  export: 7,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** Reads bytes one after the other. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new RangeError("the module ends within a section");
    return byte;
  }

  /** An unsigned LEB128 number below 2^32. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(count: number): Uint8Array {
    this.at += count;
    if (this.at > this.bytes.length) throw new RangeError("the module ends within a section");
    return this.bytes.subarray(this.at - count, this.at);
  }

  name(): string {
    return latin1(this.take(this.unsigned()));
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.unsigned() }, read);
  }
}

/**
 * @throws RangeError the bytes are not what the kernels' compiler writes
 */
export function readModule(bytes: Uint8Array): WasmModule {
  const reader = new Reader(bytes);
  if (MAGIC.some((byte) => reader.byte() !== byte)) throw new RangeError("this is not a WebAssembly module");
  let types: WasmType[] = [];
  let imports: WasmImport[] = [];
  let functionTypes: number[] = [];
  let bodies: Uint8Array[] = [];
  let pages = 0;
  const exports = new Map<string, number>();
  while (!reader.ended) {
    const id = reader.byte();
    const section = new Reader(reader.take(reader.unsigned()));
    if (id === SECTION.type) {
      types = section.list(() => {
        section.byte();
        return {
          parameters: section.list(() => section.byte()),
          results: section.list(() => section.byte()),
        };
      });
    } else if (id === SECTION.import) {
      imports = section.list(() => {
        const [module, name] = [section.name(), section.name()];
        if (section.byte() !== 0) throw new RangeError(`import "${name}" is no function`);
        return { module, name, type: section.unsigned() };
      });
    } else if (id === SECTION.function) {
      functionTypes = section.list(() => section.unsigned());
    } else if (id === SECTION.memory) {
      [pages = 0] = section.list(() => {
        const bounded = section.byte() === 1;
        const initial = section.unsigned();
        if (bounded) section.unsigned();
        return initial;
      });
    } else if (id === SECTION.export) {
      section.list(() => {
        const [name, kind, index] = [section.name(), section.byte(), section.unsigned()];
        if (kind === 0) exports.set(name, index);
      });
    } else if (id === SECTION.code) {
      bodies = section.list(() => section.take(section.unsigned()));
    } else if (id !== SECTION.custom) {
      throw new RangeError(`the kernels have a section ${id}, which they must not`);
    }
  }
  const functions = functionTypes.map((type, i) => ({ type, body: bodies[i] ?? new Uint8Array(0) }));
  return { types, imports, functions, pages, exports, data: [], custom: [] };
}

export function writeModule(module: WasmModule): Uint8Array<ArrayBuffer> {
  const { types, imports, functions, pages, exports, data, custom } = module;
  const passive = data.some(({ address }) => address === undefined);
  return Uint8Array.from([
    ...MAGIC,
    ...section(
      SECTION.type,
      list(types, ({ parameters, results }) => [
        0x60,
        ...list(parameters, (type) => [type]),
        ...list(results, (type) => [type]),
      ]),
    ),
    ...section(
      SECTION.import,
      list(imports, ({ module, name, type }) => [...text(module), ...text(name), 0, ...unsigned(type)]),
    ),
    ...section(
      SECTION.function,
      list(functions, ({ type }) => unsigned(type)),
    ),
    ...section(SECTION.memory, [1, 1, ...unsigned(pages), ...unsigned(pages)]),
    ...section(SECTION.export, [
      ...unsigned(exports.size + 1),
      ...[...exports].flatMap(([name, index]) => [...text(name), 0, ...unsigned(index)]),
      ...[...text("memory"), 2, 0],
    ]),
    ...(passive ? section(SECTION.dataCount, unsigned(data.length)) : []),
    ...section(
      SECTION.code,
      list(functions, ({ body }) => [...unsigned(body.length), ...body]),
    ),
    ...(data.length > 0
      ? section(
          SECTION.data,
          list(data, ({ address, bytes }) => [
            // An active segment's address: i32.const, end.
            ...(address === undefined ? [1] : [0, 0x41, ...signed(address), 0x0b]),
            ...unsigned(bytes.length),
            ...bytes,
          ]),
        )
      : []),
    ...custom.flatMap(({ name, bytes }) => section(SECTION.custom, [...text(name), ...bytes])),
  ]);
}

/** LEB128. */
export function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(Math.floor(value / 0x80))];
}

/** Signed LEB128 of a number ≥ 0: bit 6 of the last byte is its sign. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(Math.floor(value / 0x80))];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function list<T>(items: readonly T[], write: (item: T) => readonly number[]): number[] {
  return [...unsigned(items.length), ...items.flatMap(write)];
}

function text(value: string): number[] {
  return [...unsigned(value.length), ...Array.from(value, (character) => character.charCodeAt(0))];
}
