import { defineElementwise } from "./elementwise.ts";
import type { SumAttrs } from "./sum-operator.ts";
import { sumOperator } from "./sum-operator.ts";

/** SUB; its ratios are float32. */
export const sub = defineElementwise<SumAttrs>({
  name: "sub",
  tflite: { builtin: 41, read: (options) => options.byte(0, 0) },
  ...sumOperator("sub", Math.fround),
});
