import { elementCount } from "../plan/shape.ts";

/** Element types that a tensor can have here. */
export type ElementType = "int8" | "uint8" | "int16" | "int32" | "int64" | "float32" | "bool";

/** Per-tensor (one scale) or per-channel (one scale per index of dimension `axis`) affine quantisation. */
export interface Quantization {
  readonly scales: Float32Array;
  readonly zeroPoints: Int32Array;
  readonly axis: number;
}

/** Shape and type, without a place in a graph. Activations are NHWC. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly quantization?: Quantization;
}

/** Channels that have one value throughout, in ascending order. */
export type ConstantChannels = readonly (readonly [channel: number, value: number])[];

/**
 * A value of the graph. `id` is its index in `Graph.tensors`; tensors read from a file keep the file's index, so that a
 * trace can be compared with another engine's.
 */
export interface Tensor extends TensorType {
  readonly id: number;
  readonly name: string;
  /** Little-endian bytes of a constant; absent for activations. */
  readonly data?: Uint8Array;
  /** Of a tensor that stands for another with fewer channels, the last dimension: that one's id, and the values of those that it lacks. */
  readonly lacks?: { readonly of: number; readonly channels: ConstantChannels };
  /** Keeps its value from run to run; operators read and change it in place. */
  readonly isVariable?: true;
}

/** One operator application. `inputs` holds tensor ids, -1 for an omitted optional input. */
export interface Node {
  /** Name of the operator, a key of the operator table. */
  readonly op: string;
  /** For messages: the file's name of its first output. */
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Typed by the operator's definition. */
  readonly attrs: unknown;
  /** Index of the operator in the file; -1 for nodes that passes made. */
  readonly source: number;
}

/** Nodes are in execution order. Immutable: passes return new graphs. */
export interface Graph {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  readonly nodes: readonly Node[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /**
   * Parallel to inputs and outputs: the float tensor of the file that the host converts to or from this int8 one, where a
   * pass has moved QUANTIZE or DEQUANTIZE to the host.
   */
  readonly border?: {
    readonly inputs: readonly (number | undefined)[];
    readonly outputs: readonly (number | undefined)[];
  };
}

/** Dimensions that a tensor may have. */
export const MAX_RANK = 8;

const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  int8: 1,
  uint8: 1,
  bool: 1,
  int16: 2,
  int32: 4,
  float32: 4,
  int64: 8,
};

/** Bytes of one element. */
export function elementBytes(type: ElementType): number {
  return ELEMENT_BYTES[type];
}

/** Bytes of the tensor, dense. */
export function byteSize(tensor: TensorType): number {
  return elementCount(tensor.shape) * elementBytes(tensor.type);
}

/** The byte that a variable tensor is filled with before the first run, as TFLM does: an int8 tensor's zero point, else 0. */
export function initialByte({ type, quantization }: TensorType): number {
  return type === "int8" ? (quantization?.zeroPoints[0] ?? 0) & 0xff : 0;
}

/** The tensor of this id; ids come from a verified graph, so a miss is a bug of ours. */
export function tensorOf(graph: Graph, id: number): Tensor {
  const tensor = graph.tensors[id];
  if (tensor === undefined) throw new RangeError(`no tensor ${id} in graph "${graph.name}"`);
  return tensor;
}

/** A node with its tensors looked up: what operators work on. */
export interface BoundNode<Attrs = unknown> {
  readonly name: string;
  readonly attrs: Attrs;
  /** undefined where an optional input is omitted. */
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
}

/** Looks up the tensors of a node. */
export function bind(graph: Graph, node: Node): BoundNode {
  return {
    name: node.name,
    attrs: node.attrs,
    inputs: node.inputs.map((id) => (id < 0 ? undefined : tensorOf(graph, id))),
    outputs: node.outputs.map((id) => tensorOf(graph, id)),
  };
}
