import { UnsupportedError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import { perTensor, requireInput, requireInputCount, requireInt8, requireOutput } from "./check.ts";
import { defineOp } from "./op.ts";
import { floatBits } from "./quantize.ts";

/** DEQUANTIZE: int8 → float32. Reference: TFLite reference/dequantize.h. */
export const dequantize = defineOp<undefined>({
  name: "dequantize",
  tflite: { builtin: 6, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 1, 1);
    requireInt8(requireInput(inputs, 0, "input"), "input");
    const output = requireOutput(outputs);
    if (output.type !== "float32") {
      throw new UnsupportedError(
        "unsupported-type",
        `output "${output.name}" is ${output.type}; int8 is dequantised to float32 only: export the model with it`,
      );
    }
    return undefined;
  },

  infer: ([input]) => [{ shape: input?.shape ?? [], type: "float32" }],
  macs: () => 0,

  lower({ inputs, outputs }, at) {
    const { scale, zeroPoint } = perTensor(requireInput(inputs, 0, "input"), "input");
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
