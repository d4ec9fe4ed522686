import type { Graph, Node, Tensor } from "#internal/graph/graph";
import { tensorOf } from "#internal/graph/graph";
import { elementCount } from "#internal/plan/shape";
import type { SumAttrs } from "#internal/ops/sum-operator";
import type { ConvolutionAttrs } from "#internal/ops/convolution";
import { activationRange } from "#internal/ops/fixed-point";
import type { ReductionAttrs } from "#internal/ops/reduction";
import type { PadAttrs } from "#internal/ops/pad";
import { resolvePadding } from "#internal/ops/padding";
import type { Pool2dAttrs } from "#internal/ops/pool2d";
import type { TransposeAttrs } from "#internal/ops/transpose";
import type { OnnxValue } from "./onnx-model.ts";
import { MICROSOFT, OnnxModel } from "./onnx-model.ts";

/**
 * An int8 graph as ONNX with onnxruntime's operators on quantised tensors, node by node as the file has it. Activations are
 * uint8, x + 128, which is what onnxruntime's kernels are made for, and stay NHWC (`channels_last`); weights stay int8.
 * @throws Error an operator that none of the measured models has
 */
export function graphToOnnx(graph: Graph): Uint8Array {
  const converter = new Converter(graph);
  for (const node of graph.nodes) converter.convert(node);
  return converter.encode();
}

/** Dimensions of NHWC that a pool's window covers. */
const SPATIAL: readonly number[] = [1, 2];

class Converter {
  readonly #graph: Graph;
  readonly #model = new OnnxModel();
  /** ONNX's names of the tensors that are there so far. */
  readonly #names: Map<number, string>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#names = new Map(graph.inputs.map((id) => [id, `input${id}`]));
  }

  encode(): Uint8Array {
    const ports = (ids: readonly number[]): OnnxValue[] =>
      ids.map((id) => {
        const tensor = tensorOf(this.#graph, id);
        return {
          name: this.#name(tensor),
          type: tensor.type === "int8" ? "uint8" : "float32",
          shape: tensor.shape,
        };
      });
    return this.#model.encode(ports(this.#graph.inputs), ports(this.#graph.outputs));
  }

  convert(node: Node): void {
    const [id = -1] = node.outputs;
    const output = tensorOf(this.#graph, id);
    this.#names.set(id, this.#converted(node, output));
  }

  #converted(node: Node, output: Tensor): string {
    const input = this.#input(node, 0);
    switch (node.op) {
      case "conv2d":
      case "depthwiseConv2d":
        return this.#convolution(node, output);
      case "fullyConnected":
        return this.#fullyConnected(node, output);
      case "add":
      case "mul": {
        const operands = [...this.#quantized(input), ...this.#quantized(this.#input(node, 1))];
        const operator = node.op === "add" ? "QLinearAdd" : "QLinearMul";
        const made = this.#microsoft(operator, [...operands, ...this.#scale(output)]);
        return this.#clipped(made, node, output);
      }
      case "averagePool2d":
        return this.#averagePool(node, output);
      case "mean":
        return this.#mean(node, output);
      case "pad":
        return this.#pad(node, input);
      case "reshape":
        return this.#reshaped(this.#name(input), output.shape);
      case "transpose": {
        const perm = (node.attrs as TransposeAttrs).permutation;
        return this.#model.node("Transpose", [this.#name(input)], { perm });
      }
      case "softmax": {
        const operands = [...this.#quantized(input), ...this.#scale(output)];
        return this.#microsoft("QLinearSoftmax", operands, { axis: input.shape.length - 1, opset: 13 });
      }
      case "quantize": {
        const real = input.type === "float32" ? this.#name(input) : this.#dequantized(input);
        return this.#model.node("QuantizeLinear", [real, ...this.#scale(output)]);
      }
      case "dequantize":
        return this.#dequantized(input);
      default:
        throw new Error(`${node.op} has no conversion to ONNX`);
    }
  }

  /** Weights OHWI, or [1, height, width, channels] of a depthwise one, become OIHW. */
  #convolution(node: Node, output: Tensor): string {
    const attrs = node.attrs as ConvolutionAttrs;
    const [input, weights, bias] = [this.#input(node, 0), this.#input(node, 1), node.inputs[2] ?? -1];
    const isDepthwise = node.op === "depthwiseConv2d";
    const [, height = 1, width = 1] = weights.shape;
    const channels = output.shape[3] ?? 1;
    const depth = isDepthwise ? 1 : (weights.shape[3] ?? 1);
    const stored = int8Of(weights);
    const moved = new Int8Array(stored.length);
    let at = 0;
    for (let oc = 0; oc < channels; oc++) {
      for (let ic = 0; ic < depth; ic++) {
        for (let pixel = 0; pixel < height * width; pixel++) {
          const from = isDepthwise ? pixel * channels + oc : (oc * height * width + pixel) * depth + ic;
          moved[at++] = stored[from] ?? 0;
        }
      }
    }
    const made = this.#microsoft(
      "QLinearConv",
      [
        ...this.#quantized(input),
        this.#model.constant([channels, depth, height, width], moved),
        ...this.#weightScale(weights),
        ...this.#scale(output),
        ...(bias < 0 ? [] : [this.#bias(bias)]),
      ],
      {
        kernel_shape: [height, width],
        strides: [attrs.strideY, attrs.strideX],
        dilations: [attrs.dilationY, attrs.dilationX],
        pads: [attrs.padTop, attrs.padLeft, attrs.padBottom, attrs.padRight],
        group: isDepthwise ? (input.shape[3] ?? 1) : 1,
        channels_last: 1,
      },
    );
    return this.#clipped(made, node, output);
  }

  #fullyConnected(node: Node, output: Tensor): string {
    const [input, weights, bias] = [this.#input(node, 0), this.#input(node, 1), node.inputs[2] ?? -1];
    const [channels = 1, depth = 1] = weights.shape;
    const batch = elementCount(input.shape) / depth;
    const [name, ...scale] = this.#quantized(input);
    const made = this.#microsoft(
      "QGemm",
      [
        input.shape.length === 2 ? (name ?? "") : this.#reshaped(name ?? "", [batch, depth]),
        ...scale,
        this.#model.constant([channels, depth], int8Of(weights)),
        ...this.#weightScale(weights),
        bias < 0 ? "" : this.#bias(bias),
        ...this.#scale(output),
      ],
      { transB: 1 },
    );
    const clipped = this.#clipped(made, node, output);
    return output.shape.length === 2 ? clipped : this.#reshaped(clipped, output.shape);
  }

  #averagePool(node: Node, output: Tensor): string {
    const attrs = node.attrs as Pool2dAttrs;
    const input = this.#input(node, 0);
    const [, height = 1, width = 1] = input.shape;
    const [, outHeight = 1, outWidth = 1] = output.shape;
    const along = (size: number, kernel: number, stride: number, outSize: number): [number, number] => {
      const { before } = resolvePadding(attrs.padding, size, kernel, stride, 1);
      return [before, Math.max(0, (outSize - 1) * stride + kernel - size - before)];
    };
    const [top, bottom] = along(height, attrs.kernelHeight, attrs.strideY, outHeight);
    const [left, right] = along(width, attrs.kernelWidth, attrs.strideX, outWidth);
    const made = this.#pooled(input, output, {
      kernel_shape: [attrs.kernelHeight, attrs.kernelWidth],
      strides: [attrs.strideY, attrs.strideX],
      pads: [top, left, bottom, right],
    });
    return this.#clipped(made, node, output);
  }

  /** Over rows or columns it is an average pool; else it goes through real numbers. */
  #mean(node: Node, output: Tensor): string {
    const { axes, keepDims } = node.attrs as ReductionAttrs;
    const input = this.#input(node, 0);
    if (input.shape.length === 4 && axes.every((axis) => SPATIAL.includes(axis))) {
      const kernel = SPATIAL.map((axis) => (axes.includes(axis) ? (input.shape[axis] ?? 1) : 1));
      const made = this.#pooled(input, output, { kernel_shape: kernel, strides: kernel, pads: [0, 0, 0, 0] });
      return keepDims ? made : this.#reshaped(made, output.shape);
    }
    const attributes = { axes, keepdims: keepDims ? 1 : 0 };
    const real = this.#model.node("ReduceMean", [this.#dequantized(input)], attributes);
    return this.#model.node("QuantizeLinear", [real, ...this.#scale(output)]);
  }

  #pooled(input: Tensor, output: Tensor, window: Readonly<Record<string, readonly number[]>>): string {
    const operands = [...this.#quantized(input), ...this.#scale(output)];
    return this.#microsoft("QLinearAveragePool", operands, {
      ...window,
      count_include_pad: 0,
      channels_last: 1,
    });
  }

  #pad(node: Node, input: Tensor): string {
    const { before, after } = node.attrs as PadAttrs;
    const pads = BigInt64Array.from([...before, ...after], BigInt);
    const [name, , zeroPoint] = this.#quantized(input);
    return this.#model.node("Pad", [name ?? "", this.#model.constant([pads.length], pads), zeroPoint ?? ""]);
  }

  #reshaped(name: string, shape: readonly number[]): string {
    const sizes = this.#model.constant([shape.length], BigInt64Array.from(shape, BigInt));
    return this.#model.node("Reshape", [name, sizes]);
  }

  #dequantized(tensor: Tensor): string {
    return this.#model.node("DequantizeLinear", this.#quantized(tensor));
  }

  /** Clamps where a fused activation bounds more than uint8 does. */
  #clipped(name: string, { attrs }: Node, { quantization }: Tensor): string {
    const { activation } = attrs as SumAttrs;
    const [scale = 1, zeroPoint = 0] = [quantization?.scales[0], quantization?.zeroPoints[0]];
    const { min, max } = activationRange(activation, scale, zeroPoint);
    if (min === -128 && max === 127) return name;
    const bounds = [min, max].map((bound) => this.#model.constant([], Uint8Array.of(bound + 128)));
    return this.#model.node("Clip", [name, ...bounds]);
  }

  #microsoft(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
  ): string {
    return this.#model.node(operator, inputs, attributes, MICROSOFT);
  }

  #input(node: Node, index: number): Tensor {
    return tensorOf(this.#graph, node.inputs[index] ?? -1);
  }

  /** Name, scale and zero point: how operators on quantised tensors take an activation or an int8 constant. */
  #quantized(tensor: Tensor): string[] {
    return [this.#name(tensor), ...this.#scale(tensor)];
  }

  #name(tensor: Tensor): string {
    const known = this.#names.get(tensor.id);
    if (known !== undefined) return known;
    const made = this.#model.constant(
      tensor.shape,
      Uint8Array.from(int8Of(tensor), (value) => value + 128),
    );
    this.#names.set(tensor.id, made);
    return made;
  }

  #scale({ quantization }: Tensor): string[] {
    const scale = Float32Array.of(quantization?.scales[0] ?? 1);
    const zeroPoint = Uint8Array.of((quantization?.zeroPoints[0] ?? 0) + 128);
    return [this.#model.constant([], scale), this.#model.constant([], zeroPoint)];
  }

  #weightScale({ quantization }: Tensor): string[] {
    const scales = quantization?.scales ?? Float32Array.of(1);
    const shape = scales.length === 1 ? [] : [scales.length];
    return [this.#model.constant(shape, scales), this.#model.constant(shape, new Int8Array(scales.length))];
  }

  #bias(id: number): string {
    const { shape, data = new Uint8Array(0) } = tensorOf(this.#graph, id);
    return this.#model.constant(shape, new Int32Array(data.slice().buffer));
  }
}

function int8Of({ data = new Uint8Array(0) }: Tensor): Int8Array {
  return new Int8Array(data.buffer, data.byteOffset, data.byteLength);
}
