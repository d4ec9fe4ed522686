import { defineMove } from "./move.ts";
import { blocksAndDepth } from "./space-depth.ts";

/** DEPTH_TO_SPACE. */
export const depthToSpace = defineMove({
  name: "depthToSpace",
  tflite: { builtin: 5, read: (options) => options.int(0, 0) },
  ...blocksAndDepth(false),
});
