import type { Report, Schedule, Variant } from "thimble";
import type { Sound } from "thimble/audio";
import type { Picture, Range } from "thimble/image";

/** What an error is once it has crossed to the page: structured cloning drops the class and the code. */
export interface Failure {
  readonly name: string;
  /** "" for an error that is not thimble's. */
  readonly code: string;
  readonly message: string;
  readonly neededBytes: number | undefined;
}

/** From the digits' worker, which is sent 28×28 grey bytes. */
export interface Recognised {
  /** One score a class, 0 to 1. */
  readonly scores: Float32Array;
  /** Mean of a burst of runs: a browser's clock is coarse. */
  readonly latencyMs: number;
  readonly ramBytes: number;
  readonly flashBytes: number;
  readonly variant: Variant;
}

export interface ModelFile {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** To the models' worker. `bytes` are copied over each time: the worker keeps nothing. */
export interface ModelRequest extends ModelFile {
  readonly do: "plan" | "bench";
  readonly sram: number;
  readonly schedule: Schedule;
}

/** A plan, or why there is none; of a model that is too large, what it would need. */
export interface Planned {
  readonly report: Report | undefined;
  /** The memory map, an SVG document; "" without a report. */
  readonly svg: string;
  readonly failure: Failure | undefined;
  readonly takes: Takes | undefined;
}

/** What a model's only input can be made of; undefined for anything else. */
export type Takes = "picture" | "sound";

export type Given = Picture | Sound;

/** To the worker that runs a model. It keeps the model, which comes with requests until one was answered. */
export interface RunRequest {
  /** Of the model: answers carry it back, since another may have been opened by then. */
  readonly number: number;
  readonly model: ModelFile | undefined;
  readonly given: Given;
  /** Of pictures; undefined: by the input's quantisation. */
  readonly range: Range | undefined;
}

export interface Answered {
  readonly number: number;
  /** The classes of the highest scores, the best first. */
  readonly best: readonly { readonly index: number; readonly score: number }[];
  readonly ms: number;
}

export interface VariantTiming {
  readonly variant: Variant;
  /** NaN where it was not measured. */
  readonly medianMs: number;
  /** Whether its outputs are those of `mcu`, or why it was not measured. */
  readonly remark: string;
}

export interface Benched {
  readonly variants: readonly VariantTiming[];
  /** Mean of each step of the plan shown, in milliseconds. */
  readonly stepMs: readonly number[];
}
