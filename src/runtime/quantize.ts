/** Quantisation as the reference's QUANTIZE and DEQUANTIZE round it, for the host's side of the border. */

import type { KernelExports } from "./instantiate.ts";

/** Arrays of quantised values. */
export type QuantizedArray = Int8Array | Uint8Array | Int16Array;

/**
 * q = clamp(round(x / scale) + zeroPoint) to least … most, the quotient in float32, halves away from zero; NaN becomes the zero
 * point. `scale` must be a float32 value.
 */
function quantized(value: number, scale: number, zeroPoint: number, least: number, most: number): number {
  const quotient = Math.fround(Math.fround(value) / scale);
  // Halves up, and those below zero one further down: signs are as good as random, halves are rare.
  let rounded = Math.floor(quotient + 0.5);
  if (rounded - quotient === 0.5 && quotient < 0) rounded -= 1;
  const q = rounded + zeroPoint;
  return q > most ? most : q < least ? least : q === q ? q : zeroPoint;
}

/** Writes `values.length` elements, quantised to the type of `into`, to it. */
export function quantizeInto(
  into: QuantizedArray,
  values: ArrayLike<number>,
  scale: number,
  zeroPoint: number,
): void {
  const levels = 2 ** (8 * into.BYTES_PER_ELEMENT);
  const least = into instanceof Uint8Array ? 0 : -levels / 2;
  const most = least + levels - 1;
  for (let i = 0; i < values.length; i++) into[i] = quantized(values[i] ?? 0, scale, zeroPoint, least, most);
}

/** Fewest values that are worth a call of the kernels, which take 16 at a time. */
const CHUNK = 16;

/** Fewest values of which views save more than making them costs. */
const VIEWED = 2048;

/** Bytes of linear memory. */
export interface Room {
  readonly address: number;
  readonly bytes: number;
}

/** An array of `length` values cut as they are taken; an array on a resizable buffer may have another length the next time. */
interface Parts {
  readonly length: number;
  readonly views: readonly Float32Array[];
}

/** As quantizeInto, into linear memory with the kernels' vectors: a tenth to a quarter of the time. */
export class InputQuantizer {
  readonly #kernels: KernelExports;
  readonly #bytes: Int8Array;
  readonly #floats: Float32Array;
  /** Of long arrays that were given whole, made once for each: copying by views takes a tenth of what a loop does. */
  readonly #parts = new WeakMap<Float32Array, Parts>();
  readonly #room: Room;

  /** `room` is free between runs. */
  constructor(kernels: KernelExports, room: Room) {
    this.#kernels = kernels;
    this.#room = room;
    this.#bytes = new Int8Array(kernels.memory.buffer);
    this.#floats = new Float32Array(kernels.memory.buffer);
  }

  /**
   * Writes `values[from]` and the next, `length` in all, to the bytes at `destination`. Between runs they pass through the room that is free
   * then, where that holds more than these bytes themselves: while n bytes are still to be written, the last n hold n / 4 values, which are read
   * before they are written over.
   */
  write(
    values: Float32Array,
    from: number,
    destination: number,
    length: number,
    scale: number,
    zeroPoint: number,
    isRunning: boolean,
  ): void {
    const free = isRunning ? 0 : this.#room.bytes;
    const views = !isRunning && length === values.length && length >= VIEWED ? this.#viewsOf(values) : [];
    let done = 0;
    for (let i = 0; ; i++) {
      const count = countAtOnce(length - done, free);
      if (count === 0) break;
      const own = destination + length - 4 * count;
      const staged = (own < destination + done + 3 ? this.#room.address : own) >> 2;
      const view = views[i];
      if (view === undefined) copyFloats(this.#floats, staged, values, from + done, count);
      else this.#floats.set(view, staged);
      this.#kernels.quantizeInput(4 * staged, destination + done, count, scale, zeroPoint);
      done += count;
    }
    for (; done < length; done++) {
      this.#bytes[destination + done] = quantized(values[from + done] ?? 0, scale, zeroPoint, -128, 127);
    }
  }

  #viewsOf(values: Float32Array): readonly Float32Array[] {
    const { length } = values;
    const known = this.#parts.get(values);
    if (known?.length === length) return known.views;
    const views: Float32Array[] = [];
    let done = 0;
    const free = this.#room.bytes;
    for (let count = countAtOnce(length, free); count > 0; count = countAtOnce(length - done, free)) {
      views.push(new Float32Array(values.buffer, values.byteOffset + 4 * done, count));
      done += count;
    }
    this.#parts.set(values, { length, views });
    return views;
  }
}

/** Of as many values that are left, those that the last of their bytes hold, or `free` bytes; 0 if they are too few for a call. */
function countAtOnce(left: number, free: number): number {
  // Three bytes for the alignment of what is staged.
  const count = Math.min(left, Math.max(left - 3, free) / 4);
  return Math.max(0, Math.floor(count / CHUNK) * CHUNK);
}

/** A loop, because a view of a row would be allocated each time. */
function copyFloats(into: Float32Array, at: number, values: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) into[at + i] = values[from + i] ?? 0;
}

/** float32 x = scale · (q − zeroPoint), the product in double. Writes `values.length` elements to `into`. */
export function dequantizeInto(
  into: Float32Array,
  values: ArrayLike<number>,
  scale: number,
  zeroPoint: number,
): void {
  for (let i = 0; i < values.length; i++) into[i] = scale * ((values[i] ?? 0) - zeroPoint);
}
