import { coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/** TRANSPOSE: dimension i of the output is dimension permutation[i] of the input. Each value is sent to its new place. */
export function transposeReference(
  input: Int8Tensor,
  permutation: readonly number[],
  output: Int8Output,
): Int8Array {
  const result = new Int8Array(count(output.shape));
  input.values.forEach((value, i) => {
    const from = coordinates(input.shape, i);
    const to = permutation.reduce((sum, axis, d) => sum * (output.shape[d] ?? 1) + (from[axis] ?? 0), 0);
    result[to] = value;
  });
  return result;
}
