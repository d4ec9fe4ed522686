import { Relation } from "../plan/format.ts";
import { comparison } from "./compare.ts";
import { defineElementwise } from "./elementwise.ts";

/** NOT_EQUAL. */
export const notEqual = defineElementwise({
  name: "notEqual",
  tflite: { builtin: 72, read: () => undefined },
  ...comparison(Relation.notEqual),
});
