/** An int8 tensor as the references take it: NHWC where it is spatial, row-major always. */
export interface Int8Tensor {
  readonly shape: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
  readonly values: Int8Array;
}

/** As Int8Tensor, of int16. */
export type Int16Tensor = Omit<Int8Tensor, "values"> & { readonly values: Int16Array };

/** Where and how an operator's result is quantised. */
export type Int8Output = Omit<Int8Tensor, "values">;

/** Product of the dimensions. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The coordinates of element `index` of a row-major tensor. */
export function coordinates(shape: readonly number[], index: number): number[] {
  let rest = index;
  const result = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    result[axis] = rest % size;
    rest = Math.floor(rest / size);
  }
  return result;
}

/** The value at these coordinates; leading ones beyond the tensor's rank are ignored, dimensions of 1 repeat. */
export function broadcastAt(tensor: Int8Tensor | Int16Tensor, at: readonly number[]): number {
  const skipped = at.length - tensor.shape.length;
  const index = tensor.shape.reduce(
    (sum, size, i) => sum * size + (size === 1 ? 0 : (at[i + skipped] ?? 0)),
    0,
  );
  return tensor.values[index] ?? 0;
}
