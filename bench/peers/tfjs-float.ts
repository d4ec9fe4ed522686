import type { Graph, Node, Tensor } from "#internal/graph/graph";
import { tensorOf } from "#internal/graph/graph";
import type { SumAttrs } from "#internal/ops/sum-operator";
import type { ConvolutionAttrs } from "#internal/ops/convolution";
import { FusedActivation } from "#internal/ops/fixed-point";
import type { ReductionAttrs } from "#internal/ops/reduction";
import type { PadAttrs } from "#internal/ops/pad";
import { Padding } from "#internal/ops/padding";
import type { Pool2dAttrs } from "#internal/ops/pool2d";
import type { TransposeAttrs } from "#internal/ops/transpose";
import type { Host, Peer, PeerInput, PeerModel, Values } from "./peer.ts";

interface TfTensor {
  dataSync(): Float32Array<ArrayBuffer>;
  dispose(): void;
}

/** The part of tfjs-backend-wasm's API that is used. */
interface WasmBackend {
  setWasmPaths(prefix: string): void;
}

/** The parts of tfjs-core's API that are used. */
interface Tf {
  readonly version_core: string;
  readonly fused: {
    readonly conv2d: (options: unknown) => TfTensor;
    readonly depthwiseConv2d: (options: unknown) => TfTensor;
    readonly matMul: (options: unknown) => TfTensor;
  };
  env(): { set(flag: string, value: boolean): void };
  setBackend(name: string): Promise<boolean>;
  tensor(values: Float32Array, shape: readonly number[]): TfTensor;
  tidy(run: () => TfTensor): TfTensor;
  readonly add: (a: TfTensor, b: TfTensor) => TfTensor;
  readonly mul: (a: TfTensor, b: TfTensor) => TfTensor;
  relu(x: TfTensor): TfTensor;
  relu6(x: TfTensor): TfTensor;
  avgPool(x: TfTensor, kernel: unknown, strides: unknown, padding: string): TfTensor;
  mean(x: TfTensor, axes: readonly number[], keepDims: boolean): TfTensor;
  pad(x: TfTensor, paddings: readonly (readonly number[])[]): TfTensor;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, permutation: readonly number[]): TfTensor;
  softmax(x: TfTensor): TfTensor;
}

/**
 * The WebAssembly backend of tfjs, which has no int8 kernels: the same network with its weights dequantised, in float32, one
 * operator of tfjs-core per node. It rounds nothing between layers, so that its outputs differ more than those of int8 rivals.
 */
export async function startTfjsFloat(host: Host): Promise<Peer> {
  const { tf, wasm } = await libraries(host);
  wasm.setWasmPaths(host.asset("@tensorflow/tfjs-backend-wasm/dist/"));
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs did not start its WebAssembly backend");
  return {
    name: `tfjs ${tf.version_core} (float32, simd)`,
    load: (model) => Promise.resolve(load(tf, model)),
  };
}

async function libraries(host: Host): Promise<{ readonly tf: Tf; readonly wasm: WasmBackend }> {
  const core = "@tensorflow/tfjs-core/dist/tf-core";
  const backend = "@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm";
  if (host.runtime === "node") {
    const { default: tf } = (await host.importModule(`${core}.node.js`)) as { default: Tf };
    const { default: wasm } = (await host.importModule(`${backend}.node.js`)) as { default: WasmBackend };
    return { tf, wasm };
  }
  await host.loadScript(host.asset(`${core}.min.js`));
  await host.loadScript(host.asset(`${backend}.min.js`));
  const { tf } = globalThis as unknown as { tf: Tf & { readonly wasm: WasmBackend } };
  return { tf, wasm: tf.wasm };
}

/** Computes a node from the tensors made so far. */
type Step = (values: Map<number, TfTensor>) => TfTensor;

function load(tf: Tf, { graph, input, output }: PeerInput): PeerModel {
  const constants = new Map(
    graph.tensors
      .filter(({ data, quantization }) => data !== undefined && quantization !== undefined)
      .map((tensor) => [tensor.id, tf.tensor(realValues(tensor), tensor.shape)]),
  );
  const steps = graph.nodes.map((node) => ({ id: node.outputs[0] ?? -1, run: stepOf(tf, graph, node) }));
  const [inputId = -1] = graph.inputs;
  const [outputId = -1] = graph.outputs;
  return {
    run(given: Values): Values {
      const real = given instanceof Float32Array ? given : input.dequantize(given);
      const made = tf.tidy(() => {
        const values = new Map(constants);
        values.set(inputId, tf.tensor(real, input.shape));
        for (const { id, run } of steps) values.set(id, run(values));
        return valueOf(values, outputId);
      });
      const results = made.dataSync();
      made.dispose();
      // The models compared are int8 or float32.
      return output.type === "float32" ? results : (output.quantize(results) as Int8Array);
    },
  };
}

function stepOf(tf: Tf, graph: Graph, node: Node): Step {
  const [inputId = -1, otherId = -1, biasId = -1] = node.inputs;
  const of = (values: Map<number, TfTensor>): TfTensor => valueOf(values, inputId);
  const bias = (values: Map<number, TfTensor>): TfTensor | undefined => values.get(biasId);
  const [output] = node.outputs.map((id) => tensorOf(graph, id));
  switch (node.op) {
    case "conv2d":
    case "depthwiseConv2d": {
      const attrs = node.attrs as ConvolutionAttrs;
      const isDepthwise = node.op === "depthwiseConv2d";
      const weights = tensorOf(graph, otherId);
      const [, height = 1, width = 1, channels = 1] = weights.shape;
      const depth = tensorOf(graph, inputId).shape[3] ?? 1;
      const real = tf.tensor(realValues(weights), weights.shape);
      // To [height, width, in, out], or [height, width, channels, multiplier] of a depthwise one.
      const filter = isDepthwise
        ? tf.reshape(real, [height, width, depth, channels / depth])
        : tf.transpose(real, [1, 2, 3, 0]);
      const options = {
        filter,
        strides: [attrs.strideY, attrs.strideX],
        dilations: [attrs.dilationY, attrs.dilationX],
        pad: [
          [0, 0],
          [attrs.padTop, attrs.padBottom],
          [attrs.padLeft, attrs.padRight],
          [0, 0],
        ],
        activation: activationName(node),
      };
      const convolve = isDepthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
      return (values) => convolve({ x: of(values), bias: bias(values), ...options });
    }
    case "fullyConnected": {
      const weights = tensorOf(graph, otherId);
      const [channels = 1, depth = 1] = weights.shape;
      const activation = activationName(node);
      const shape = output?.shape ?? [1, channels];
      // Only so does it reach XNNPACK.
      const b = tf.transpose(tf.tensor(realValues(weights), weights.shape), [1, 0]);
      return (values) => {
        const a = tf.reshape(of(values), [-1, depth]);
        return tf.reshape(tf.fused.matMul({ a, b, bias: bias(values), activation }), shape);
      };
    }
    case "add":
    case "mul": {
      const activation = activationName(node);
      const combine = node.op === "add" ? tf.add : tf.mul;
      return (values) => {
        const made = combine(of(values), valueOf(values, otherId));
        return activation === "linear" ? made : tf[activation](made);
      };
    }
    case "averagePool2d": {
      const attrs = node.attrs as Pool2dAttrs;
      const padding = attrs.padding === (Padding.same as number) ? "same" : "valid";
      const kernel = [attrs.kernelHeight, attrs.kernelWidth];
      const strides = [attrs.strideY, attrs.strideX];
      return (values) => tf.avgPool(of(values), kernel, strides, padding);
    }
    case "mean": {
      const { axes, keepDims } = node.attrs as ReductionAttrs;
      return (values) => tf.mean(of(values), axes, keepDims);
    }
    case "pad": {
      const { before, after } = node.attrs as PadAttrs;
      const paddings = before.map((size, i) => [size, after[i] ?? 0]);
      return (values) => tf.pad(of(values), paddings);
    }
    case "reshape": {
      const shape = output?.shape ?? [];
      return (values) => tf.reshape(of(values), shape);
    }
    case "transpose": {
      const { permutation } = node.attrs as TransposeAttrs;
      return (values) => tf.transpose(of(values), permutation);
    }
    case "softmax":
      return (values) => tf.softmax(of(values));
    case "quantize":
    case "dequantize":
      return of;
    default:
      throw new Error(`${node.op} has no operator of tfjs here`);
  }
}

function activationName({ attrs }: Node): "linear" | "relu" | "relu6" {
  const { activation } = attrs as SumAttrs;
  if (activation === FusedActivation.none) return "linear";
  if (activation === FusedActivation.relu) return "relu";
  if (activation === FusedActivation.relu6) return "relu6";
  throw new Error("RELU_N1_TO_1 has no fused form in tfjs");
}

function valueOf(values: ReadonlyMap<number, TfTensor>, id: number): TfTensor {
  const value = values.get(id);
  if (value === undefined) throw new Error(`tensor ${id} was not made`);
  return value;
}

/** scale · (q − zeroPoint) of a quantised constant. */
function realValues({ data = new Uint8Array(0), type, shape, quantization }: Tensor): Float32Array {
  const { buffer } = data.slice();
  const stored = type === "int32" ? new Int32Array(buffer) : new Int8Array(buffer);
  const { scales, zeroPoints, axis } = quantization ?? {
    scales: Float32Array.of(1),
    zeroPoints: Int32Array.of(0),
    axis: 0,
  };
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  return Float32Array.from(stored, (value, i) => {
    const channel = scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length;
    return (scales[channel] ?? 1) * (value - (zeroPoints[channel] ?? 0));
  });
}
