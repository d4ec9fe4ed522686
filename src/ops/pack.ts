import { ModelError } from "../errors.ts";
import { elementCount } from "../plan/shape.ts";
import { requireAxis, requireInput, requireMovable, requireOutput, withShape } from "./check.ts";
import { defineMove, requireSameType } from "./move.ts";
import { MAX_PARTS } from "./parts.ts";

/** The new dimension of the output. */
export interface PackAttrs {
  readonly axis: number;
}

/** PACK: tensors of one shape become the indices of a new dimension. Reference: TFLite Micro kernels/pack.cc. */
export const pack = defineMove<PackAttrs>({
  name: "pack",
  tflite: { builtin: 83, read: (options) => ({ count: options.int(0, 0), axis: options.int(1, 0) }) },
  constants: true,

  prepare(inputs, outputs, options) {
    const output = requireOutput(outputs);
    requireMovable(output, "output");
    const { axis, count } = options as { axis: number; count: number };
    if (inputs.length !== count || count < 1 || count > MAX_PARTS) {
      throw new ModelError(
        "input-count",
        `${inputs.length} tensors are packed to "${output.name}" where ${count} are meant (1 to ${MAX_PARTS} can be); export the model again`,
      );
    }
    const first = requireInput(inputs, 0, "operand");
    for (const index of inputs.keys()) {
      const input = requireInput(inputs, index, "operand");
      requireSameType(input, output);
      if (input.shape.join() !== first.shape.join()) {
        throw new ModelError(
          "shape-mismatch",
          `operand "${input.name}" [${input.shape.join(", ")}] cannot be packed with "${first.name}" [${first.shape.join(", ")}]; export the model again`,
        );
      }
    }
    return { axis: requireAxis(axis, output) };
  },

  infer: (inputs, { axis }, outputs) => [
    withShape(
      requireOutput(outputs),
      requireInput(inputs, 0, "operand").shape.toSpliced(axis, 0, inputs.length),
    ),
  ],

  moves({ attrs: { axis }, inputs }) {
    const { shape } = requireInput(inputs, 0, "operand");
    const inner = elementCount(shape.slice(axis));
    return inputs.map((_, input) => ({
      input,
      from: 0,
      to: input * inner,
      loops: [
        { size: elementCount(shape.slice(0, axis)), input: inner, output: inputs.length * inner },
        { size: inner, input: 1, output: 1 },
      ],
    }));
  },
});
