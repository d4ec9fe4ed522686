import { Relation } from "../plan/format.ts";
import { comparison } from "./compare.ts";
import { defineElementwise } from "./elementwise.ts";

/** GREATER_EQUAL. */
export const greaterEqual = defineElementwise({
  name: "greaterEqual",
  tflite: { builtin: 62, read: () => undefined },
  ...comparison(Relation.greaterEqual),
});
