import { UnsupportedError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import {
  perTensor,
  requireElements,
  requireInput,
  requireInputCount,
  requireInt8,
  requireMultiplier,
  requireOutput,
  sameQuantization,
  withShape,
} from "./check.ts";
import { defineOp } from "./op.ts";

/** QUANTIZE: float32 → int8, or int8 → int8 of another scale. Reference: TFLite reference/quantize.h, requantize.h. */
export const quantize = defineOp<undefined>({
  name: "quantize",
  tflite: { builtin: 114, read: () => undefined },

  types: ["float32", "int8"],

  prepare(inputs, outputs) {
    requireInputCount(inputs, 1, 1);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    const { scale } = requireInt8(output, "output");
    if (input.type === "float32") {
      requireElements(input, "input");
    } else if (input.type === "int8") {
      requireMultiplier(requireInt8(input, "input").scale / scale, output);
    } else {
      throw new UnsupportedError(
        "unsupported-type",
        `input "${input.name}" is ${input.type}; float32 and int8 are quantised to int8: export the model with them`,
      );
    }
    return undefined;
  },

  infer: ([input], _attrs, [output]) => [
    withShape(output ?? { shape: [], type: "int8" }, input?.shape ?? []),
  ],
  // A multiplier of 1 returns every value of a difference, and so the input.
  isIdentity: ({ inputs: [input], outputs: [output] }) =>
    input?.type === "int8" && output !== undefined && sameQuantization(input, output),
  macs: () => 0,
  // Element by element, forwards; an int8 output is never ahead of its float or int8 input.
  overlapDistance: () => 0,

  lower({ inputs, outputs }, at) {
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    const { scale, zeroPoint } = perTensor(output, "output");
    const length = elementCount(output.shape);
    const place = { input: at.inputs[0]?.address ?? 0, output: at.outputs[0]?.address ?? 0, length };
    if (input.type === "float32") return { op: "quantize", ...place, scaleBits: floatBits(scale), zeroPoint };
    const from = perTensor(input, "input");
    return {
      op: "requantize",
      ...place,
      inputZeroPoint: from.zeroPoint,
      outputZeroPoint: zeroPoint,
      ...requireMultiplier(from.scale / scale, output),
    };
  },
});

/** The bit pattern of a float32. */
export function floatBits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
}
