import { align } from "../plan/packing.ts";
import type { PlanRecord } from "../plan/record.ts";
import { encodeRecord } from "../plan/record.ts";
import { operandNames } from "../plan/steps.ts";

/** Collects what is read from flash. */
export class FlashWriter {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  /** Returns where the bytes begin. */
  append(bytes: Uint8Array): number {
    const source = this.length;
    this.#parts.push(bytes);
    this.length += bytes.length;
    return source;
  }

  bytes(): Uint8Array {
    const whole = new Uint8Array(align(this.length, 16));
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** Appends records to the plan, and their operands' value ids to the table that the checker reads. */
export class RecordWriter {
  readonly operands: number[] = [];
  readonly #sram: Uint8Array;
  address: number;

  constructor(sram: Uint8Array, address: number) {
    this.#sram = sram;
    this.address = address;
  }

  write(record: PlanRecord, idOf: (operand: string) => number): void {
    const words = encodeRecord(record);
    this.#sram.set(new Uint8Array(words.buffer), this.address);
    this.address += words.byteLength;
    for (const operand of operandNames(record.op)) this.operands.push(idOf(operand));
  }
}
