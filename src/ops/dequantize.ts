import { UnsupportedError } from "../errors.ts";
import { elementCount } from "../plan/shape.ts";
import { perTensor, requireInput, requireInputCount, requireOutput } from "./check.ts";
import { convertRecord, foldConversion, requireQuantized } from "./convert.ts";
import { defineOp } from "./op.ts";
import { floatBits } from "./scale-bits.ts";

/** DEQUANTIZE to float32. Reference: TFLite reference/dequantize.h. */
export const dequantize = defineOp<undefined>({
  name: "dequantize",
  types: ["int8", "int16", "int32", "uint8"],
  tflite: { builtin: 6, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 1, 1);
    requireQuantized(requireInput(inputs, 0, "input"), "input");
    const output = requireOutput(outputs);
    if (output.type !== "float32") {
      throw new UnsupportedError(
        "unsupported-type",
        `output "${output.name}" is ${output.type}; values are dequantised to float32 only: export the model with it`,
      );
    }
    return undefined;
  },

  infer: ([input]) => [{ shape: input?.shape ?? [], type: "float32" }],
  fold: foldConversion,
  macs: () => 0,

  lower({ inputs, outputs }, at) {
    const input = requireInput(inputs, 0, "input");
    if (input.type !== "int8") return convertRecord(input, requireOutput(outputs), at);
    const { scale, zeroPoint } = perTensor(input, "input");
    return {
      op: "dequantize",
      input: at.inputs[0]?.address ?? 0,
      output: at.outputs[0]?.address ?? 0,
      length: elementCount(requireOutput(outputs).shape),
      scaleBits: floatBits(scale),
      zeroPoint,
    };
  },
});
