import { coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/** Of both resizes. */
export interface ResizeMode {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** RESIZE_NEAREST_NEIGHBOR: float32 positions. */
export function resizeNearestNeighborReference(
  input: Int8Tensor,
  output: Int8Output,
  mode: ResizeMode,
): Int8Array {
  const f = Math.fround;
  const source = (i: number, inputSize: number, outputSize: number): number => {
    const scale =
      mode.alignCorners && outputSize > 1
        ? f(f(inputSize - 1) / f(outputSize - 1))
        : f(f(inputSize) / f(outputSize));
    const x = f(f(i + (mode.halfPixelCenters ? 0.5 : 0)) * scale);
    const index = mode.alignCorners ? Math.floor(x + 0.5) : Math.floor(x);
    return Math.max(Math.min(index, inputSize - 1), 0);
  };
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const [n = 0, y = 0, x = 0, c = 0] = coordinates(output.shape, i);
    const [, height = 1, width = 1] = output.shape;
    return pixel(input, n, source(y, input.shape[1] ?? 1, height), source(x, input.shape[2] ?? 1, width), c);
  });
}

/** RESIZE_BILINEAR: positions with ten bits behind the point, exact products, division toward zero after half is added. */
export function resizeBilinearReference(input: Int8Tensor, output: Int8Output, mode: ResizeMode): Int8Array {
  const source = (i: number, inputSize: number, outputSize: number): [bigint, bigint, bigint] => {
    const corners = mode.alignCorners && outputSize > 1;
    const [cells, steps] = corners ? [inputSize - 1, outputSize - 1] : [inputSize, outputSize];
    const scale = (1024n * BigInt(cells) + BigInt(steps) / 2n) / BigInt(steps);
    const position = BigInt(i) * scale + (mode.halfPixelCenters ? scale / 2n - 512n : 0n);
    const low = position / 1024n > 0n ? position / 1024n : 0n;
    const next = (position + 1023n) / 1024n;
    return [low, next < inputSize ? next : BigInt(inputSize - 1), position - 1024n * low];
  };
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const [n = 0, y = 0, x = 0, c = 0] = coordinates(output.shape, i);
    const [top, bottom, down] = source(y, input.shape[1] ?? 1, output.shape[1] ?? 1);
    const [left, right, across] = source(x, input.shape[2] ?? 1, output.shape[2] ?? 1);
    const at = (row: bigint, column: bigint): bigint =>
      BigInt(pixel(input, n, Number(row), Number(column), c));
    const sum =
      at(top, left) * (1024n - down) * (1024n - across) +
      at(top, right) * (1024n - down) * across +
      at(bottom, left) * down * (1024n - across) +
      at(bottom, right) * down * across;
    return Number((sum + (sum > 0n ? 1n << 19n : -(1n << 19n))) / (1n << 20n));
  });
}

function pixel({ shape, values }: Int8Tensor, n: number, y: number, x: number, c: number): number {
  const [, height = 1, width = 1, channels = 1] = shape;
  return values[((n * height + y) * width + x) * channels + c] ?? NaN;
}
