import type { ElementType } from "../graph/graph.ts";
import type { Variant } from "../plan/variant.ts";

/** An input or output of the model, as the caller sees it. */
export interface Port {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of the typed array that `run` takes or gives. */
  readonly type: ElementType;
  /** Quantisation of the int8 values (also of a float port whose QUANTIZE or DEQUANTIZE is done by the host). */
  readonly scale: number;
  readonly zeroPoint: number;
  /** Of the value in linear memory: int8 where the host converts a float port, otherwise `type`. */
  readonly storedType: ElementType;
  readonly address: number;
  /** The value's id in `Image.operands`. */
  readonly value: number;
}

/** A tensor that a step leaves in memory: what a trace reads after it. */
export interface TracedTensor {
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly address: number;
  readonly bytes: number;
}

/** One step of the schedule. */
export interface StepReport {
  readonly op: string;
  readonly name: string;
  /** Index of the operator in the file, -1 for one that a pass made. */
  readonly source: number;
  /** Address of its first record, and of the one after its last. */
  readonly firstRecord: number;
  readonly endRecord: number;
  readonly outputs: readonly TracedTensor[];
  readonly macs: number;
  readonly weightBytes: number;
  /** Where its weights are: in SRAM always, copied from flash in so many tiles, or none. */
  readonly weights: "none" | "resident" | "streamed";
  readonly tiles: number;
  readonly scratchBytes: number;
  /** Activation bytes alive while it runs. */
  readonly liveBytes: number;
}

/** A rectangle of the memory map: bytes [address, address + bytes) from step `firstStep` to `lastStep`. */
export interface MapEntry {
  readonly name: string;
  readonly kind: "activation" | "scratch" | "weights";
  readonly address: number;
  readonly bytes: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

/** Every byte of the plan, and where the peak is. All sizes are in bytes. */
export interface Report {
  readonly model: string;
  readonly variant: Variant;
  /** Budget given; Infinity for "unbounded" is written as null. */
  readonly budgetBytes: number | null;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
  readonly weightTileBytes: number;
  readonly residentWeightBytes: number;
  readonly planBytes: number;
  readonly slackBytes: number;
  /** Sum of the six above: the SRAM that the model needs. */
  readonly ramBytes: number;
  /** `ramBytes` rounded up to WebAssembly pages. */
  readonly linearMemoryBytes: number;
  /** Records, resident and streamed weights: what lies in flash on a microcontroller. */
  readonly flashBytes: number;
  /** Bytes copied from flash per inference. */
  readonly streamedBytes: number;
  readonly macs: number;
  /** Index of the step at which the most activation bytes are alive. */
  readonly peakStep: number;
  readonly steps: readonly StepReport[];
  readonly map: readonly MapEntry[];
}

/**
 * A compiled model for one variant: everything the kernels run. `sram` is copied to address 0 (header, records, resident
 * weights); `flash` is what fetch records read. `operands` names the value behind every operand of every record, so that
 * the checker can tell two tensors at one address apart: see plan/verify.ts.
 */
export interface Image {
  readonly variant: Variant;
  readonly sram: Uint8Array;
  readonly flash: Uint8Array;
  readonly operands: Int32Array;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly report: Report;
}
