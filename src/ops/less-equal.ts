import { Relation } from "../plan/format.ts";
import { comparison } from "./compare.ts";
import { defineElementwise } from "./elementwise.ts";

/** LESS_EQUAL. */
export const lessEqual = defineElementwise({
  name: "lessEqual",
  tflite: { builtin: 63, read: () => undefined },
  ...comparison(Relation.lessEqual),
});
