import { planRecords } from "../plan/record.ts";
import { calls, localTypes } from "./instructions.ts";
import { calledBytes } from "./shake.ts";
import type { WasmModule } from "./wasm-module.ts";

/** What wasm3 needs besides the linear memory, estimated. Bytes. */
export interface InterpreterRam {
  /** Its own code for the functions that are called: measured 3.5 bytes for one of WebAssembly. */
  readonly codeBytes: number;
  /** Its value stack, which `m3_NewRuntime` asks for. */
  readonly stackBytes: number;
}

const CODE_GROWTH = 3.5;
/** Slots that a frame takes for operands. */
const OPERAND_SLOTS = 24;
/** wasm3 keeps no more constants than these in slots of the frame (`d_m3MaxConstantTableSize`). */
const MOST_CONSTANT_SLOTS = 120;
const SLOT_BYTES = 4;
/** Opcodes of constants: of int32 and float32, of int64 and float64. */
const NARROW_CONSTANTS = [0x41, 0x43];
const WIDE_CONSTANTS = [0x42, 0x44];
/** int64 and float64 take two slots. */
const WIDE_TYPES = [0x7e, 0x7c];

export function interpreterRam(module: WasmModule, sram: Uint8Array): InterpreterRam {
  return {
    codeBytes: Math.ceil(CODE_GROWTH * calledBytes(module)),
    stackBytes: deepestStack(module, longestStream(sram)),
  };
}

/** Slots that wasm3 reserves for constants: one or two for every byte of the body that could be the opcode of one. */
function constantSlots(body: Uint8Array): number {
  const slots = body.reduce(
    (sum, byte) => sum + (NARROW_CONSTANTS.includes(byte) ? 1 : WIDE_CONSTANTS.includes(byte) ? 2 : 0),
    0,
  );
  return Math.min(slots, MOST_CONSTANT_SLOTS);
}

/** Stages of the plan's longest stream; 0 without streams. */
function longestStream(sram: Uint8Array): number {
  let longest = 0;
  for (const { record } of planRecords(sram)) {
    if (record.op === "stream") longest = Math.max(longest, record.stages);
  }
  return longest;
}

/** The longest chain of calls; functions that call each other (a stream's stages) once per stage. */
function deepestStack({ types, imports, functions, exports }: WasmModule, stages: number): number {
  const frame = (index: number): number => {
    const known = functions[index - imports.length];
    if (known === undefined) return 0;
    const type = types[known.type];
    const values = [...(type?.parameters ?? []), ...(type?.results ?? []), ...localTypes(known.body)];
    const slots = values.reduce((sum, value) => sum + (WIDE_TYPES.includes(value) ? 2 : 1), 0);
    return SLOT_BYTES * (slots + constantSlots(known.body) + OPERAND_SLOTS);
  };
  const path: number[] = [];
  const deepest = (index: number): number => {
    const known = functions[index - imports.length];
    if (known === undefined) return 0;
    if (path.includes(index)) {
      const cycle = path.slice(path.indexOf(index));
      return stages * cycle.reduce((sum, member) => sum + frame(member), 0);
    }
    path.push(index);
    const below = Math.max(0, ...new Set(calls(known.body).map(deepest)));
    path.pop();
    return frame(index) + below;
  };
  return deepest(exports.get("run") ?? NaN);
}
