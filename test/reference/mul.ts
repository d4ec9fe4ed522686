import {
  activationBounds,
  clampTo,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
} from "./fixed-point.ts";
import { broadcastAt, coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/** MUL: MBQM((x1−z1)·(x2−z2), QM(s1·s2 / so)) + zo. */
export function mulReference(
  lhs: Int8Tensor,
  rhs: Int8Tensor,
  output: Int8Output,
  activation: number,
): Int8Array {
  const { multiplier, shift } = quantizeMultiplier((lhs.scale * rhs.scale) / output.scale);
  const bounds = activationBounds(activation, output.scale, output.zeroPoint);
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const at = coordinates(output.shape, i);
    const product = (broadcastAt(lhs, at) - lhs.zeroPoint) * (broadcastAt(rhs, at) - rhs.zeroPoint);
    return clampTo(multiplyByQuantizedMultiplier(product, multiplier, shift) + output.zeroPoint, bounds);
  });
}
