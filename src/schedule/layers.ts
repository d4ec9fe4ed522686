import type { Operation, Program } from "./program.ts";
import type { Stream } from "./stream.ts";
import type { Strip } from "./strips.ts";

/** One step of a schedule: a whole operator, or consecutive ones that run together row by row. */
export interface Step {
  readonly operations: readonly Operation[];
  /** How they run together; undefined for a whole operator. */
  readonly stream?: Stream;
  /** Columns that the stream makes one after the other; undefined: all at once. */
  readonly strips?: readonly Strip[];
  /** Multiply-accumulates that strips do more than once. */
  readonly extraMacs?: number;
  /** A whole operator whose output takes its first input's place exactly, which its kernel needs more scratch for. */
  readonly inPlace?: boolean;
  /** Whether its output is meant to share bytes with a dying input; undefined: as it turns out. */
  readonly sharesBytes?: boolean;
  /** A hint for its output: at the top (true) or at the bottom of the arena, so that later ones find room; undefined: no preference. */
  readonly outputAtTop?: boolean;
}

/** Every operation as a whole, a step each. */
export function scheduleLayers({ operations }: Program): readonly Step[] {
  return operations.map((operation) => ({ operations: [operation] }));
}
