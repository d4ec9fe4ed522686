import type { FullyConnectedNode } from "../float-model.ts";
import type { FloatOperator } from "../operator.ts";
import {
  activationField,
  biasOperand,
  clampOf,
  readActivation,
  readBias,
  readConstant,
  readValue,
  requireShape,
} from "../operator.ts";
import { elementCount } from "../../plan/shape.ts";

/** FULLY_CONNECTED: one scale for all weights, which every TFLite reader takes. */
export const fullyConnected: FloatOperator<FullyConnectedNode> = {
  builtin: 9,
  int8Version: 4,
  operands: ({ input, weights, bias }) => [
    { kind: "value", name: input },
    { kind: "weights", tensor: weights },
    ...biasOperand(bias),
  ],
  options: ({ activation, keepDims = false }) => [
    activationField(activation),
    { byte: 0 },
    { bool: keepDims },
  ],

  infer(node, [input, weights, bias]) {
    const [channels = 0, depth = 0] = weights?.shape ?? [];
    const shape = input?.shape ?? [];
    const elements = elementCount(shape);
    requireShape(weights?.shape.length === 2, node, "its weights must have shape [channels, depth]");
    requireShape(
      elements % depth === 0,
      node,
      `its weights take rows of ${depth} values, its input of shape [${shape.join(", ")}] has ${elements}`,
    );
    const length = bias?.data.length ?? channels;
    requireShape(length === channels, node, `its bias has ${length} values for ${channels} output channels`);
    if (node.keepDims !== true) return [elements / depth, channels];
    requireShape(
      shape.at(-1) === depth,
      node,
      `its input's last dimension must be ${depth} to keep the others`,
    );
    return [...shape.slice(0, -1), channels];
  },

  run(node, [input, weights, bias], output) {
    const [channels = 0, depth = 0] = weights?.shape ?? [];
    const [low, high] = clampOf(node.activation);
    for (let at = 0; at < output.data.length; at++) {
      const o = at % channels;
      const row = ((at - o) / channels) * depth;
      let sum = bias?.data[o] ?? 0;
      for (let i = 0; i < depth; i++)
        sum += (input?.data[row + i] ?? 0) * (weights?.data[o * depth + i] ?? 0);
      output.data[at] = Math.min(Math.max(sum, low), high);
    }
  },

  read: (node) => ({
    op: "fullyConnected",
    name: node.name,
    input: readValue(node, 0),
    weights: readConstant(node, 1, "weights"),
    ...readBias(node),
    activation: readActivation(node, 0),
    keepDims: node.options?.bool(2, false) ?? false,
  }),
};
