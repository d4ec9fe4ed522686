import { perTensor, requireMultiplier } from "./check.ts";
import { defineOp } from "./op.ts";
import type { ReductionAttrs } from "./reduction.ts";
import { readReduction } from "./reduction.ts";
import { sumOrMean } from "./sum-or-mean.ts";

/** SUM over any set of dimensions. */
export const sum = defineOp<ReductionAttrs>({
  name: "sum",
  tflite: { builtin: 74, read: readReduction },
  ...sumOrMean((input, output) =>
    requireMultiplier(perTensor(input, "input").scale / perTensor(output, "output").scale, output),
  ),
});
