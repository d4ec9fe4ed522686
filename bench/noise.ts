import type { Model, TensorArray } from "thimble";

/** Steps around its zero point that an input takes: more would drive networks to where int8 saturates. */
const AMPLITUDE = 64;

/** Inputs for a model, the same each time. */
export function noise(model: Model): TensorArray[] {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return model.inputs.map((port) =>
    port.type === "int8"
      ? Int8Array.from({ length: port.length }, () => int8(port.zeroPoint + (2 * next() - 1) * AMPLITUDE))
      : Float32Array.from({ length: port.length }, () => next() - 0.5),
  );
}

function int8(value: number): number {
  return Math.max(-128, Math.min(127, Math.floor(value)));
}
