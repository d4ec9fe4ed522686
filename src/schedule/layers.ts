import type { Operation, Program } from "./program.ts";
import type { Stream } from "./stream.ts";

/** One step of a schedule: a whole operator, or consecutive ones that run together row by row. */
export interface Step {
  readonly operations: readonly Operation[];
  /** How they run together; undefined for a whole operator. */
  readonly stream?: Stream;
}

/** Every operation as a whole, a step each. */
export function scheduleLayers({ operations }: Program): readonly Step[] {
  return operations.map((operation) => ({ operations: [operation] }));
}
