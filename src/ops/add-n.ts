import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { ADD_N_INPUTS } from "../plan/format.ts";
import type { RecordOf } from "../plan/record.ts";
import { elementCount } from "../plan/shape.ts";
import { ADD_N_OPERANDS } from "../plan/steps.ts";
import { perTensor, requireInput, requireInt8, requireOutput, sameQuantization, withShape } from "./check.ts";
import { operandPlace, packConstants } from "./constants.ts";
import { quantizeMultiplier } from "./fixed-point.ts";
import { defineOp, NOWHERE } from "./op.ts";

/** ADD_N of int8: tensors of one shape and one quantisation, element by element. Reference: TFLite Micro kernels/add_n.cc. */
export const addN = defineOp<undefined>({
  name: "addN",
  tflite: { builtin: 106, read: () => undefined },

  prepare(inputs, outputs) {
    const output = requireOutput(outputs);
    requireInt8(output, "output");
    if (inputs.length < 2 || inputs.length > ADD_N_INPUTS) {
      throw new UnsupportedError(
        "input-count",
        `${inputs.length} tensors are added to "${output.name}"; 2 to ${ADD_N_INPUTS} can be: add them in several steps`,
      );
    }
    const first = requireInput(inputs, 0, "operand");
    for (const index of inputs.keys()) {
      const input = requireInput(inputs, index, "operand");
      requireInt8(input, "operand");
      if (input.shape.join() !== first.shape.join()) {
        throw new ModelError(
          "shape-mismatch",
          `operand "${input.name}" [${input.shape.join(", ")}] cannot be added to "${first.name}" [${first.shape.join(", ")}]; ` +
            "ADD_N repeats no dimensions: broadcast it before, or use ADD",
        );
      }
      if (!sameQuantization(input, first)) {
        throw new UnsupportedError(
          "unequal-quantization",
          `operand "${input.name}" has another scale or zero point than "${first.name}"; ADD_N needs one for all: quantise them alike`,
        );
      }
    }
    if (quantizeMultiplier(ratioOf(first, output)).shift > 0) {
      throw new UnsupportedError(
        "output-scale-too-small",
        `output "${output.name}" has scale ${perTensor(output, "output").scale}, its operands ${perTensor(first, "operand").scale}; ` +
          "a sum needs an output scale above 2^-19 of theirs: quantise with a representative data set",
      );
    }
    return undefined;
  },

  infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],
  macs: () => 0,
  overlapDistance: () => 0,
  pack: packConstants,

  lower(node, at) {
    const { inputs, outputs } = node;
    const [first, output] = [requireInput(inputs, 0, "operand"), requireOutput(outputs)];
    // One entry per operand, by its name.
    const addresses = Object.fromEntries(
      ADD_N_OPERANDS.map((name, i) => [name, operandPlace(node, at, i).address]),
    ) as Pick<RecordOf<"addN">, (typeof ADD_N_OPERANDS)[number]>;
    return {
      op: "addN",
      output: (at.outputs[0] ?? NOWHERE).address,
      length: elementCount(output.shape),
      count: inputs.length,
      inputZeroPoint: perTensor(first, "operand").zeroPoint,
      outputZeroPoint: perTensor(output, "output").zeroPoint,
      ...quantizeMultiplier(ratioOf(first, output)),
      ...addresses,
    };
  },
});

/** Sums have 20 bits behind the point, of twice the inputs' scale. */
function ratioOf(input: Tensor, output: Tensor): number {
  return (2 * perTensor(input, "operand").scale) / (2 ** 20 * perTensor(output, "output").scale);
}
