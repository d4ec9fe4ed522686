import { activationBounds, clampTo } from "./fixed-point.ts";
import { poolCells, type PoolWindow } from "./pool2d.ts";
import type { Int8Output, Int8Tensor } from "./tensor.ts";

/** AVERAGE_POOL_2D: s > 0 ? (s + n/2) / n : (s − n/2) / n over the n valid cells, C division. */
export function averagePool2dReference(
  input: Int8Tensor,
  output: Int8Output,
  window: PoolWindow,
  activation: number,
): Int8Array {
  const bounds = activationBounds(activation, output.scale, output.zeroPoint);
  return Int8Array.from(poolCells(input, output, window), (cells) => {
    const n = cells.length;
    const half = Math.trunc(n / 2);
    const sum = cells.reduce((total, value) => total + value, 0);
    return clampTo(Math.trunc((sum > 0 ? sum + half : sum - half) / n), bounds);
  });
}
