import { Reader, unsigned } from "./wasm-module.ts";

/** Opcodes that the walk or the shaker tells apart. */
export const OPCODE = {
  unreachable: 0x00,
  block: 0x02,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  call: 0x10,
  drop: 0x1a,
  selectTyped: 0x1c,
  localGet: 0x20,
  localTee: 0x22,
  firstLoad: 0x28,
  lastStore: 0x3e,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  lastPlain: 0xc4,
  prefix: 0xfc,
} as const;

/** Behind the prefix; 0 to 7 are saturating conversions. */
const PREFIXED = {
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
} as const;

/** Body of `(destination, source, bytes) => memory.init segment`. */
export function memoryInitBody(segment: number): Uint8Array {
  const operands = [0, 1, 2].flatMap((local) => [OPCODE.localGet, local]);
  return Uint8Array.of(
    0,
    ...operands,
    OPCODE.prefix,
    PREFIXED.memoryInit,
    ...unsigned(segment),
    0,
    OPCODE.end,
  );
}

/** Types of the locals that a body declares besides its parameters, as the binary format numbers them. */
export function localTypes(body: Uint8Array): number[] {
  const reader = new Reader(body);
  return reader
    .list(() => {
      const count = reader.unsigned();
      return new Array<number>(count).fill(reader.byte());
    })
    .flat();
}

/** Functions that a body calls, in order, with repetitions. */
export function calls(body: Uint8Array): number[] {
  const found: number[] = [];
  for (const { callee } of instructions(body)) if (callee !== undefined) found.push(callee);
  return found;
}

/** The body with every called function's index replaced. */
export function renumberCalls(body: Uint8Array, renumber: (callee: number) => number): Uint8Array {
  const bytes: number[] = [];
  let copied = 0;
  for (const { begin, end, callee } of instructions(body)) {
    if (callee === undefined) continue;
    bytes.push(...body.subarray(copied, begin), OPCODE.call, ...unsigned(renumber(callee)));
    copied = end;
  }
  return copied === 0 ? body : Uint8Array.from([...bytes, ...body.subarray(copied)]);
}

/**
 * The body with a trap in place of every call of `unused` functions, without the locals got for it and what would follow
 * up to the end of its block.
 */
export function trapCalls(body: Uint8Array, unused: ReadonlySet<number>): Uint8Array {
  const bytes: number[] = [];
  let copied = 0;
  let operands: number | undefined;
  /** Behind a trap: blocks begun since. */
  let nested: number | undefined;
  for (const { opcode, begin, callee } of instructions(body)) {
    if (nested !== undefined) {
      if (isBlock(opcode)) nested++;
      else if (nested > 0) nested -= Number(opcode === OPCODE.end);
      else if (opcode === OPCODE.end || opcode === OPCODE.else) {
        copied = begin;
        nested = undefined;
      }
    } else if (callee !== undefined && unused.has(callee)) {
      bytes.push(...body.subarray(copied, operands ?? begin), OPCODE.unreachable);
      nested = 0;
    }
    operands = opcode === OPCODE.localGet ? (operands ?? begin) : undefined;
  }
  return copied === 0 ? body : Uint8Array.from([...bytes, ...body.subarray(copied)]);
}

/** Whether an instruction begins a block, a loop or an if. */
export function isBlock(opcode: number): boolean {
  return opcode >= OPCODE.block && opcode <= OPCODE.if;
}

/** An instruction's place in a body, and whom it calls. */
export interface Instruction {
  readonly opcode: number;
  readonly begin: number;
  readonly end: number;
  readonly callee?: number;
}

/**
 * The instructions of a body, behind its locals.
 * @throws RangeError one that the kernels' compiler does not write for `mcu`
 */
export function* instructions(body: Uint8Array): Generator<Instruction, void> {
  const reader = new Reader(body);
  reader.list(() => [reader.unsigned(), reader.byte()]);
  while (!reader.ended) {
    const begin = reader.at;
    const opcode = reader.byte();
    if (opcode === OPCODE.call) {
      const callee = reader.unsigned();
      yield { opcode, begin, end: reader.at, callee };
      continue;
    }
    skipImmediates(reader, opcode);
    yield { opcode, begin, end: reader.at };
  }
}

function skipImmediates(reader: Reader, opcode: number): void {
  if (isBlock(opcode)) reader.unsigned();
  else if (opcode === OPCODE.br || opcode === OPCODE.brIf) reader.unsigned();
  else if (opcode === OPCODE.brTable) {
    reader.list(() => reader.unsigned());
    reader.unsigned();
  } else if (opcode >= OPCODE.localGet && opcode <= OPCODE.localTee) reader.unsigned();
  else if (opcode >= OPCODE.firstLoad && opcode <= OPCODE.lastStore) {
    reader.unsigned();
    reader.unsigned();
  } else if (opcode === OPCODE.memorySize || opcode === OPCODE.memoryGrow) reader.byte();
  // Signed numbers end where unsigned ones do.
  else if (opcode === OPCODE.i32Const || opcode === OPCODE.i64Const) reader.unsigned();
  else if (opcode === OPCODE.f32Const) reader.take(4);
  else if (opcode === OPCODE.f64Const) reader.take(8);
  else if (opcode === OPCODE.prefix) skipPrefixed(reader, reader.unsigned());
  else if (
    opcode > OPCODE.lastPlain ||
    (opcode > OPCODE.call && opcode < OPCODE.drop) ||
    opcode === OPCODE.selectTyped
  ) {
    throw new RangeError(`the kernels have an instruction 0x${opcode.toString(16)}, which they must not`);
  }
}

function skipPrefixed(reader: Reader, opcode: number): void {
  if (opcode === PREFIXED.memoryInit || opcode === PREFIXED.memoryCopy) reader.take(2);
  else if (opcode === PREFIXED.memoryFill || opcode === PREFIXED.dataDrop) reader.byte();
  else if (opcode > PREFIXED.memoryFill)
    throw new RangeError(`the kernels have an instruction 0xfc ${opcode}, which they must not`);
}
