import { defineMove } from "./move.ts";
import { blocksAndDepth } from "./space-depth.ts";

/** SPACE_TO_DEPTH. */
export const spaceToDepth = defineMove({
  name: "spaceToDepth",
  tflite: { builtin: 26, read: (options) => options.int(0, 0) },
  ...blocksAndDepth(true),
});
