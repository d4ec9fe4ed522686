import { coordinates, count } from "./tensor.ts";

/** CONCATENATION: the inputs one behind the other along `axis`. */
export function concatenationReference(
  inputs: readonly { readonly shape: readonly number[]; readonly values: Int8Array }[],
  axis: number,
  shape: readonly number[],
): number[] {
  return Array.from({ length: count(shape) }, (_, i) => {
    const at = coordinates(shape, i);
    let along = at[axis] ?? 0;
    for (const input of inputs) {
      const size = input.shape[axis] ?? 0;
      if (along < size) {
        const index = input.shape.reduce((sum, n, k) => sum * n + (k === axis ? along : (at[k] ?? 0)), 0);
        return input.values[index] ?? NaN;
      }
      along -= size;
    }
    throw new Error("no input has it");
  });
}
