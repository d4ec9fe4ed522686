/** What tests write models with: names for the operators, and their options by position. */
import type { OptionField } from "../src/tflite/write.ts";

export type { OptionField, WrittenModel, WrittenOperator, WrittenTensor } from "../src/tflite/write.ts";
export { writeModel } from "../src/tflite/write.ts";

/** BuiltinOperator codes, and their options as `OptionField`s: what tests write by name. */
export const BUILTIN = {
  add: 0,
  averagePool2d: 1,
  concatenation: 2,
  conv2d: 3,
  depthwiseConv2d: 4,
  dequantize: 6,
  fullyConnected: 9,
  maxPool2d: 17,
  mul: 18,
  reshape: 22,
  resizeBilinear: 23,
  softmax: 25,
  svdf: 27,
  pad: 34,
  transpose: 39,
  mean: 40,
  slice: 65,
  unidirectionalSequenceLstm: 44,
  resizeNearestNeighbor: 97,
  quantize: 114,
} as const;

/** Padding codes. */
export const SAME = 0;
export const VALID = 1;

/** Options tables of the operators that have fields. */
export const options = {
  conv2d: (padding: number, stride: number, activation = 0, dilation = 1): OptionField[] => [
    { byte: padding },
    { int: stride },
    { int: stride },
    { byte: activation },
    { int: dilation },
    { int: dilation },
  ],
  depthwiseConv2d: (
    padding: number,
    stride: number,
    depthMultiplier: number,
    activation = 0,
  ): OptionField[] => [
    { byte: padding },
    { int: stride },
    { int: stride },
    { int: depthMultiplier },
    { byte: activation },
  ],
  pool2d: (padding: number, stride: number, kernel: number, activation = 0): OptionField[] => [
    { byte: padding },
    { int: stride },
    { int: stride },
    { int: kernel },
    { int: kernel },
    { byte: activation },
  ],
  fullyConnected: (activation = 0): OptionField[] => [{ byte: activation }],
  elementwise: (activation = 0): OptionField[] => [{ byte: activation }],
  mean: (keepDims: boolean): OptionField[] => [{ bool: keepDims }],
  concatenation: (axis: number): OptionField[] => [{ int: axis }, { byte: 0 }],
  resizeNearestNeighbor: (alignCorners: boolean, halfPixelCenters: boolean): OptionField[] => [
    { bool: alignCorners },
    { bool: halfPixelCenters },
  ],
  resizeBilinear: (alignCorners: boolean, halfPixelCenters: boolean): OptionField[] => [
    undefined,
    undefined,
    { bool: alignCorners },
    { bool: halfPixelCenters },
  ],
  softmax: (beta: number): OptionField[] => [{ float: beta }],
  reshape: (shape: readonly number[]): OptionField[] => [{ ints: shape }],
  svdf: (rank: number, activation = 0): OptionField[] => [{ int: rank }, { byte: activation }],
  unidirectionalSequenceLstm: (cellClip: number, timeMajor: boolean): OptionField[] => [
    { byte: 4 },
    { float: cellClip },
    { float: 0 },
    { bool: timeMajor },
  ],
};
