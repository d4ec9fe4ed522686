import { UnsupportedError } from "../errors.ts";
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
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    switch (type) {
      case "int8":
        return view.getInt8(0);
      case "uint8":
      case "bool":
        return view.getUint8(0);
      case "int16":
        return view.getInt16(0, true);
      case "float32":
        return view.getFloat32(0, true);
      case "int32":
        return view.getInt32(0, true);
      case "int64":
        throw new UnsupportedError(
          "unsupported-type",
          `the padding value "${name}" is int64; int32 and smaller are run: cast what is padded to int32`,
        );
    }
  }),
});
