import { UnsupportedError } from "../errors.ts";
import { requireInput, requireInt8, requireOutput, sameQuantization } from "./check.ts";
import type { OpDefinition } from "./op.ts";
import { NOWHERE } from "./op.ts";
import type { ReductionAttrs } from "./reduction.ts";
import { inferReduction, prepareReduction, reductionFields } from "./reduction.ts";

/**
 * All of REDUCE_MAX (sign 1) and REDUCE_MIN (−1) but their names and codes in the file. Reference: TFLite Micro
 * kernels/reduce_common.cc.
 */
export function reduceExtreme(sign: 1 | -1): Omit<OpDefinition<ReductionAttrs>, "name" | "tflite"> {
  return {
    prepare(inputs, outputs, options) {
      const attrs = prepareReduction(inputs, options);
      const [input, output] = [requireInput(inputs, 0, "input"), requireOutput(outputs)];
      requireInt8(input, "input");
      requireInt8(output, "output");
      if (sameQuantization(input, output)) return attrs;
      throw new UnsupportedError(
        "unequal-quantization",
        `"${input.name}" has another scale or zero point than "${output.name}"; the largest and the least value are not ` +
          "rescaled: quantise them alike",
      );
    },

    infer: inferReduction,
    macs: () => 0,

    lower: ({ attrs, inputs }, at) => ({
      op: "reduceExtreme",
      input: (at.inputs[0] ?? NOWHERE).address,
      output: (at.outputs[0] ?? NOWHERE).address,
      sign,
      ...reductionFields(requireInput(inputs, 0, "input"), attrs.axes),
    }),
  };
}
