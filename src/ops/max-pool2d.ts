import { defineOp } from "./op.ts";
import { pool2d, type Pool2dAttrs, pool2dFields, readPool2dOptions } from "./pool2d.ts";

/** Greatest value over the cells of each window that lie in the input. */
export const maxPool2d = defineOp<Pool2dAttrs>({
  ...pool2d(),
  name: "maxPool2d",
  tflite: { builtin: 17, read: readPool2dOptions },
  lower: (node, at) => ({ op: "maxPool2d", ...pool2dFields(node, at) }),
});
