/** Padding of the file format. */
export enum Padding {
  same = 0,
  valid = 1,
}

/** Padding before the first element of one dimension, and the size of the output there. */
export interface ResolvedPadding {
  readonly before: number;
  /** 0 or less where a VALID window does not fit the input. */
  readonly output: number;
}

/**
 * One spatial dimension of a convolution or pool. SAME pads max(0, (output − 1)·stride + extent − input) in all, the
 * smaller half before. Sizes, stride and dilation are positive.
 */
export function resolvePadding(
  padding: number,
  inputSize: number,
  kernel: number,
  stride: number,
  dilation: number,
): ResolvedPadding {
  const extent = (kernel - 1) * dilation + 1;
  if (padding === (Padding.valid as number)) {
    return { before: 0, output: Math.floor((inputSize - extent) / stride) + 1 };
  }
  const output = Math.ceil(inputSize / stride);
  const total = Math.max(0, (output - 1) * stride + extent - inputSize);
  return { before: Math.floor(total / 2), output };
}
