// For projects whose `lib` does not have Symbol.dispose; TypeScript leaves out of declarations what is not to be preserved.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Image, Port, Report, StepReport, TracedTensor } from "../emit/image.ts";
import { portBytes } from "../emit/image.ts";
import { ExecutionError, InputError } from "../errors.ts";
import { kindOf } from "../given/bytes.ts";
import { Header, SLACK_BYTES } from "../plan/format.ts";
import { align } from "../plan/packing.ts";
import { planRecords } from "../plan/record.ts";
import { storageFlip } from "../plan/variant.ts";
import type { KernelExports } from "./instantiate.ts";
import { Guard } from "./guard.ts";
import { instantiateKernels } from "./instantiate.ts";
import type { Kernels } from "./kernels.ts";
import { moduleOf } from "./kernels.ts";
import type { InputValues, ModelPort } from "./port.ts";
import type { TensorArray } from "../plan/arrays.ts";
import { SessionPort } from "./port.ts";
import type { Room } from "./quantize.ts";
import { InputQuantizer } from "./quantize.ts";
import { proveVariant } from "./variant.ts";

/** A tensor after the step that made it, in the model's own encoding (never the relaxed variant's storage). */
export interface TraceEntry {
  readonly step: StepReport;
  readonly tensor: TracedTensor;
  readonly bytes: Uint8Array;
}

/** A model ready to run. Instances share nothing: any number may live side by side. */
export interface Model {
  /** In the order that `run` takes them. */
  readonly inputs: readonly ModelPort[];
  /** In the order that `run` gives them. */
  readonly outputs: readonly ModelPort[];
  /** Every byte of its plan, and every step. */
  readonly report: Report;
  /** What it was loaded from, or compiled to on loading. */
  readonly image: Image;
  /**
   * Runs the model once, synchronously. A model of one input and one output takes and gives them bare; any model takes
   * and gives arrays in the model's order. A model compiled with `input: "streamed"` takes a function for each input, which
   * fills its rows when they are needed; it takes whole arrays too, and reads the rows from them. What comes back is valid
   * until the next run, which overwrites it. Allocates nothing, but for a few views of a long Float32Array that is given for the
   * first time, to a model that quantises its input itself.
   * @throws InputError wrong number, length or type of inputs, the model's memory is then as before; a run within a run
   * @throws ExecutionError memory-damaged, with `guard` of `load`
   * @throws whatever a row source throws; the model can run again
   */
  run(input: InputValues): TensorArray;
  /** As above, of any number of inputs and outputs. */
  run(inputs: readonly InputValues[]): readonly TensorArray[];
  /**
   * Puts the state of stateful operators (UNIDIRECTIONAL_SEQUENCE_LSTM, SVDF) back to where it was when the model was loaded.
   * State lives from run to run, `trace` and `runSteps` included; a run that was broken off leaves it half changed. Does
   * nothing to other models.
   */
  reset(): void;
  /**
   * Runs the model once, step by step, and hands over a copy of every tensor as soon as it is made. Slow.
   * @throws InputError as `run`; `trace-interrupted` where the model is run, traced anew or reset before the last tensor is read
   */
  trace(inputs: InputValues | readonly InputValues[]): Generator<TraceEntry, void>;
  /** As `run` up to the outputs, calling `lap` after each step with its index: for profiles. */
  runSteps(inputs: InputValues | readonly InputValues[], lap: (step: number) => void): void;
  /**
   * Drops the linear memory; the model cannot run afterwards.
   * @throws InputError called by a row source of the model while it runs
   */
  [Symbol.dispose](): void;
}

/**
 * Instantiates the kernels for a verified image and copies it in; with `guard` runs are watched.
 * @throws ExecutionError an image whose variant this engine does not prove, or kernels that cannot be read
 * @throws MemoryError no address space left
 * @internal
 */
export async function startSession(kernels: Kernels, image: Image, guard = false): Promise<Model> {
  const { variant } = image;
  await moduleOf(kernels, variant);
  if (!(await proveVariant(kernels, variant))) {
    throw new ExecutionError(
      "variant-unproved",
      `this engine does not run the ${variant} kernels with exact results; compile for another variant ("simd", "mcu")`,
    );
  }
  const flash = new FlashReader(image);
  const rows = new RowReader();
  const instance = await instantiateKernels(kernels, variant, image.report.ramBytes, {
    flashRead: (destination, source, bytes) => {
      flash.read(destination, source, bytes);
    },
    inputRow: (input, row, destination) => {
      rows.read(input, row, destination);
    },
  });
  const memory = new Uint8Array(instance.memory.buffer);
  flash.memory = memory;
  memory.set(image.sram);
  setStates(image, memory);
  return new Session(image, instance, rows, guard ? new Guard(image, memory) : undefined);
}

/** Fills the states with what they are before the first run. */
function setStates({ states }: Image, memory: Uint8Array): void {
  for (const { address, bytes, initialByte } of states) memory.fill(initialByte, address, address + bytes);
}

/** Serves input records: asks the ports of streamed inputs for rows. */
class RowReader {
  ports: readonly SessionPort[] = [];

  read(input: number, row: number, destination: number): void {
    this.ports[input]?.giveRow(row, destination);
  }
}

/** A piece of flash that some record fetches. */
interface Tile {
  readonly source: number;
  readonly view: Uint8Array;
}

/** Serves fetch records from views made once, so that a run allocates nothing. */
class FlashReader {
  memory = new Uint8Array(0);
  /** In the order in which a run fetches them, so that the next is the one to look at. */
  readonly #tiles: Tile[] = [];
  #next = 0;

  constructor(image: Image) {
    // A copy: what the caller does to its bytes afterwards has no effect.
    const flash = new Uint8Array(image.flash);
    for (const { record } of planRecords(image.sram)) {
      if (record.op !== "fetch" && record.op !== "tiles") continue;
      const { source, bytes } = record;
      const step = record.op === "fetch" ? bytes : record.tileBytes;
      for (let at = source; at < source + bytes; at += step) {
        this.#tiles.push({ source: at, view: flash.subarray(at, Math.min(at + step, source + bytes)) });
      }
    }
  }

  read(destination: number, source: number, bytes: number): void {
    const count = this.#tiles.length;
    for (let tried = 0; tried < count; tried++) {
      const tile = this.#tiles[this.#next] as Tile;
      this.#next = this.#next + 1 === count ? 0 : this.#next + 1;
      if (tile.source !== source || tile.view.length !== bytes) continue;
      this.memory.set(tile.view, destination);
      return;
    }
    throw new ExecutionError(
      "flash-read",
      `the kernels ask for ${bytes} bytes of flash at ${source}, which the plan does not fetch: its memory has been written to; ` +
        "write nowhere but to inputs, and load the model again",
    );
  }
}

class Session implements Model {
  readonly inputs: readonly SessionPort[];
  readonly outputs: readonly SessionPort[];
  readonly report: Report;
  readonly image: Image;
  #results: TensorArray[];
  readonly #entry: number;
  #guard: Guard | undefined;
  #kernels: KernelExports | undefined;

  /** Whether the kernels are at work: a row source must not run the model. */
  #running = false;
  /** Counts what changes the memory from outside a trace that is under way. */
  #changes = 0;

  constructor(image: Image, kernels: KernelExports, rows: RowReader, guard: Guard | undefined) {
    this.image = image;
    this.#guard = guard;
    this.report = image.report;
    this.#kernels = kernels;
    this.#entry = new DataView(image.sram.buffer, image.sram.byteOffset).getUint32(4 * Header.entry, true);
    const { buffer } = kernels.memory;
    const quantizer = new InputQuantizer(kernels, freeBetweenRuns(image));
    const portOf = (port: Port): SessionPort => new SessionPort(port, buffer, quantizer);
    this.inputs = image.inputs.map(portOf);
    this.outputs = image.outputs.map(portOf);
    this.#results = this.outputs.map((port) => port.value);
    rows.ports = this.inputs;
  }

  run(input: InputValues): TensorArray;
  run(inputs: readonly InputValues[]): readonly TensorArray[];
  run(inputs: InputValues | readonly InputValues[]): TensorArray | readonly TensorArray[] {
    const kernels = this.#live();
    const bare = isBare(inputs);
    if (bare && this.outputs.length !== 1) throw this.#severalOutputs();
    this.#accept(inputs);
    let failed: number;
    this.#running = true;
    try {
      failed = kernels.run(this.#entry);
    } finally {
      this.#running = false;
    }
    if (failed !== 0) throw this.#unknownRecord(failed);
    this.#guard?.check();
    for (let i = 0; i < this.outputs.length; i++) {
      const port = this.outputs[i] as SessionPort;
      port.publish();
      this.#results[i] = port.value;
    }
    return bare ? (this.#results[0] as TensorArray) : this.#results;
  }

  *trace(inputs: InputValues | readonly InputValues[]): Generator<TraceEntry, void> {
    this.#live();
    this.#accept(inputs);
    const begun = this.#changes;
    const flip = storageFlip(this.image.variant);
    let record = this.#entry;
    for (const step of this.report.steps) {
      record = this.#execute(this.#undisturbed(begun), record, step.endRecord);
      for (const tensor of step.outputs) {
        const bytes = copyOf(tensor, new Uint8Array(this.#undisturbed(begun).memory.buffer));
        if (tensor.type === "int8" && flip !== 0)
          for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ flip;
        yield { step, tensor, bytes: withConstants(tensor, bytes) };
      }
    }
  }

  reset(): void {
    setStates(this.image, new Uint8Array(this.#live().memory.buffer));
    this.#changes++;
  }

  runSteps(inputs: InputValues | readonly InputValues[], lap: (step: number) => void): void {
    const kernels = this.#live();
    this.#accept(inputs);
    let record = this.#entry;
    for (const [index, step] of this.report.steps.entries()) {
      record = this.#execute(kernels, record, step.endRecord);
      lap(index);
    }
  }

  [Symbol.dispose](): void {
    if (this.#running) throw this.#inUse();
    this.#kernels = undefined;
    this.#guard = undefined;
    this.#results = [];
    for (const port of [...this.inputs, ...this.outputs]) port.release();
  }

  #execute(kernels: KernelExports, from: number, end: number): number {
    let record = from;
    this.#running = true;
    try {
      while (record < end) {
        const next = kernels.step(record);
        if (next === record) throw this.#unknownRecord(record);
        record = next;
      }
    } finally {
      this.#running = false;
    }
    this.#guard?.check();
    return record;
  }

  #live(): KernelExports {
    if (this.#kernels === undefined) {
      throw new InputError("disposed", `model "${this.report.model}" was disposed; load it again`);
    }
    if (this.#running) throw this.#inUse();
    return this.#kernels;
  }

  /**
   * The kernels, for the next step of a trace.
   * @throws InputError the memory is not as the trace has left it
   */
  #undisturbed(begun: number): KernelExports {
    const kernels = this.#live();
    if (begun === this.#changes) return kernels;
    throw new InputError(
      "trace-interrupted",
      `model "${this.report.model}" was run, traced or reset before its trace was read to the end; read a trace whole, ` +
        "for instance as `[...model.trace(input)]`, or load another of it to run in between",
    );
  }

  #inUse(): InputError {
    return new InputError(
      "run-within-run",
      `model "${this.report.model}" is running: its row source may not run, reset or dispose it; do that when \`run\` is done, or load another of it to run in between`,
    );
  }

  #unknownRecord(address: number): ExecutionError {
    return new ExecutionError(
      "unknown-record",
      `the ${this.image.variant} kernels do not know the record at address ${address}; compile the model again`,
    );
  }

  #accept(inputs: InputValues | readonly InputValues[]): void {
    if (isBare(inputs)) {
      const [port] = this.inputs;
      if (port === undefined || this.inputs.length !== 1) throw this.#wrongCount(1);
      port.check(inputs);
      this.#changes++;
      port.setAside(inputs);
      port.accept(inputs);
      return;
    }
    if (!Array.isArray(inputs)) throw this.#noList(inputs);
    if (typeof inputs[0] === "number") throw this.#numbers();
    if (inputs.length !== this.inputs.length) throw this.#wrongCount(inputs.length);
    // All are checked before any is copied, so that a refused run changes nothing.
    for (let i = 0; i < inputs.length; i++) this.inputs[i]?.check(inputs[i]);
    this.#changes++;
    // Outputs may come back as inputs: they are taken out of the memory that other inputs are about to overwrite.
    for (let i = 0; i < inputs.length; i++) this.inputs[i]?.setAside(inputs[i] as InputValues);
    for (let i = 0; i < inputs.length; i++) this.inputs[i]?.accept(inputs[i] as InputValues);
  }

  #severalOutputs(): InputError {
    return new InputError(
      "output-count",
      `model "${this.report.model}" has ${this.outputs.length} outputs; pass its inputs as an array, and take an array`,
    );
  }

  #numbers(): InputError {
    return new InputError(
      "input-mismatch",
      `a plain array of numbers was given, and an array is a list of inputs; pass ${this.#expected()}, ` +
        "which `inputs[i].quantize(values)` makes of real values",
    );
  }

  #wrongCount(given: number): InputError {
    return new InputError("input-count", `${this.#takes()}, not ${given}: pass ${this.#expected()}`);
  }

  #noList(given: unknown): InputError {
    const list = this.inputs.length === 1 ? "" : " an array of";
    return new InputError(
      "input-count",
      `${this.#takes()}; ${kindOf(given)} was given: pass${list} ${this.#expected()}`,
    );
  }

  #takes(): string {
    const count = this.inputs.length === 1 ? "one input" : `${this.inputs.length} inputs`;
    return `model "${this.report.model}" takes ${count}`;
  }

  #expected(): string {
    return this.inputs.map((port) => `${port.name} (${port.expected})`).join(", ");
  }
}

/** The most bytes of the arena side by side in which no input and no state lies. */
function freeBetweenRuns({ sram, inputs, states, report }: Image): Room {
  const taken = [
    ...inputs.flatMap((port) =>
      port.rows === undefined ? [{ address: port.address, bytes: portBytes(port) }] : [],
    ),
    ...states,
    { address: report.ramBytes - SLACK_BYTES, bytes: 0 },
  ].sort((a, b) => a.address - b.address);
  let room: Room = { address: 0, bytes: 0 };
  let from = align(sram.length, 16);
  for (const { address, bytes } of taken) {
    if (address - from > room.bytes) room = { address: from, bytes: address - from };
    from = Math.max(from, align(address + bytes, 16));
  }
  return room;
}

/** Whether this is one input, not a list of them. */
function isBare(inputs: InputValues | readonly InputValues[]): inputs is InputValues {
  return ArrayBuffer.isView(inputs) || typeof inputs === "function";
}

/** The tensor with the channels that are not in memory. */
function withConstants({ shape, constants }: TracedTensor, bytes: Uint8Array): Uint8Array {
  if (constants === undefined) return bytes;
  const channels = shape.at(-1) ?? 1;
  const left = channels - constants.length;
  const whole = new Uint8Array((bytes.length / left) * channels);
  const isLeft = new Array<boolean>(channels).fill(true);
  for (const [channel, value] of constants) {
    isLeft[channel] = false;
    for (let at = channel; at < whole.length; at += channels) whole[at] = value;
  }
  for (let at = 0, from = 0; at < whole.length; at++)
    if (isLeft[at % channels]) whole[at] = bytes[from++] ?? 0;
  return whole;
}

/** The bytes of a tensor in memory, its pixels together. */
function copyOf(
  { address, bytes, pixels = { bytes, step: bytes } }: TracedTensor,
  memory: Uint8Array,
): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (let to = 0, from = address; to < bytes; to += pixels.bytes, from += pixels.step) {
    copy.set(memory.subarray(from, from + pixels.bytes), to);
  }
  return copy;
}
