import { addReference } from "./add.ts";
import { averagePool2dReference } from "./average-pool2d.ts";
import { concatenationReference } from "./concatenation.ts";
import { conv2dReference, type ConvWindow, type Weights } from "./conv2d.ts";
import { depthwiseConv2dReference } from "./depthwise-conv2d.ts";
import { dequantizeReference } from "./dequantize.ts";
import { fullyConnectedReference } from "./fully-connected.ts";
import { maxPool2dReference } from "./max-pool2d.ts";
import { meanReference } from "./mean.ts";
import { mulReference } from "./mul.ts";
import { padReference } from "./pad.ts";
import { quantizeReference, requantizeReference } from "./quantize.ts";
import { resizeBilinearReference, resizeNearestNeighborReference } from "./resize.ts";
import { runLstm, runSvdf } from "./run-recurrent.ts";
import { softmaxReference } from "./softmax.ts";
import type { Int8Output, Int8Tensor } from "./tensor.ts";
import { coordinates, count } from "./tensor.ts";
import { transposeReference } from "./transpose.ts";
import type { BoundNode, Graph, Tensor } from "../../src/graph/graph.ts";
import { bind, byteSize, initialByte, tensorOf } from "../../src/graph/graph.ts";

/** What a graph computed. */
export interface GraphRun {
  /** Bytes of each output as the host sees it: float32 where the border moved a DEQUANTIZE there. */
  readonly outputs: readonly Uint8Array[];
  /** Bytes of every tensor that a node made, by id. */
  readonly made: ReadonlyMap<number, Uint8Array>;
}

/**
 * Runs a graph node by node with the references. `inputs` are little-endian bytes as the host sees them: float32 where
 * the border moved a QUANTIZE there. `states` has the variables after earlier runs, and after this one.
 */
export function runGraph(
  graph: Graph,
  inputs: readonly Uint8Array[],
  states = new Map<number, Uint8Array>(),
): GraphRun {
  const values = new Map<number, Uint8Array>();
  for (const tensor of graph.tensors) {
    if (tensor.isVariable !== true) continue;
    const state = states.get(tensor.id) ?? new Uint8Array(byteSize(tensor)).fill(initialByte(tensor));
    states.set(tensor.id, state);
    values.set(tensor.id, state);
  }
  for (const tensor of graph.tensors) if (tensor.data !== undefined) values.set(tensor.id, tensor.data);
  for (const [index, id] of graph.inputs.entries()) {
    const outer = graph.border?.inputs[index];
    const bytes = inputs[index] ?? new Uint8Array(0);
    const inner = tensorOf(graph, id);
    values.set(id, outer === undefined ? bytes : quantize(tensorOf(graph, outer), bytes, inner));
  }
  const made = new Map<number, Uint8Array>();
  for (const node of graph.nodes) {
    const result = runNode(node.op, bind(graph, node), (tensor) => valueOf(values, tensor));
    const [output = -1] = node.outputs;
    const size = byteSize(tensorOf(graph, output));
    if (result.length !== size) throw new Error(`${node.op} made ${result.length} bytes, not ${size}`);
    values.set(output, result);
    made.set(output, result);
  }
  const outputs = graph.outputs.map((id, index) => {
    const inner = tensorOf(graph, id);
    const bytes = valueOf(values, inner);
    return graph.border?.outputs[index] === undefined ? bytes : dequantize(inner, bytes);
  });
  return { outputs, made };
}

function valueOf(values: ReadonlyMap<number, Uint8Array>, tensor: Tensor): Uint8Array {
  const bytes = values.get(tensor.id);
  if (bytes === undefined) throw new Error(`tensor ${tensor.id} is read before it is made`);
  return bytes;
}

/** Attributes of all operators together. */
interface Attrs extends ConvWindow {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly padding: number;
  readonly axis: number;
  readonly axes: readonly number[];
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
  readonly permutation: readonly number[];
  readonly before: readonly number[];
  readonly begin: readonly number[];
  readonly beta: number;
}

function runNode(op: string, node: BoundNode, value: (tensor: Tensor) => Uint8Array): Uint8Array {
  const [first, second, third] = node.inputs;
  const [result] = node.outputs;
  if (first === undefined || result === undefined) throw new Error(`${op} lacks an input or an output`);
  // Each operator reads those that its own definition made.
  const attrs = (node.attrs ?? {}) as Attrs;
  const int8 = (tensor: Tensor | undefined): Int8Tensor => {
    if (tensor === undefined) throw new Error(`${op} lacks an input`);
    return { ...quantized(tensor), values: signed(value(tensor)) };
  };
  const weights = (): Weights => {
    const { shape, values } = int8(second);
    return { shape, values, scales: [...(second?.quantization?.scales ?? [])] };
  };
  const bias = (): Int32Array | undefined => third && new Int32Array(new Uint8Array(value(third)).buffer);
  const output = (): Int8Output => quantized(result);
  const pool = { ...attrs, same: attrs.padding === 0 };
  switch (op) {
    case "add":
      return bytesOf(addReference(int8(first), int8(second), output(), attrs.activation));
    case "mul":
      return bytesOf(mulReference(int8(first), int8(second), output(), attrs.activation));
    case "conv2d":
      return bytesOf(conv2dReference(int8(first), weights(), bias(), output(), attrs));
    case "depthwiseConv2d":
      return bytesOf(depthwiseConv2dReference(int8(first), weights(), bias(), output(), attrs));
    case "fullyConnected":
      return bytesOf(fullyConnectedReference(int8(first), weights(), bias(), output(), attrs.activation));
    case "averagePool2d":
      return bytesOf(averagePool2dReference(int8(first), output(), pool, attrs.activation));
    case "maxPool2d":
      return bytesOf(maxPool2dReference(int8(first), output(), pool, attrs.activation));
    case "mean":
      return bytesOf(meanReference(int8(first), attrs.axes, output()));
    case "softmax":
      return bytesOf(softmaxReference(int8(first), attrs.beta));
    case "pad":
      return bytesOf(padReference(int8(first), attrs.before, output()));
    case "transpose":
      return bytesOf(transposeReference(int8(first), attrs.permutation, output()));
    case "quantize":
      return quantize(first, value(first), result);
    case "dequantize":
      return dequantize(first, value(first));
    case "concatenation": {
      const operands = node.inputs.map((tensor) => int8(tensor));
      return bytesOf(Int8Array.from(concatenationReference(operands, attrs.axis, result.shape)));
    }
    case "slice": {
      const { shape, values } = int8(first);
      return bytesOf(
        Int8Array.from({ length: count(result.shape) }, (_, i) => {
          const at = coordinates(result.shape, i);
          const index = shape.reduce(
            (sum, n, axis) => sum * n + (at[axis] ?? 0) + (attrs.begin[axis] ?? 0),
            0,
          );
          return values[index] ?? NaN;
        }),
      );
    }
    case "resizeNearestNeighbor":
      return bytesOf(resizeNearestNeighborReference(int8(first), output(), attrs));
    case "resizeBilinear":
      return bytesOf(resizeBilinearReference(int8(first), output(), attrs));
    case "reshape":
      return value(first);
    case "svdf":
      return runSvdf(node, value);
    case "unidirectionalSequenceLstm":
      return runLstm(node, value);
    default:
      throw new Error(`no reference for ${op}`);
  }
}

/** QUANTIZE of float32 or int8 bytes. */
function quantize(from: Tensor, bytes: Uint8Array, to: Tensor): Uint8Array {
  return bytesOf(
    from.type === "float32"
      ? quantizeReference(new Float32Array(new Uint8Array(bytes).buffer), quantized(to))
      : requantizeReference({ ...quantized(from), values: signed(bytes) }, quantized(to)),
  );
}

function dequantize(from: Tensor, bytes: Uint8Array): Uint8Array {
  return bytesOf(dequantizeReference({ ...quantized(from), values: signed(bytes) }));
}

function quantized({ shape, quantization }: Tensor): Int8Output {
  const [scale = 1] = quantization?.scales ?? [];
  const [zeroPoint = 0] = quantization?.zeroPoints ?? [];
  return { shape, scale, zeroPoint };
}

function signed(bytes: Uint8Array): Int8Array {
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bytesOf(values: Int8Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
