import { defineOp } from "./op.ts";
import { pool2d, type Pool2dAttrs, pool2dFields, readPool2dOptions } from "./pool2d.ts";

/** Mean over the cells of each window that lie in the input, rounded half away from zero. */
export const averagePool2d = defineOp<Pool2dAttrs>({
  ...pool2d(),
  name: "averagePool2d",
  tflite: { builtin: 1, read: readPool2dOptions },
  lower: (node, at) => ({ op: "averagePool2d", ...pool2dFields(node, at) }),
});
