import { defineElementwise } from "./elementwise.ts";

/** MINIMUM of stored values, whatever the scales. Reference: TFLite reference/maximum_minimum.h. */
export const minimum = defineElementwise<undefined>({
  name: "minimum",
  tflite: { builtin: 57, read: () => undefined },
  prepare: () => undefined,
  record: (loops) => ({ op: "minimum", ...loops }),
});
