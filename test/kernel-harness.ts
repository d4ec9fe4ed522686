import { instantiateSync } from "@assemblyscript/loader";
import type { PlanRecord } from "../src/plan/record.ts";
import { encodeRecord } from "../src/plan/record.ts";
import type { Variant } from "../src/plan/variant.ts";
import { VARIANTS } from "../src/plan/variant.ts";
import type { KernelExports } from "../src/runtime/instantiate.ts";
import { kernelBytes } from "../src/runtime/kernel-bytes.ts";

const RECORD = 64;

/** One instance of a variant's kernels with memory to play in: tests place operands, run a record, read results. */
export class Kernels {
  readonly variant: Variant;
  readonly exports: KernelExports;
  readonly bytes: Uint8Array;
  flash: Uint8Array = new Uint8Array(0);
  /** Serves input records. */
  inputRow: (input: number, row: number, destination: number) => void = () => undefined;
  #top = 1024;

  constructor(variant: Variant) {
    const module = new WebAssembly.Module(kernelBytes(variant));
    const instance = instantiateSync(module, {
      host: {
        flash_read: (destination: number, source: number, bytes: number) => {
          this.bytes.set(this.flash.subarray(source, source + bytes), destination);
        },
        input_row: (input: number, row: number, destination: number) => {
          this.inputRow(input, row, destination);
        },
      },
    });
    this.variant = variant;
    this.exports = instance.exports as unknown as KernelExports;
    this.exports.memory.grow(127);
    this.bytes = new Uint8Array(this.exports.memory.buffer);
  }

  /** Forgets all operands. Filled with a pattern, so that what a kernel should have written cannot be right by luck. */
  reset(): void {
    this.bytes.fill(0xa5, 0, this.#top + 64);
    this.#top = 1024;
  }

  /** Reserves bytes, 16-aligned, with a guard gap behind. */
  allocate(bytes: number): number {
    const address = this.#top;
    this.#top = (address + bytes + 64 + 15) & ~15;
    return address;
  }

  /** Places int8 activations in the variant's storage form. */
  placeActivations(values: Int8Array): number {
    const address = this.allocate(values.length);
    this.writeActivations(address, values);
    return address;
  }

  /** Writes int8 activations in the variant's storage form. */
  writeActivations(address: number, values: Int8Array): void {
    const flip = this.variant === "relaxed" ? 0x80 : 0;
    for (let i = 0; i < values.length; i++) this.bytes[address + i] = ((values[i] ?? 0) & 0xff) ^ flip;
  }

  /** Reads int8 activations back from storage form. */
  readActivations(address: number, length: number): Int8Array {
    const flip = this.variant === "relaxed" ? 0x80 : 0;
    return Int8Array.from(this.bytes.subarray(address, address + length), (byte) => byte ^ flip);
  }

  /** Places raw bytes. */
  placeBytes(values: Uint8Array): number {
    const address = this.allocate(values.length);
    this.bytes.set(values, address);
    return address;
  }

  /** Runs one record; throws if the kernels do not know it. */
  execute(record: PlanRecord): void {
    const words = encodeRecord(record);
    new Int32Array(this.bytes.buffer, RECORD, words.length).set(words);
    const next = this.exports.step(RECORD);
    if (next !== RECORD + 4 * words.length) throw new Error(`record ${record.op} was not executed`);
  }
}

/** The variants whose arithmetic this engine proves, with one instance each. */
export function provedKernels(): Kernels[] {
  return VARIANTS.flatMap((variant) => {
    try {
      const kernels = new Kernels(variant);
      return kernels.exports.probe(1024) === 1 ? [kernels] : [];
    } catch (error) {
      if (error instanceof WebAssembly.CompileError) return [];
      throw error;
    }
  });
}
