import { UnsupportedError } from "../errors.ts";
import { viewOf } from "../plan/arrays.ts";
import { isPortType } from "../plan/port-type.ts";
import { requireConstant, requireElements, requireInput, requireOutput } from "./check.ts";
import { requireSameType } from "./move.ts";
import { defineOp } from "./op.ts";
import type { PadAttrs } from "./pad.ts";
import { padding } from "./pad.ts";

/** PADV2 with a constant of its own, as it is stored. Reference: TFLite reference/pad.h. */
export const padV2 = defineOp<PadAttrs>({
  name: "padV2",
  tflite: { builtin: 60, read: () => undefined },
  ...padding(3, ({ inputs, outputs }) => {
    const value = requireInput(inputs, 2, "value");
    const output = requireOutput(outputs);
    requireSameType(value, output);
    const { type, name } = value;
    const data = requireConstant(value, "padding value");
    requireElements(value, "padding value");
    if (!isPortType(type)) {
      throw new UnsupportedError(
        "unsupported-type",
        `the padding value "${name}" is ${type}; int32 and smaller are run: cast what is padded to int32`,
      );
    }
    // A copy: the file's bytes lie anywhere.
    return viewOf(type, Uint8Array.from(data).buffer, 0, 1)[0] ?? 0;
  }),
});
