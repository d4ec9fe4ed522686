import { add } from "./add.ts";
import { averagePool2d } from "./average-pool2d.ts";
import { conv2d } from "./conv2d.ts";
import { depthwiseConv2d } from "./depthwise-conv2d.ts";
import { dequantize } from "./dequantize.ts";
import { fullyConnected } from "./fully-connected.ts";
import { maxPool2d } from "./max-pool2d.ts";
import { mean } from "./mean.ts";
import { mul } from "./mul.ts";
import type { OpDefinition } from "./op.ts";
import { pad } from "./pad.ts";
import { quantize } from "./quantize.ts";
import { reshape } from "./reshape.ts";
import { softmax } from "./softmax.ts";
import { svdf } from "./svdf.ts";
import { transpose } from "./transpose.ts";
import { unidirectionalSequenceLstm } from "./unidirectional-sequence-lstm.ts";

const DEFINITIONS: readonly OpDefinition[] = [
  add,
  averagePool2d,
  conv2d,
  depthwiseConv2d,
  dequantize,
  fullyConnected,
  maxPool2d,
  mean,
  mul,
  pad,
  quantize,
  reshape,
  softmax,
  svdf,
  transpose,
  unidirectionalSequenceLstm,
];

const BY_NAME = new Map(DEFINITIONS.map((definition) => [definition.name, definition]));
const BY_BUILTIN = new Map(DEFINITIONS.map((definition) => [definition.tflite.builtin, definition]));

/** The definition of a node's operator; nodes come from verified graphs, so a miss is a bug of ours. */
export function opOf(node: { readonly op: string }): OpDefinition {
  const definition = BY_NAME.get(node.op);
  if (definition === undefined) throw new RangeError(`no operator "${node.op}"`);
  return definition;
}

/** The definition for a TFLite BuiltinOperator code, if thimble runs it. */
export function opOfBuiltin(builtin: number): OpDefinition | undefined {
  return BY_BUILTIN.get(builtin);
}
