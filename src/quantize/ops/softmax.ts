import type { SoftmaxNode } from "../float-model.ts";
import type { FloatOperator } from "../operator.ts";
import { readValue, requireShape } from "../operator.ts";

/** Its results are quantised as the kernels want: 0 to 255/256 in steps of 1/256. */
export const softmax: FloatOperator<SoftmaxNode> = {
  builtin: 25,
  int8Version: 2,
  scale: { scale: 1 / 256, zeroPoint: -128 },
  operands: ({ input }) => [{ kind: "value", name: input }],
  options: ({ beta = 1 }) => [{ float: beta }],

  infer(node, [input]) {
    const shape = input?.shape ?? [];
    requireShape(shape.length >= 1, node, "its input needs a dimension");
    return [...shape];
  },

  run(node, [input], output) {
    const depth = output.shape.at(-1) ?? 1;
    for (let at = 0; at < output.data.length; at += depth) {
      const row = input?.data.subarray(at, at + depth) ?? output.data;
      const greatest = Math.max(...row);
      const exponentials = Array.from(row, (value) => Math.exp((node.beta ?? 1) * (value - greatest)));
      const sum = exponentials.reduce((a, b) => a + b, 0);
      for (const [i, value] of exponentials.entries()) output.data[at + i] = value / sum;
    }
  },

  read: (node) => ({
    op: "softmax",
    name: node.name,
    input: readValue(node, 0),
    beta: node.options?.float(0, 0) ?? 0,
  }),
};
