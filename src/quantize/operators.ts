import type { FloatNode } from "./float-model.ts";
import type { FloatOperator } from "./operator.ts";
import { conv2d, depthwiseConv2d } from "./ops/convolution.ts";
import { add, mul } from "./ops/elementwise.ts";
import { fullyConnected } from "./ops/fully-connected.ts";
import { mean } from "./ops/mean.ts";
import { averagePool2d, maxPool2d } from "./ops/pool2d.ts";
import { pad, reshape } from "./ops/rearrange.ts";
import { softmax } from "./ops/softmax.ts";

/** The nodes that `op` may stand in. */
type NodeOf<Op, N = FloatNode> = N extends FloatNode ? (Op extends N["op"] ? N : never) : never;

const OPERATORS: { readonly [Op in FloatNode["op"]]: FloatOperator<NodeOf<Op>> } = {
  add,
  averagePool2d,
  conv2d,
  depthwiseConv2d,
  fullyConnected,
  maxPool2d,
  mean,
  mul,
  pad,
  reshape,
  softmax,
};

/** What nodes can be. */
export const FLOAT_OPERATORS: readonly string[] = Object.keys(OPERATORS);

/** The operator of a node; undefined for a name that is none. */
export function floatOperatorOf(node: FloatNode): FloatOperator<FloatNode> | undefined {
  // Each operator takes the nodes of its own name, which is how it was found.
  return Object.hasOwn(OPERATORS, node.op) ? OPERATORS[node.op] : undefined;
}

/** The operator for a TFLite BuiltinOperator code, if it can be quantised. */
export function floatOperatorOfBuiltin(builtin: number): FloatOperator<FloatNode> | undefined {
  const operators = Object.values(OPERATORS) as FloatOperator<FloatNode>[];
  return operators.find((operator) => operator.builtin === builtin);
}
