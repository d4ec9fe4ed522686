import { Int16Operation } from "../plan/format.ts";
import { defineElementwise } from "./elementwise.ts";

/** MINIMUM of stored values, whatever the scales. Reference: TFLite reference/maximum_minimum.h. */
export const minimum = defineElementwise<undefined>({
  name: "minimum",
  tflite: { builtin: 57, read: () => undefined },
  prepare: () => undefined,
  int16: () => ({ operation: Int16Operation.minimum }),
  record: (loops) => ({ op: "minimum", ...loops }),
});
