import { elementCount } from "../src/plan/shape.ts";
import type { WrittenModel, WrittenOperator, WrittenTensor } from "./model-writer.ts";
import { BUILTIN, options, SAME, VALID } from "./model-writer.ts";

/** A tensor by name; operators refer to tensors by name too. */
type Named = Omit<WrittenTensor, "name">;
type NamedOperator = Omit<WrittenOperator, "inputs" | "outputs"> & {
  readonly inputs: readonly string[];
  readonly output: string;
};

/** A model whose operators name their tensors; "" is an omitted input. */
export function named(
  tensors: Readonly<Record<string, Named>>,
  operators: readonly NamedOperator[],
  inputs: readonly string[],
  outputs: readonly string[],
): WrittenModel {
  const names = Object.keys(tensors);
  const id = (name: string): number => {
    const index = names.indexOf(name);
    if (index < 0 && name !== "") throw new Error(`no tensor "${name}"`);
    return index;
  };
  return {
    tensors: names.map((name) => ({ name, ...tensors[name], shape: tensors[name]?.shape ?? [] })),
    operators: operators.map(({ output, ...operator }) => ({
      ...operator,
      inputs: operator.inputs.map(id),
      outputs: [id(output)],
    })),
    inputs: inputs.map(id),
    outputs: outputs.map(id),
  };
}

/** int8 with a plain scale and zero point. */
export function int8(shape: readonly number[], scale = 0.05, zeroPoint = 3): Named {
  return { shape, type: "int8", scales: [scale], zeroPoints: [zeroPoint] };
}

export function float32(shape: readonly number[]): Named {
  return { shape, type: "float32" };
}

/** A constant of int32 values, as shapes, paddings and axes are. */
export function int32(values: readonly number[], shape: readonly number[] = [values.length]): Named {
  return { shape, type: "int32", data: Int32Array.from(values) };
}

/** int8 weights of values that repeat with a long period, one scale per index of `axis`. */
export function weights(shape: readonly number[], axis = 0): Named {
  const channels = shape[axis] ?? 1;
  return {
    shape,
    type: "int8",
    axis,
    scales: Array.from({ length: channels }, (_, i) => 0.01 + 0.001 * i),
    zeroPoints: Array.from({ length: channels }, () => 0),
    data: Int8Array.from({ length: elementCount(shape) }, (_, i) => ((i * 37 + 11) % 255) - 127),
  };
}

export function bias(channels: number): Named {
  const data = Int32Array.from({ length: channels }, (_, i) => 300 * i - 500);
  return { shape: [channels], type: "int32", scales: [5e-4], zeroPoints: [0], data };
}

/** State of an operator. */
export function variable(tensor: Named): Named {
  return { ...tensor, isVariable: true };
}

/** int8 weights of one scale. */
function matrix(shape: readonly number[], scale: number): Named {
  return { ...weights(shape), scales: [scale], zeroPoints: [0] };
}

/** An LSTM of `cells` over an int8 input, and an SVDF of 2 filters per unit, with operands whose names begin with `name`. */
export function lstmTensors(name: string, depth: number, cells: number, batches = 1): Record<string, Named> {
  const gates = Array.from({ length: 4 }, (_, gate) => [
    [`${name}.w${gate}`, matrix([cells, depth], 0.004 + 0.001 * gate)],
    [`${name}.r${gate}`, matrix([cells, cells], 0.003 + 0.001 * gate)],
    [`${name}.b${gate}`, bias(cells)],
  ]);
  return {
    ...(Object.fromEntries(gates.flat()) as Record<string, Named>),
    [`${name}.hidden`]: variable(int8([batches, cells], 1 / 128, 9)),
    [`${name}.cell`]: variable({
      shape: [batches, cells],
      type: "int16",
      scales: [2 ** -11],
      zeroPoints: [0],
    }),
  };
}

export function lstmInputs(name: string, input: string): string[] {
  const ofGates = (part: string): string[] => [0, 1, 2, 3].map((gate) => `${name}.${part}${gate}`);
  const none = (count: number): string[] => Array<string>(count).fill("");
  return [
    ...[input, ...ofGates("w"), ...ofGates("r"), ...none(3), ...ofGates("b"), ...none(2)],
    ...[`${name}.hidden`, `${name}.cell`, ...none(4)],
  ];
}

export function svdfTensors(
  name: string,
  depth: number,
  units: number,
  memory: number,
): Record<string, Named> {
  return {
    [`${name}.features`]: matrix([2 * units, depth], 0.01),
    [`${name}.time`]: matrix([2 * units, memory], 0.02),
    [`${name}.bias`]: bias(units),
    [`${name}.state`]: variable(int8([1, 2 * units * memory], 0.05, -7)),
  };
}

export function svdfInputs(name: string, input: string): string[] {
  return [input, ...["features", "time", "bias", "state"].map((part) => `${name}.${part}`)];
}

/** One small model per operator, valid, with every operand that the operator takes. */
export const ONE_OPERATOR: Readonly<Record<keyof typeof BUILTIN, WrittenModel>> = {
  add: named(
    { a: int8([1, 4, 4, 3]), b: int8([1, 1, 1, 3], 0.04, -5), out: int8([1, 4, 4, 3], 0.09, 1) },
    [{ builtin: BUILTIN.add, inputs: ["a", "b"], output: "out", options: options.elementwise() }],
    ["a", "b"],
    ["out"],
  ),
  averagePool2d: named(
    { in: int8([1, 5, 5, 3]), out: int8([1, 3, 3, 3]) },
    [{ builtin: BUILTIN.averagePool2d, inputs: ["in"], output: "out", options: options.pool2d(SAME, 2, 3) }],
    ["in"],
    ["out"],
  ),
  concatenation: named(
    { a: int8([1, 4, 3, 2]), b: int8([1, 4, 3, 5]), out: int8([1, 4, 3, 7]) },
    [
      {
        builtin: BUILTIN.concatenation,
        inputs: ["a", "b"],
        output: "out",
        options: options.concatenation(-1),
      },
    ],
    ["a", "b"],
    ["out"],
  ),
  slice: named(
    {
      in: int8([1, 5, 4, 3]),
      begin: int32([0, 1, 1, 0]),
      size: int32([1, 3, 2, -1]),
      out: int8([1, 3, 2, 3]),
    },
    [{ builtin: BUILTIN.slice, inputs: ["in", "begin", "size"], output: "out" }],
    ["in"],
    ["out"],
  ),
  resizeBilinear: named(
    { in: int8([1, 3, 4, 9]), size: int32([5, 6]), out: int8([1, 5, 6, 9]) },
    [
      {
        builtin: BUILTIN.resizeBilinear,
        inputs: ["in", "size"],
        output: "out",
        options: options.resizeBilinear(false, true),
      },
    ],
    ["in"],
    ["out"],
  ),
  resizeNearestNeighbor: named(
    { in: int8([1, 3, 4, 2]), size: int32([6, 5]), out: int8([1, 6, 5, 2]) },
    [
      {
        builtin: BUILTIN.resizeNearestNeighbor,
        inputs: ["in", "size"],
        output: "out",
        options: options.resizeNearestNeighbor(true, false),
      },
    ],
    ["in"],
    ["out"],
  ),
  conv2d: named(
    { in: int8([1, 6, 5, 3]), w: weights([9, 3, 3, 3]), b: bias(9), out: int8([1, 3, 3, 9], 0.2, -4) },
    [
      {
        builtin: BUILTIN.conv2d,
        inputs: ["in", "w", "b"],
        output: "out",
        options: options.conv2d(SAME, 2, 1),
      },
    ],
    ["in"],
    ["out"],
  ),
  depthwiseConv2d: named(
    { in: int8([1, 5, 6, 4]), w: weights([1, 3, 3, 8], 3), b: bias(8), out: int8([1, 3, 4, 8], 0.1, 0) },
    [
      {
        builtin: BUILTIN.depthwiseConv2d,
        inputs: ["in", "w", "b"],
        output: "out",
        options: options.depthwiseConv2d(VALID, 1, 2),
      },
    ],
    ["in"],
    ["out"],
  ),
  dequantize: named(
    { in: int8([2, 5]), out: float32([2, 5]) },
    [{ builtin: BUILTIN.dequantize, inputs: ["in"], output: "out" }],
    ["in"],
    ["out"],
  ),
  fullyConnected: named(
    { in: int8([2, 12]), w: weights([7, 12]), b: bias(7), out: int8([2, 7], 0.15, 2) },
    [
      {
        builtin: BUILTIN.fullyConnected,
        inputs: ["in", "w", "b"],
        output: "out",
        options: options.fullyConnected(),
      },
    ],
    ["in"],
    ["out"],
  ),
  maxPool2d: named(
    { in: int8([1, 4, 6, 2]), out: int8([1, 2, 3, 2]) },
    [{ builtin: BUILTIN.maxPool2d, inputs: ["in"], output: "out", options: options.pool2d(VALID, 2, 2) }],
    ["in"],
    ["out"],
  ),
  mul: named(
    { a: int8([1, 3, 2, 5]), b: int8([1, 3, 2, 5], 0.03, 0), out: int8([1, 3, 2, 5], 0.1, -1) },
    [{ builtin: BUILTIN.mul, inputs: ["a", "b"], output: "out", options: options.elementwise() }],
    ["a", "b"],
    ["out"],
  ),
  reshape: named(
    { in: int8([2, 6]), shape: int32([3, -1]), out: int8([3, 4]) },
    [{ builtin: BUILTIN.reshape, inputs: ["in", "shape"], output: "out", options: options.reshape([3, -1]) }],
    ["in"],
    ["out"],
  ),
  softmax: named(
    { in: int8([2, 6]), out: int8([2, 6], 1 / 256, -128) },
    [{ builtin: BUILTIN.softmax, inputs: ["in"], output: "out", options: options.softmax(1) }],
    ["in"],
    ["out"],
  ),
  svdf: named(
    { in: int8([1, 6]), ...svdfTensors("s", 6, 3, 4), out: int8([1, 3], 0.1, 2) },
    [{ builtin: BUILTIN.svdf, inputs: svdfInputs("s", "in"), output: "out", options: options.svdf(2, 1) }],
    ["in"],
    ["out"],
  ),
  unidirectionalSequenceLstm: named(
    { in: int8([2, 3, 5]), ...lstmTensors("l", 5, 9, 2), out: int8([2, 3, 9], 1 / 128, 9) },
    [
      {
        builtin: BUILTIN.unidirectionalSequenceLstm,
        inputs: lstmInputs("l", "in"),
        output: "out",
        options: options.unidirectionalSequenceLstm(8, false),
      },
    ],
    ["in"],
    ["out"],
  ),
  pad: named(
    { in: int8([1, 2, 3, 2]), p: int32([0, 0, 1, 2, 0, 1, 0, 0], [4, 2]), out: int8([1, 5, 4, 2]) },
    [{ builtin: BUILTIN.pad, inputs: ["in", "p"], output: "out", options: [] }],
    ["in"],
    ["out"],
  ),
  transpose: named(
    { in: int8([1, 2, 3, 4]), p: int32([0, 3, 1, 2]), out: int8([1, 4, 2, 3]) },
    [{ builtin: BUILTIN.transpose, inputs: ["in", "p"], output: "out", options: [] }],
    ["in"],
    ["out"],
  ),
  mean: named(
    { in: int8([1, 4, 3, 5]), axes: int32([1, -2]), out: int8([1, 5], 0.04, 0) },
    [{ builtin: BUILTIN.mean, inputs: ["in", "axes"], output: "out", options: options.mean(false) }],
    ["in"],
    ["out"],
  ),
  quantize: named(
    { in: float32([3, 3]), out: int8([3, 3]) },
    [{ builtin: BUILTIN.quantize, inputs: ["in"], output: "out" }],
    ["in"],
    ["out"],
  ),
};

export type OperatorName = keyof typeof ONE_OPERATOR;
export const OPERATOR_NAMES = Object.keys(ONE_OPERATOR) as OperatorName[];

/** A residual block with a side output: tensors that live across steps, in place and apart. */
export const RESIDUAL: WrittenModel = named(
  {
    in: int8([1, 8, 8, 3]),
    w0: weights([8, 3, 3, 3]),
    b0: bias(8),
    stem: int8([1, 8, 8, 8], 0.1, -10),
    w1: weights([1, 3, 3, 8], 3),
    b1: bias(8),
    depthwise: int8([1, 8, 8, 8], 0.15, 4),
    w2: weights([8, 1, 1, 8]),
    b2: bias(8),
    pointwise: int8([1, 8, 8, 8], 0.12, 0),
    sum: int8([1, 8, 8, 8], 0.2, 7),
    p: int32([0, 0, 1, 1, 1, 1, 0, 0], [4, 2]),
    padded: int8([1, 10, 10, 8], 0.12, 0),
    pooled: int8([1, 5, 5, 8], 0.12, 0),
    axes: int32([1, 2]),
    mean: int8([1, 8], 0.1, 0),
    w3: weights([5, 8]),
    b3: bias(5),
    logits: int8([1, 5], 0.1, 0),
    scores: int8([1, 5], 1 / 256, -128),
  },
  [
    {
      builtin: BUILTIN.conv2d,
      inputs: ["in", "w0", "b0"],
      output: "stem",
      options: options.conv2d(SAME, 1, 1),
    },
    {
      builtin: BUILTIN.depthwiseConv2d,
      inputs: ["stem", "w1", "b1"],
      output: "depthwise",
      options: options.depthwiseConv2d(SAME, 1, 1),
    },
    {
      builtin: BUILTIN.conv2d,
      inputs: ["depthwise", "w2", "b2"],
      output: "pointwise",
      options: options.conv2d(SAME, 1),
    },
    { builtin: BUILTIN.add, inputs: ["stem", "pointwise"], output: "sum", options: options.elementwise() },
    { builtin: BUILTIN.pad, inputs: ["pointwise", "p"], output: "padded", options: [] },
    {
      builtin: BUILTIN.maxPool2d,
      inputs: ["padded"],
      output: "pooled",
      options: options.pool2d(VALID, 2, 2),
    },
    { builtin: BUILTIN.mean, inputs: ["sum", "axes"], output: "mean", options: options.mean(false) },
    {
      builtin: BUILTIN.fullyConnected,
      inputs: ["mean", "w3", "b3"],
      output: "logits",
      options: options.fullyConnected(),
    },
    { builtin: BUILTIN.softmax, inputs: ["logits"], output: "scores", options: options.softmax(1) },
  ],
  ["in"],
  ["scores", "pooled"],
);
