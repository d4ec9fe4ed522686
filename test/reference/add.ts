import {
  activationBounds,
  clampTo,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
} from "./fixed-point.ts";
import { broadcastAt, coordinates, count, type Int8Output, type Int8Tensor } from "./tensor.ts";

/** ADD: r = MBQM(MBQM((x1−z1) << 20, q1) + MBQM((x2−z2) << 20, q2), qo) + zo, with tw = 2·max(s1, s2). */
export function addReference(
  lhs: Int8Tensor,
  rhs: Int8Tensor,
  output: Int8Output,
  activation: number,
): Int8Array {
  const twice = 2 * Math.max(lhs.scale, rhs.scale);
  const q1 = quantizeMultiplier(lhs.scale / twice);
  const q2 = quantizeMultiplier(rhs.scale / twice);
  const qo = quantizeMultiplier(twice / (1048576 * output.scale));
  const bounds = activationBounds(activation, output.scale, output.zeroPoint);
  return Int8Array.from({ length: count(output.shape) }, (_, i) => {
    const at = coordinates(output.shape, i);
    const x1 = (broadcastAt(lhs, at) - lhs.zeroPoint) * 1048576;
    const x2 = (broadcastAt(rhs, at) - rhs.zeroPoint) * 1048576;
    const sum =
      multiplyByQuantizedMultiplier(x1, q1.multiplier, q1.shift) +
      multiplyByQuantizedMultiplier(x2, q2.multiplier, q2.shift);
    return clampTo(multiplyByQuantizedMultiplier(sum, qo.multiplier, qo.shift) + output.zeroPoint, bounds);
  });
}
