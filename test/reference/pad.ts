import { broadcastAt, coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/** PAD: the input with `before` elements in front of each dimension; the rest of the output is its zero point. */
export function padReference(input: Int8Tensor, before: readonly number[], output: Int8Output): Int8Array {
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const at = coordinates(output.shape, i).map((x, axis) => x - (before[axis] ?? 0));
    const inside = at.every((x, axis) => x >= 0 && x < (input.shape[axis] ?? 0));
    return inside ? broadcastAt(input, at) : output.zeroPoint;
  });
}
