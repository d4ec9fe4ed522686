import { ModelError } from "../errors.ts";
import type { Tensor, TensorType } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import { requireMovable, withShape } from "./check.ts";
import type { Move } from "./move.ts";
import { requireSameType } from "./move.ts";

/** Tensors that one node joins to one, or takes one apart to. */
export const MAX_PARTS = 1024;

/**
 * The outputs of an operator that takes a tensor apart: as many as it says, of the input's type.
 * @throws ModelError output-count, type-mismatch
 */
export function requireParts(input: Tensor, outputs: readonly Tensor[], count: number): void {
  requireMovable(input, "input");
  if (outputs.length !== count || count < 1 || count > MAX_PARTS) {
    throw new ModelError(
      "output-count",
      `"${input.name}" is taken apart to ${outputs.length} tensors where ${count} are meant (1 to ${MAX_PARTS} can be); export the model again`,
    );
  }
  for (const output of outputs) requireSameType(input, output);
}

/** Part i is `sizes[i]` indices of dimension `axis`, after those before it. */
export function partTypes(
  input: Tensor,
  outputs: readonly Tensor[],
  axis: number,
  sizes: readonly number[],
): TensorType[] {
  return outputs.map((output, i) => withShape(output, input.shape.with(axis, sizes[i] ?? 0)));
}

export function partMoves(shape: readonly number[], axis: number, sizes: readonly number[]): Move[] {
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  let first = 0;
  return sizes.map((size, output) => {
    const from = first * inner;
    first += size;
    return {
      output,
      from,
      to: 0,
      loops: [
        { size: outer, input: (shape[axis] ?? 1) * inner, output: size * inner },
        { size: size * inner, input: 1, output: 1 },
      ],
    };
  });
}
