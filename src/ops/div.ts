import type { ElementwiseOperands } from "./broadcast.ts";
import { perTensor, requireActivation, requireMultiplier } from "./check.ts";
import { defineElementwise } from "./elementwise.ts";
import type { FusedActivation, Multiplier } from "./fixed-point.ts";
import { scaledFields } from "./mul.ts";

export interface DivAttrs {
  readonly activation: FusedActivation;
}

/** DIV, lhs / rhs, broadcast, with a fused activation. Reference: TFLite Micro kernels/div.cc. */
export const div = defineElementwise<DivAttrs>({
  name: "div",
  tflite: { builtin: 42, read: (options) => options.byte(0, 0) },

  prepare(options, operands) {
    quotientMultiplier(operands);
    return { activation: requireActivation(options as number, operands.output) };
  },

  record: (loops, operands, { attrs }) => ({
    op: "div",
    ...scaledFields(loops, operands, quotientMultiplier(operands), attrs.activation),
  }),
});

/** In float32. */
function quotientMultiplier({ lhs, rhs, output }: ElementwiseOperands): Multiplier {
  const below = Math.fround(perTensor(rhs, "rhs").scale * perTensor(output, "output").scale);
  return requireMultiplier(Math.fround(perTensor(lhs, "lhs").scale / below), output);
}
