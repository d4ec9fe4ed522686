import { defineOp } from "./op.ts";
import { reduceExtreme } from "./reduce-extreme.ts";
import type { ReductionAttrs } from "./reduction.ts";
import { readReduction } from "./reduction.ts";

/** REDUCE_MAX over any set of dimensions. */
export const reduceMax = defineOp<ReductionAttrs>({
  name: "reduceMax",
  tflite: { builtin: 82, read: readReduction },
  ...reduceExtreme(1),
});
