import { Relation } from "../plan/format.ts";
import { comparison } from "./compare.ts";
import { defineElementwise } from "./elementwise.ts";

/** LESS. */
export const less = defineElementwise({
  name: "less",
  tflite: { builtin: 58, read: () => undefined },
  ...comparison(Relation.less),
});
