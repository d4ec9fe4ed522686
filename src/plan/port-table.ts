import { elementCount } from "./shape.ts";
import type { PortType } from "./port-type.ts";

/**
 * A model's inputs, outputs and states as 32-bit words, for hosts that read no JSON: the numbers of inputs, outputs and states, then
 * `PortWord.words` for each input and each output in the model's order, then address, bytes
 * and the value of every byte before the first run of each state.
 */

/** Words of one port; examples/mcu/thimble.h has the same. */
export enum PortWord {
  /** Of the model's values: an index of PORT_TYPES. */
  type = 0,
  /** Of the values in linear memory: int8 where the host converts a float port. */
  storedType = 1,
  address = 2,
  /** Number of values. */
  length = 3,
  /** Set where the input has no place in memory (address 0) but comes in so many equal rows; otherwise 0. */
  rows = 4,
  /** The float32 scale's bit pattern. */
  scaleBits = 5,
  zeroPoint = 6,
  words = 7,
}

/** Types by their number in the table; it may grow at the end. */
const PORT_TYPES: readonly PortType[] = ["int8", "float32", "uint8", "int16", "int32", "bool"];

/** What the table says of a port. */
export interface TablePort {
  readonly shape: readonly number[];
  readonly type: PortType;
  readonly storedType: PortType;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly address: number;
  readonly rows?: number;
}

/** What the table says of a state. */
export interface TableState {
  readonly address: number;
  readonly bytes: number;
  readonly initialByte: number;
}

export function encodePortTable(
  inputs: readonly TablePort[],
  outputs: readonly TablePort[],
  states: readonly TableState[],
): Uint8Array {
  const ports = [...inputs, ...outputs].flatMap((port) => {
    const words = new Int32Array(PortWord.words);
    words[PortWord.type] = PORT_TYPES.indexOf(port.type);
    words[PortWord.storedType] = PORT_TYPES.indexOf(port.storedType);
    words[PortWord.address] = port.address;
    words[PortWord.length] = elementCount(port.shape);
    words[PortWord.rows] = port.rows ?? 0;
    new Float32Array(words.buffer)[PortWord.scaleBits] = port.scale;
    words[PortWord.zeroPoint] = port.zeroPoint;
    return [...words];
  });
  const filled = states.flatMap(({ address, bytes, initialByte }) => [address, bytes, initialByte]);
  return new Uint8Array(
    Int32Array.of(inputs.length, outputs.length, states.length, ...ports, ...filled).buffer,
  );
}
