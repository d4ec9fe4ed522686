import type { ArgExtremeAttrs } from "./arg-extreme.ts";
import { argExtreme } from "./arg-extreme.ts";
import { defineOp } from "./op.ts";

/** ARG_MIN. */
export const argMin = defineOp<ArgExtremeAttrs>({
  name: "argMin",
  tflite: { builtin: 79, read: () => undefined },
  ...argExtreme(-1),
});
