import { Relation } from "../plan/format.ts";
import { comparison } from "./compare.ts";
import { defineElementwise } from "./elementwise.ts";

/** EQUAL. */
export const equal = defineElementwise({
  name: "equal",
  tflite: { builtin: 71, read: () => undefined },
  ...comparison(Relation.equal),
});
