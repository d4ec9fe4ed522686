import type { ArgExtremeAttrs } from "./arg-extreme.ts";
import { argExtreme } from "./arg-extreme.ts";
import { defineOp } from "./op.ts";

/** ARG_MAX. */
export const argMax = defineOp<ArgExtremeAttrs>({
  name: "argMax",
  tflite: { builtin: 56, read: () => undefined },
  ...argExtreme(1),
});
