import { defineElementwise } from "./elementwise.ts";
import type { SumAttrs } from "./sum-operator.ts";
import { sumOperator } from "./sum-operator.ts";

/** ADD. */
export const add = defineElementwise<SumAttrs>({
  name: "add",
  tflite: { builtin: 0, read: (options) => options.byte(0, 0) },
  ...sumOperator("add", (ratio) => ratio),
});
