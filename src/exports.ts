/** What all entries of the package but `thimble/runtime` give, except what needs kernels. */
export type { CompileOptions } from "./compile.ts";
export type { Schedule } from "./plan/schedule.ts";
export { compile } from "./compile.ts";
export { PASSES } from "./passes/index.ts";
export type { Pass } from "./passes/index.ts";
export type {
  Activation,
  Conv2dNode,
  DepthwiseConv2dNode,
  ElementwiseNode,
  FloatModel,
  FloatNode,
  FloatTensor,
  FullyConnectedNode,
  MeanNode,
  PadNode,
  Pool2dNode,
  ReshapeNode,
  SoftmaxNode,
} from "./quantize/float-model.ts";
export { quantize } from "./quantize/quantize.ts";
export { readFloatModel } from "./quantize/read-float.ts";
export type { FloatSample } from "./quantize/run.ts";
export { runFloat } from "./quantize/run.ts";
export { writeFloatModel } from "./quantize/write-float.ts";
export type { LoadOptions } from "./load.ts";
export * from "./runtime/exports.ts";
