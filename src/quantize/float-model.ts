/** A model of float32, as plain objects: what is quantised. */

/** Values and their shape. Activations are NHWC. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What an operator clamps its result to. */
export type Activation = "none" | "relu" | "reluN1To1" | "relu6";

interface NodeBase {
  /** Of the node and of the value that it makes. */
  readonly name: string;
}

/** How a window moves over rows and columns. */
export interface WindowOptions {
  /** As TensorFlow pads. */
  readonly padding: "same" | "valid";
  /** Default 1. */
  readonly strideY?: number;
  /** Default 1. */
  readonly strideX?: number;
  /** Default "none". */
  readonly activation?: Activation;
}

interface ConvolutionOptions extends WindowOptions {
  readonly input: string;
  /** One value per output channel; none is all 0. */
  readonly bias?: Float32Array;
  /** Default 1. */
  readonly dilationY?: number;
  /** Default 1. */
  readonly dilationX?: number;
}

/** A convolution: weights [channels, kernelHeight, kernelWidth, depth]. */
export interface Conv2dNode extends NodeBase, ConvolutionOptions {
  readonly op: "conv2d";
  readonly weights: FloatTensor;
}

/** A convolution of each channel for itself: weights [1, kernelHeight, kernelWidth, depth · multiplier]. */
export interface DepthwiseConv2dNode extends NodeBase, ConvolutionOptions {
  readonly op: "depthwiseConv2d";
  readonly weights: FloatTensor;
}

/** A matrix product over the last dimension: weights [channels, depth]. The result is [rows, channels]. */
export interface FullyConnectedNode extends NodeBase {
  readonly op: "fullyConnected";
  readonly input: string;
  readonly weights: FloatTensor;
  /** One value per output channel; none is all 0. */
  readonly bias?: Float32Array;
  /** Default "none". */
  readonly activation?: Activation;
  /** The result keeps the input's leading dimensions. */
  readonly keepDims?: boolean;
}

/** The mean or the greatest of each window. */
export interface Pool2dNode extends NodeBase, WindowOptions {
  readonly op: "averagePool2d" | "maxPool2d";
  readonly input: string;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
}

/** A sum or product with broadcasting; one operand may be constant. */
export interface ElementwiseNode extends NodeBase {
  readonly op: "add" | "mul";
  readonly inputs: readonly [string | FloatTensor, string | FloatTensor];
  /** Default "none". */
  readonly activation?: Activation;
}

/** The mean over dimensions; negative ones count from the end. */
export interface MeanNode extends NodeBase {
  readonly op: "mean";
  readonly input: string;
  readonly axes: readonly number[];
  /** Reduced dimensions stay, with size 1. */
  readonly keepDims?: boolean;
}

/** The same values in another shape, one dimension of which may be -1. */
export interface ReshapeNode extends NodeBase {
  readonly op: "reshape";
  readonly input: string;
  readonly shape: readonly number[];
}

/** Zeros around the values: before and after, for each dimension. */
export interface PadNode extends NodeBase {
  readonly op: "pad";
  readonly input: string;
  readonly paddings: readonly (readonly [before: number, after: number])[];
}

/** Softmax over the last dimension. */
export interface SoftmaxNode extends NodeBase {
  readonly op: "softmax";
  readonly input: string;
  /** Default 1. */
  readonly beta?: number;
}

/** A node of a float32 model: what `quantize` knows. */
export type FloatNode =
  | Conv2dNode
  | DepthwiseConv2dNode
  | FullyConnectedNode
  | Pool2dNode
  | ElementwiseNode
  | MeanNode
  | ReshapeNode
  | PadNode
  | SoftmaxNode;

/** Nodes are in an order in which every input is there when it is needed. Values are known by name. */
export interface FloatModel {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly nodes: readonly FloatNode[];
  readonly outputs: readonly string[];
}
