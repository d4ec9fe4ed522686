import type { Image } from "../emit/image.ts";
import { ExecutionError } from "../errors.ts";
import { SLACK_BYTES } from "../plan/format.ts";

/** What the bytes above a model's own hold. */
const CANARY = 0xa5;

/**
 * Notices runs that change what they must not: header, records and resident weights at the bottom of memory, and all bytes above the
 * arena, which hold canaries. Looks at each of them after every run.
 */
export class Guard {
  readonly #memory: Uint8Array;
  readonly #below: Uint8Array;
  readonly #above: number;

  /** For a memory that the image has just been copied into. */
  constructor({ sram, report }: Image, memory: Uint8Array) {
    this.#memory = memory;
    this.#below = sram.slice();
    this.#above = report.ramBytes - SLACK_BYTES;
    memory.fill(CANARY, this.#above);
  }

  /** @throws ExecutionError memory-damaged */
  check(): void {
    const memory = this.#memory;
    for (let at = 0; at < this.#below.length; at++) {
      if (memory[at] !== this.#below[at]) throw damaged("the plan or a weight", at);
    }
    for (let at = this.#above; at < memory.length; at++) {
      if (memory[at] !== CANARY) throw damaged("memory that is not the model's", at);
    }
  }
}

function damaged(what: string, address: number): ExecutionError {
  return new ExecutionError(
    "memory-damaged",
    `${what}, byte ${address}, has been changed by a run or since the last; write nowhere but to inputs and outputs, and load the model ` +
      "again; if nothing else did, it is a bug of thimble: please report the model",
  );
}
