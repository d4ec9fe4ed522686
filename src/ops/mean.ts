import type { Tensor } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import { perTensor, requireMultiplier } from "./check.ts";
import type { Multiplier } from "./fixed-point.ts";
import { defineOp } from "./op.ts";
import type { ReductionAttrs } from "./reduction.ts";
import { readReduction } from "./reduction.ts";
import { sumOrMean } from "./sum-or-mean.ts";

/** MEAN over any set of dimensions. */
export const mean = defineOp<ReductionAttrs>({
  name: "mean",
  tflite: { builtin: 40, read: readReduction },
  ...sumOrMean(meanMultiplier),
});

/** Input to output scale, with 1 / count folded in as the reference does: k extra bits, then an integer division. */
function meanMultiplier(input: Tensor, output: Tensor, axes: readonly number[]): Multiplier {
  const count = elementCount(axes.map((axis) => input.shape[axis] ?? 1));
  const ratio = perTensor(input, "input").scale / perTensor(output, "output").scale;
  const { multiplier, shift } = requireMultiplier(ratio, output);
  const bits = Math.min(31 - Math.clz32(count), 32, 31 + shift);
  const scaled = Number((BigInt(multiplier) << BigInt(bits)) / BigInt(count));
  return { multiplier: scaled, shift: shift - bits };
}
