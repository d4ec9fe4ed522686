import type { Model, TensorArray } from "../index.ts";
import { NUMBERS } from "./inputs.ts";

/** The same values for every input of the same type and length, over all of its type; float32 within ±1. */
export function noise(model: Model): TensorArray[] {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return model.inputs.map(({ type, length }) => {
    const { array, least, most } = NUMBERS[type];
    const draw = (): number =>
      type === "float32" ? 2 * next() - 1 : least + Math.floor(next() * (most - least + 1));
    const values = new array(length);
    for (let i = 0; i < length; i++) values[i] = draw();
    return values;
  });
}
