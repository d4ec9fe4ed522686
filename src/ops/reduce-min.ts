import { defineOp } from "./op.ts";
import { reduceExtreme } from "./reduce-extreme.ts";
import type { ReductionAttrs } from "./reduction.ts";
import { readReduction } from "./reduction.ts";

/** REDUCE_MIN over any set of dimensions. */
export const reduceMin = defineOp<ReductionAttrs>({
  name: "reduceMin",
  tflite: { builtin: 89, read: readReduction },
  ...reduceExtreme(-1),
});
