import { activationBounds, clampTo } from "./fixed-point.ts";
import { poolCells, type PoolWindow } from "./pool2d.ts";
import type { Int8Output, Int8Tensor } from "./tensor.ts";

/** MAX_POOL_2D: the greatest valid cell. */
export function maxPool2dReference(
  input: Int8Tensor,
  output: Int8Output,
  window: PoolWindow,
  activation: number,
): Int8Array {
  const bounds = activationBounds(activation, output.scale, output.zeroPoint);
  return Int8Array.from(poolCells(input, output, window), (cells) => clampTo(Math.max(...cells), bounds));
}
