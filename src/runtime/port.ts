import type { Port } from "../emit/image.ts";
import type { PortType } from "../plan/port-type.ts";
import type { TensorArray } from "../plan/arrays.ts";
import { arrayName, arrayOf, viewOf } from "../plan/arrays.ts";
import { InputError } from "../errors.ts";
import { elementCount } from "../plan/shape.ts";
import type { InputQuantizer } from "./quantize.ts";
import { dequantizeInto, quantizeInto } from "./quantize.ts";

/**
 * Fills `into` with row `row` of an input: the values that `run` would take whole. Rows are asked for in
 * order, each once per run; where `report.steps` says that the input's stream runs in strips (only with `maxRecompute`), from
 * the first to the last again for each strip. Synchronous: the row is there when the function returns, or `run` throws an InputError
 * (`row-async` of a promise, `row-returned` of an array other than `into`).
 */
export type RowSource = (row: number, into: TensorArray) => void;

/** What `run` takes for an input: all of it, or a function for its rows where the model was compiled for that. */
export type InputValues = TensorArray | RowSource;

/** An input or output of a loaded model. */
export interface ModelPort {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of the typed array that `run` takes or gives: bool is bytes of 0 and 1. */
  readonly type: PortType;
  /** Number of elements. */
  readonly length: number;
  /** Rows that a row source is asked for; undefined where the input is given whole. */
  readonly rows?: number | undefined;
  readonly scale: number;
  readonly zeroPoint: number;
  /**
   * Real values, all or some of the `length`, → an array that `run` takes: of int8, int16 and uint8 with this port's scale and zero point,
   * rounded as the reference does (NaN to the zero point); of float32 the values as they are.
   * @throws InputError `not-quantized`: int32 and bool, which have no real values; `port-mismatch`: no array of numbers, or more than
   * `length`
   */
  quantize(values: ArrayLike<number>): TensorArray;
  /**
   * What `run` gives → real values, in a new array; of float32 as they are.
   * @throws InputError `port-mismatch`: no array of numbers, or one of another type than the port's
   */
  dequantize(values: ArrayLike<number>): Float32Array;
}

/**
 * An input or output of a session: checks values, converts them, and moves them in and out of linear memory.
 * @internal
 */
export class SessionPort implements ModelPort {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: PortType;
  readonly length: number;
  readonly rows: number | undefined;
  readonly scale: number;
  readonly zeroPoint: number;
  /** Private, and with it all of linear memory, from whoever prints a port. */
  #value: TensorArray;
  /** Where rows come from in this run, the row that is asked for, and the same as it is stored. */
  #source: TensorArray | ((...row: Parameters<RowSource>) => unknown) | undefined;
  /** The name of the array that `run` takes or gives. */
  readonly #array: string;
  readonly #rowLength: number;
  #row: TensorArray;
  #rowBytes: Uint8Array;
  #memory: Uint8Array;
  readonly #address: number;
  #stored: TensorArray;
  readonly #converts: boolean;
  #quantizer: InputQuantizer | undefined;
  #buffer: ArrayBuffer | undefined;
  /** Of this run: where its values are while other inputs are written. Engines take longer to tell an array's buffer than to copy it. */
  #given: TensorArray | undefined;
  #aside: TensorArray | undefined;

  constructor(port: Port, buffer: ArrayBuffer, quantizer: InputQuantizer) {
    this.name = port.name;
    this.shape = port.shape;
    this.type = port.type;
    this.length = elementCount(port.shape);
    this.rows = port.rows;
    this.scale = port.scale;
    this.zeroPoint = port.zeroPoint;
    const placed = port.rows === undefined ? this.length : 0;
    this.#stored = viewOf(port.storedType, buffer, port.address, placed);
    this.#converts = port.storedType !== port.type;
    this.#address = port.address;
    this.#quantizer = quantizer;
    this.#rowLength = this.length / (port.rows ?? Infinity);
    this.#row = arrayOf(port.type, this.#rowLength);
    this.#rowBytes = new Uint8Array(this.#row.buffer);
    this.#memory = new Uint8Array(buffer);
    this.#buffer = buffer;
    this.#array = arrayName(port.type);
    this.#value = this.#converts ? new Float32Array(this.length) : this.#stored;
  }

  /** What the caller sees of an output. */
  get value(): TensorArray {
    return this.#value;
  }

  get expected(): string {
    const rows = this.rows === undefined ? "" : `a function for ${this.rows} rows, or `;
    return `${rows}${this.#array} of ${this.length}, shape [${this.shape.join(", ")}]`;
  }

  /** @throws InputError unless `values` is this port's kind of array */
  check(values: unknown): void {
    if (typeof values === "function" && this.rows !== undefined) return;
    const kind = kindOf(values);
    const fits = kind === this.#array;
    if (fits && (values as TensorArray).length === this.length) return;
    const given = ArrayBuffer.isView(values) ? `${kind} of ${(values as TensorArray).length}` : kind;
    const hint =
      typeof values === "function"
        ? '; compile the model with `input: "streamed"` to give rows'
        : fits && (values as TensorArray).length === 0
          ? "; its buffer was transferred (detached) or resized: pass an array that still has its values"
          : (this.type === "int8" || this.type === "int16") && !fits
            ? kind === "Uint8Array"
              ? `; if its bytes are quantised values, pass them as ${this.#array}: of the same buffer, from the same byteOffset on`
              : "; if these are real values, quantise them with the `quantize` of this one of the model's `inputs`"
            : "";
    throw new InputError(
      "input-mismatch",
      `input "${this.name}" takes ${this.expected}; ${given} was given${hint}`,
    );
  }

  /** Keeps a copy of values that lie in the model's own memory; the room for it is made once. */
  setAside(values: InputValues): void {
    if (typeof values === "function") return;
    if (values.buffer !== this.#buffer) {
      this.#given = values;
      return;
    }
    if (this.#aside === undefined) this.#aside = values.slice();
    else this.#aside.set(values);
    this.#given = this.#aside;
  }

  /** Copies the values that `setAside` has seen in, or remembers where their rows come from. */
  accept(values: InputValues): void {
    // Reading a list of inputs may have run the model in between.
    const given = typeof values === "function" ? values : (this.#given ?? values);
    this.#given = undefined;
    if (this.rows !== undefined) this.#source = given;
    else if (this.#converts) this.#quantize(given as TensorArray, 0, this.#address, this.length, false);
    else this.#stored.set(given as TensorArray);
  }

  #quantize(
    values: TensorArray,
    from: number,
    destination: number,
    length: number,
    isRunning: boolean,
  ): void {
    const { scale, zeroPoint } = this;
    this.#quantizer?.write(values as Float32Array, from, destination, length, scale, zeroPoint, isRunning);
  }

  /** Row `row` of this run's input, to linear memory at `destination`. */
  giveRow(row: number, destination: number): void {
    const values = this.#source;
    const length = this.#rowLength;
    if (typeof values === "function") {
      const returned = values(row, this.#row);
      if (typeof returned === "object" && returned !== this.#row) this.#checkReturned(returned, row);
      if (this.#row.length !== length) throw this.#rowTaken(row);
    } else if (values !== undefined) {
      if (this.#converts) {
        this.#quantize(values, row * length, destination, length, true);
        return;
      }
      // A loop, because a view of the row would be allocated.
      for (let i = 0; i < length; i++) this.#row[i] = values[row * length + i] ?? 0;
    }
    if (this.#converts) this.#quantize(this.#row, 0, destination, length, true);
    else this.#memory.set(this.#rowBytes, destination);
  }

  /**
   * Sources may return anything that is not taken for the row: what `set`, `fill` and `subarray` of it give, and numbers.
   * @throws InputError a promise, or an array with another memory than the row's
   */
  #checkReturned(returned: object | null, row: number): void {
    const source = `the source of input "${this.name}"`;
    if (returned !== null && "then" in returned) {
      this.#renewRow();
      throw new InputError(
        "row-async",
        `${source} has returned a promise for row ${row}, and \`run\` does not wait; fill the row before returning, and get what it needs ` +
          "before `run`",
      );
    }
    const isOwn = ArrayBuffer.isView(returned) && returned.buffer === this.#row.buffer;
    if (isOwn || !(ArrayBuffer.isView(returned) || Array.isArray(returned))) return;
    throw new InputError(
      "row-returned",
      `${source} has returned an array for row ${row}, which nobody reads; copy it into the second argument: \`into.set(array)\``,
    );
  }

  /** For the next run: a source may still hold the array of a row, or have given it away. */
  #renewRow(): void {
    this.#row = arrayOf(this.type, this.#rowLength);
    this.#rowBytes = new Uint8Array(this.#row.buffer);
  }

  #rowTaken(row: number): InputError {
    this.#renewRow();
    return new InputError(
      "row-detached",
      `the source of input "${this.name}" has transferred the array of row ${row} to elsewhere; fill it, and transfer a copy`,
    );
  }

  /** Lets go of linear memory: a view would keep all of it. */
  release(): void {
    this.#stored = new Int8Array(0);
    this.#value = this.#stored;
    this.#buffer = undefined;
    this.#aside = undefined;
    this.#source = undefined;
    this.#memory = new Uint8Array(0);
    this.#quantizer = undefined;
  }

  /** Brings the caller's view of an output up to date; a new one where the caller has transferred the last to elsewhere. */
  publish(): void {
    if (!this.#converts) return;
    if (this.#value.length !== this.length) this.#value = new Float32Array(this.length);
    dequantizeInto(this.#value as Float32Array, this.#stored, this.scale, this.zeroPoint);
  }

  quantize(values: ArrayLike<number>): TensorArray {
    const { type } = this;
    if (type === "int32" || type === "bool") {
      throw new InputError(
        "not-quantized",
        `"${this.name}" is ${type}, whose values are not quantised; pass the array itself: ${this.expected}`,
      );
    }
    this.#requireNumbers(values, "real values");
    if (values.length > this.length) {
      throw this.#mismatch(
        `takes ${this.length} real values; ${values.length} were given: quantise one input at a time`,
      );
    }
    if (type === "float32") return new Float32Array(values);
    const result = new QUANTIZED[type](values.length);
    quantizeInto(result, values, this.scale, this.zeroPoint);
    return result;
  }

  dequantize(values: ArrayLike<number>): Float32Array {
    const name = this.#array;
    if (ArrayBuffer.isView(values) && kindOf(values) !== name) {
      throw this.#mismatch(
        `is ${this.type}, in ${withArticle(name)}; ${kindOf(values)} was given: pass what \`run\` takes or gives for it`,
      );
    }
    this.#requireNumbers(values, "values");
    if (this.type === "float32") return new Float32Array(values);
    const result = new Float32Array(values.length);
    dequantizeInto(result, values, this.scale, this.zeroPoint);
    return result;
  }

  /** @throws InputError unless these are numbers in an array, a typed one or not */
  #requireNumbers(values: ArrayLike<unknown> | null | undefined, what: string): void {
    if (ArrayBuffer.isView(values) && /^(Int|Uint|Float)/.test(kindOf(values))) return;
    const isList = typeof values === "object" && typeof values?.length === "number";
    const at = isList ? Array.from(values).findIndex((value) => typeof value !== "number") : 0;
    if (at < 0) return;
    const given = isList ? `element ${at} is ${typeof values[at]}` : `${kindOf(values)} was given`;
    throw this.#mismatch(`takes ${what} in an array; ${given}: pass an array of numbers`);
  }

  #mismatch(complaint: string): InputError {
    return new InputError("port-mismatch", `"${this.name}" ${complaint}`);
  }
}

/** "an Int8Array", "a Float32Array". */
function withArticle(name: string): string {
  return `${name.startsWith("I") ? "an" : "a"} ${name}`;
}

/** Arrays of the types that are quantised. */
const QUANTIZED = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array } as const;

/** The class of an array, by its tag: arrays of another realm are no instances of this one's classes. */
function kindOf(values: unknown): string {
  return ArrayBuffer.isView(values) ? (values as TensorArray)[Symbol.toStringTag] : typeof values;
}
