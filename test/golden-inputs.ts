import type { TensorArray } from "../src/plan/arrays.ts";
import { elementCount } from "../src/plan/shape.ts";

/** Inputs of the shared goldens, from their seeds: the same stream in Node and in a browser. */

export type InputKind = "noise" | "smooth";

/** A graph input as the goldens describe it. */
export interface InputSpec {
  readonly type: string;
  readonly shape: readonly number[];
}

/** Little-endian bytes of each input. One xorshift32 stream runs through all of them. */
export function goldenInputs(seed: number, kind: InputKind, specs: readonly InputSpec[]): Uint8Array[] {
  let state = seed;
  const draw = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  let walk = 0;
  const step = (): number => {
    walk += (draw() & 31) - 15;
    if (walk > 127) walk = 254 - walk;
    if (walk < -128) walk = -256 - walk;
    return walk;
  };
  return specs.map(({ type, shape }) => {
    const length = elementCount(shape);
    const values = ARRAYS[type];
    if (values === undefined) throw new Error(`no golden inputs of type ${type}`);
    const array = new values(length);
    if (kind === "smooth") {
      const scale = { int8: 1, uint8: 1, int16: 256, float32: 1 / 128 }[type] ?? 1;
      for (let i = 0; i < length; i++) array[i] = step() * scale;
    } else if (type === "float32") {
      for (let i = 0; i < length; i++) array[i] = ((draw() >>> 8) / 2 ** 24) * 2 - 1;
    } else {
      const bytes = new Uint8Array(array.buffer);
      for (let i = 0; i < bytes.length; i++) bytes[i] = draw() & 0xff;
    }
    return new Uint8Array(array.buffer);
  });
}

/** Bytes as the typed array that a model takes. */
export function typed(type: string, bytes: Uint8Array): TensorArray {
  const values = ARRAYS[type];
  if (values === undefined) throw new Error(`no inputs of type ${type}`);
  return new values(new Uint8Array(bytes).buffer);
}

const ARRAYS: Readonly<Record<string, new (content: number | ArrayBuffer) => TensorArray>> = {
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
};
