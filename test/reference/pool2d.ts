import { broadcastAt, coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

export interface PoolWindow {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly same: boolean;
}

/** Output size and leading padding of one dimension, as the reference computes them. */
export function poolGeometry(
  size: number,
  kernel: number,
  stride: number,
  same: boolean,
): { output: number; before: number } {
  const output = Math.floor((same ? size + stride - 1 : size + stride - kernel) / stride);
  return { output, before: Math.floor(Math.max(0, (output - 1) * stride + kernel - size) / 2) };
}

/** Per output value, the input values of its window that lie in the input. */
export function poolCells(input: Int8Tensor, output: Int8Output, window: PoolWindow): number[][] {
  const [, height = 1, width = 1] = input.shape;
  const { kernelHeight, kernelWidth, strideY, strideX, same } = window;
  const top = poolGeometry(height, kernelHeight, strideY, same).before;
  const left = poolGeometry(width, kernelWidth, strideX, same).before;
  return Array.from({ length: count(output.shape) }, (_, i) => {
    const [n = 0, y = 0, x = 0, c = 0] = coordinates(output.shape, i);
    const cells: number[] = [];
    for (let row = y * strideY - top; row < y * strideY - top + kernelHeight; row++) {
      for (let column = x * strideX - left; column < x * strideX - left + kernelWidth; column++) {
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        // A dimension of size 1 repeats, which changes nothing inside the bounds.
        cells.push(broadcastAt(input, [n, row, column, c]));
      }
    }
    return cells;
  });
}
