import { Int16Operation } from "../plan/format.ts";
import { defineElementwise } from "./elementwise.ts";

/** MAXIMUM of stored values, whatever the scales. Reference: TFLite reference/maximum_minimum.h. */
export const maximum = defineElementwise<undefined>({
  name: "maximum",
  tflite: { builtin: 55, read: () => undefined },
  prepare: () => undefined,
  int16: () => ({ operation: Int16Operation.maximum }),
  record: (loops) => ({ op: "maximum", ...loops }),
});
