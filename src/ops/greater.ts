import { Relation } from "../plan/format.ts";
import { comparison } from "./compare.ts";
import { defineElementwise } from "./elementwise.ts";

/** GREATER. */
export const greater = defineElementwise({
  name: "greater",
  tflite: { builtin: 61, read: () => undefined },
  ...comparison(Relation.greater),
});
