import type { OptionField } from "../../tflite/write.ts";
import type { Conv2dNode, DepthwiseConv2dNode, FloatTensor } from "../float-model.ts";
import type { FileNode, FloatOperator, Operand } from "../operator.ts";
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
import type { Window } from "./window.ts";
import { eachPixel, readWindow, windowFields, windowOf } from "./window.ts";

type ConvolutionNode = Conv2dNode | DepthwiseConv2dNode;

/** CONV_2D: a scale of weights per output channel, dimension 0. */
export const conv2d: FloatOperator<Conv2dNode> = {
  builtin: 3,
  int8Version: 3,
  operands: (node) => operands(node, 0),
  options: (node) => [...windowFields(node), activationField(node.activation), ...dilationFields(node)],

  infer(node, [input, weights, bias]) {
    const { batches, depth, rows, columns } = convolutionWindow(node, input);
    const [channels = 0, , , filterDepth] = weights?.shape ?? [];
    requireShape(
      filterDepth === depth,
      node,
      `its weights take ${filterDepth ?? 0} channels, its input has ${depth}`,
    );
    requireBias(node, bias, channels);
    return [batches, rows.output, columns.output, channels];
  },

  run(node, [input, weights, bias], output) {
    const window = convolutionWindow(node, input);
    const { depth, rows, columns } = window;
    const [from, by, to] = [input?.data ?? EMPTY, weights?.data ?? EMPTY, output.data];
    const channels = output.shape[3] ?? 0;
    const [low, high] = clampOf(node.activation);
    const filter = rows.kernel * columns.kernel * depth;
    eachPixel(window, (pixel, cells) => {
      for (let o = 0; o < channels; o++) {
        let sum = bias?.data[o] ?? 0;
        for (const { inputPixel, kernelPixel } of cells) {
          const at = inputPixel * depth;
          const weight = o * filter + kernelPixel * depth;
          for (let c = 0; c < depth; c++) sum += (from[at + c] ?? 0) * (by[weight + c] ?? 0);
        }
        to[pixel * channels + o] = Math.min(Math.max(sum, low), high);
      }
    });
  },

  read: (node) => ({ op: "conv2d", ...readConvolution(node, 3, 4) }),
};

/** DEPTHWISE_CONV_2D: a scale of weights per output channel, dimension 3. */
export const depthwiseConv2d: FloatOperator<DepthwiseConv2dNode> = {
  builtin: 4,
  int8Version: 3,
  operands: (node) => operands(node, 3),
  options: (node, [input]) => [
    ...windowFields(node),
    { int: (node.weights.shape[3] ?? 1) / (input?.shape[3] ?? 1) },
    activationField(node.activation),
    ...dilationFields(node),
  ],

  infer(node, [input, weights, bias]) {
    const { batches, depth, rows, columns } = convolutionWindow(node, input);
    const [one, , , channels = 0] = weights?.shape ?? [];
    requireShape(one === 1, node, "its weights must have shape [1, kernelHeight, kernelWidth, channels]");
    requireShape(
      channels > 0 && channels % depth === 0,
      node,
      `its weights have ${channels} channels, which must be a multiple of its input's ${depth}`,
    );
    requireBias(node, bias, channels);
    return [batches, rows.output, columns.output, channels];
  },

  run(node, [input, weights, bias], output) {
    const window = convolutionWindow(node, input);
    const [from, by, to] = [input?.data ?? EMPTY, weights?.data ?? EMPTY, output.data];
    const channels = output.shape[3] ?? 0;
    const multiplier = channels / window.depth;
    const [low, high] = clampOf(node.activation);
    eachPixel(window, (pixel, cells) => {
      for (let o = 0; o < channels; o++) {
        const c = Math.floor(o / multiplier);
        let sum = bias?.data[o] ?? 0;
        for (const { inputPixel, kernelPixel } of cells) {
          sum += (from[inputPixel * window.depth + c] ?? 0) * (by[kernelPixel * channels + o] ?? 0);
        }
        to[pixel * channels + o] = Math.min(Math.max(sum, low), high);
      }
    });
  },

  read: (node) => ({ op: "depthwiseConv2d", ...readConvolution(node, 4, 5) }),
};

const EMPTY = new Float32Array(0);

function operands({ input, weights, bias }: ConvolutionNode, axis: number): Operand[] {
  return [{ kind: "value", name: input }, { kind: "weights", tensor: weights, axis }, ...biasOperand(bias)];
}

function convolutionWindow(node: ConvolutionNode, input: FloatTensor = { shape: [], data: EMPTY }): Window {
  const [, height = 0, width = 0] = node.weights.shape;
  requireShape(node.weights.shape.length === 4, node, "its weights must have four dimensions");
  return windowOf(node, input, [height, width], [node.dilationY ?? 1, node.dilationX ?? 1]);
}

function requireBias(node: ConvolutionNode, bias: FloatTensor | undefined, channels: number): void {
  const length = bias?.data.length ?? channels;
  requireShape(length === channels, node, `its bias has ${length} values for ${channels} output channels`);
}

function dilationFields({ dilationX = 1, dilationY = 1 }: ConvolutionNode): OptionField[] {
  return [{ int: dilationX }, { int: dilationY }];
}

/** `activation` and `dilation`: ids of the options' fields. */
function readConvolution(node: FileNode, activation: number, dilation: number): Omit<Conv2dNode, "op"> {
  return {
    name: node.name,
    input: readValue(node, 0),
    weights: readConstant(node, 1, "weights"),
    ...readBias(node),
    ...readWindow(node),
    activation: readActivation(node, activation),
    dilationX: node.options?.int(dilation, 1) ?? 1,
    dilationY: node.options?.int(dilation + 1, 1) ?? 1,
  };
}
