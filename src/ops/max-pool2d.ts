import { defineOp } from "./op.ts";
import { isInt16 } from "./int16.ts";
import { pool2d, pool2dFields, pool2dInt16, readPool2dOptions, type Pool2dAttrs } from "./pool2d.ts";

/** Greatest value over the cells of each window that lie in the input. */
export const maxPool2d = defineOp<Pool2dAttrs>({
  ...pool2d(),
  name: "maxPool2d",
  tflite: { builtin: 17, read: readPool2dOptions },
  lower: (node, at) =>
    isInt16(node) ? pool2dInt16(node, at, true) : { op: "maxPool2d", ...pool2dFields(node, at) },
});
