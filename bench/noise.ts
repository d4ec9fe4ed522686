import type { Model, TensorArray } from "thimble";

/** Inputs for a model, the same each time. */
export function noise(model: Model): TensorArray[] {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return model.inputs.map((port) =>
    port.type === "int8"
      ? Int8Array.from({ length: port.length }, () => Math.floor(next() * 256) - 128)
      : Float32Array.from({ length: port.length }, () => 2 * next() - 1),
  );
}
