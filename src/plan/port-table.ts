/**
 * A model's inputs and outputs as 32-bit words, for hosts that read no JSON: the number of inputs, the number of outputs, then
 * `PortWord.words` for each input and each output in the model's order.
 */

/** Words of one port; examples/mcu/thimble.h has the same. */
export enum PortWord {
  /** Of the model's values: 0 int8, 1 float32. */
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

/** What the table says of a port. */
export interface TablePort {
  readonly shape: readonly number[];
  readonly type: string;
  readonly storedType: string;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly address: number;
  readonly rows?: number;
}

export function encodePortTable(inputs: readonly TablePort[], outputs: readonly TablePort[]): Uint8Array {
  const ports = [...inputs, ...outputs].flatMap((port) => {
    const words = new Int32Array(PortWord.words);
    words[PortWord.type] = typeCode(port.type);
    words[PortWord.storedType] = typeCode(port.storedType);
    words[PortWord.address] = port.address;
    words[PortWord.length] = port.shape.reduce((a, b) => a * b, 1);
    words[PortWord.rows] = port.rows ?? 0;
    new Float32Array(words.buffer)[PortWord.scaleBits] = port.scale;
    words[PortWord.zeroPoint] = port.zeroPoint;
    return [...words];
  });
  return new Uint8Array(Int32Array.of(inputs.length, outputs.length, ...ports).buffer);
}

function typeCode(type: string): number {
  return type === "float32" ? 1 : 0;
}
