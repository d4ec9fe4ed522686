import type { Tensor } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import {
  perTensor,
  requireElements,
  requireInput,
  requireInputCount,
  requireMultiplier,
  requireOutput,
  sameQuantization,
  withShape,
} from "./check.ts";
import { convertRecord, foldConversion, requireQuantized } from "./convert.ts";
import { defineOp } from "./op.ts";
import { floatBits } from "./scale-bits.ts";

/**
 * QUANTIZE: float32, or values of one type and scale, to those of another. Reference: TFLite reference/quantize.h, requantize.h.
 */
export const quantize = defineOp<undefined>({
  name: "quantize",
  tflite: { builtin: 114, read: () => undefined },

  types: ["float32", "int8", "int16", "int32", "uint8"],

  prepare(inputs, outputs) {
    requireInputCount(inputs, 1, 1);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    requireQuantized(output, "output");
    if (input.type === "float32") {
      requireElements(input, "input");
    } else {
      requireQuantized(input, "input");
      requireMultiplier(perTensor(input, "input").scale / perTensor(output, "output").scale, output);
    }
    return undefined;
  },

  infer: ([input], _attrs, [output]) => [
    withShape(output ?? { shape: [], type: "int8" }, input?.shape ?? []),
  ],
  // A multiplier of 1 returns every value of a difference, and so the input.
  isIdentity: ({ inputs: [input], outputs: [output] }) =>
    input?.type === "int8" && output !== undefined && sameQuantization(input, output),
  fold: foldConversion,
  macs: () => 0,
  // Element by element, forwards; an int8 output is never ahead of its float or int8 input.
  overlapDistance: ({ inputs: [input], outputs: [output] }) => (isPlain(input, output) ? 0 : undefined),

  lower({ inputs, outputs }, at) {
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    if (!isPlain(input, output)) return convertRecord(input, output, at);
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

/** Whether the kernels for int8 alone do it. */
function isPlain(input: Tensor | undefined, output: Tensor | undefined): boolean {
  return output?.type === "int8" && (input?.type === "float32" || input?.type === "int8");
}
