import { Reader, unsigned } from "./wasm-module.ts";

/** Opcodes that the walk or the shaker tells apart. */
enum Opcode {
  unreachable = 0x00,
  block = 0x02,
  if = 0x04,
  end = 0x0b,
  br = 0x0c,
  brIf = 0x0d,
  brTable = 0x0e,
  call = 0x10,
  localGet = 0x20,
  localTee = 0x22,
  firstLoad = 0x28,
  lastStore = 0x3e,
  memorySize = 0x3f,
  memoryGrow = 0x40,
  i32Const = 0x41,
  i64Const = 0x42,
  f32Const = 0x43,
  f64Const = 0x44,
  prefix = 0xfc,
  memoryInit = 8,
  dataDrop = 9,
  memoryCopy = 10,
  memoryFill = 11,
}

/** A body without locals that traps. */
export const TRAP_BODY = Uint8Array.of(0, Opcode.unreachable, Opcode.end);

/** Body of `(destination, source, bytes) => memory.init segment`. */
export function memoryInitBody(segment: number): Uint8Array {
  const operands = [0, 1, 2].flatMap((local) => [Opcode.localGet, local]);
  return Uint8Array.of(0, ...operands, Opcode.prefix, Opcode.memoryInit, ...unsigned(segment), 0, Opcode.end);
}

/** Number of locals that a body declares besides its parameters. */
export function localCount(body: Uint8Array): number {
  const reader = new Reader(body);
  return reader
    .list(() => {
      const count = reader.unsigned();
      reader.byte();
      return count;
    })
    .reduce((a, b) => a + b, 0);
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
    bytes.push(...body.subarray(copied, begin), Opcode.call, ...unsigned(renumber(callee)));
    copied = end;
  }
  return copied === 0 ? body : Uint8Array.from([...bytes, ...body.subarray(copied)]);
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
    if (opcode === Opcode.call) {
      const callee = reader.unsigned();
      yield { opcode, begin, end: reader.at, callee };
      continue;
    }
    skipImmediates(reader, opcode);
    yield { opcode, begin, end: reader.at };
  }
}

function skipImmediates(reader: Reader, opcode: number): void {
  if (opcode >= Opcode.block && opcode <= Opcode.if) reader.unsigned();
  else if (opcode === Opcode.br || opcode === Opcode.brIf) reader.unsigned();
  else if (opcode === Opcode.brTable) {
    reader.list(() => reader.unsigned());
    reader.unsigned();
  } else if (opcode >= Opcode.localGet && opcode <= Opcode.localTee) reader.unsigned();
  else if (opcode >= Opcode.firstLoad && opcode <= Opcode.lastStore) {
    reader.unsigned();
    reader.unsigned();
  } else if (opcode === Opcode.memorySize || opcode === Opcode.memoryGrow) reader.byte();
  // Signed numbers end where unsigned ones do.
  else if (opcode === Opcode.i32Const || opcode === Opcode.i64Const) reader.unsigned();
  else if (opcode === Opcode.f32Const) reader.take(4);
  else if (opcode === Opcode.f64Const) reader.take(8);
  else if (opcode === Opcode.prefix) skipPrefixed(reader, reader.unsigned());
  else if (opcode > 0xc4 || (opcode > Opcode.call && opcode < 0x1a) || opcode === 0x1c) {
    throw new RangeError(`the kernels have an instruction 0x${opcode.toString(16)}, which they must not`);
  }
}

/** Bulk memory, and the saturating conversions 0 to 7, which have no immediates. */
function skipPrefixed(reader: Reader, opcode: number): void {
  if (opcode === Opcode.memoryInit || opcode === Opcode.memoryCopy) reader.take(2);
  else if (opcode === Opcode.memoryFill || opcode === Opcode.dataDrop) reader.byte();
  else if (opcode > Opcode.memoryFill)
    throw new RangeError(`the kernels have an instruction 0xfc ${opcode}, which they must not`);
}
