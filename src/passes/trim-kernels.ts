import { addTensors, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";
import type { ConvolutionAttrs } from "../ops/convolution.ts";
import { convolvedSize } from "../ops/convolution-window.ts";

/** One dimension of a convolution's window. */
interface Side {
  readonly size: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

/** What is left of it: `kernel` taps from `first` on. */
interface Trimmed extends Pick<Side, "kernel" | "before" | "after"> {
  readonly first: number;
}

/**
 * Outer rows and columns of kernels that meet nothing but padding, wherever the window is, add nothing: 7×7 over an image of 3×3 is 5×5, and
 * 3×3 over one pixel is 1×1.
 */
export function trimKernels(graph: Graph): Graph {
  const added: Tensor[] = [];
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    if (node.op !== "conv2d" && node.op !== "depthwiseConv2d") continue;
    const [input = -1, weightsId = -1, ...bias] = node.inputs;
    const weights = tensorOf(graph, weightsId);
    const [, height = 1, width = 1] = tensorOf(graph, input).shape;
    const [, outputHeight = 1, outputWidth = 1] = tensorOf(graph, node.outputs[0] ?? -1).shape;
    const [, kernelHeight = 1, kernelWidth = 1] = weights.shape;
    const attrs = node.attrs as ConvolutionAttrs;
    const rows = trimmed({
      ...{ size: height, output: outputHeight, kernel: kernelHeight },
      ...{ stride: attrs.strideY, dilation: attrs.dilationY },
      ...{ before: attrs.padTop, after: attrs.padBottom },
    });
    const columns = trimmed({
      ...{ size: width, output: outputWidth, kernel: kernelWidth },
      ...{ stride: attrs.strideX, dilation: attrs.dilationX },
      ...{ before: attrs.padLeft, after: attrs.padRight },
    });
    if (rows.kernel === kernelHeight && columns.kernel === kernelWidth) continue;
    const id = graph.tensors.length + added.length;
    added.push({ ...cut(weights, rows, columns), id });
    const padding = {
      ...{ padTop: rows.before, padBottom: rows.after },
      ...{ padLeft: columns.before, padRight: columns.after },
    };
    replacements.set(node, [{ ...node, inputs: [input, id, ...bias], attrs: { ...attrs, ...padding } }]);
  }
  return added.length === 0 ? graph : addTensors(replaceNodes(graph, replacements), added);
}

/** The taps from the first to the last that meet the input; all where none does, or where the outputs would be others. */
function trimmed(side: Side): Trimmed {
  const { size, output, kernel, stride, dilation, before, after } = side;
  const all = { first: 0, kernel, before, after };
  // Positions of a tap are `stride` apart, from tap · dilation − before on.
  const meets = (tap: number): boolean => {
    const position = tap * dilation - before;
    const y = position < 0 ? Math.ceil(-position / stride) : 0;
    return y < output && position + y * stride < size;
  };
  const most = Math.floor(before / dilation);
  let first = 0;
  while (first < kernel - 1 && first < most && !meets(first)) first++;
  let last = kernel - 1;
  while (last > first && !meets(last)) last--;
  const left = { first, kernel: last - first + 1, before: before - first * dilation };
  const reach = (output - 1) * stride + (left.kernel - 1) * dilation + 1;
  const rest = Math.max(0, reach - size - left.before);
  const same = convolvedSize(size, left.before + rest, left.kernel, stride, dilation) === output;
  return same && meets(first) ? { ...left, after: rest } : all;
}

/** Weights int8 [·, height, width, ·] of the rows and columns that are left. */
function cut(weights: Tensor, rows: Trimmed, columns: Trimmed): Omit<Tensor, "id"> {
  const { shape, data = new Uint8Array(0), name, type, quantization } = weights;
  const [filters = 1, kernelHeight = 1, kernelWidth = 1, depth = 1] = shape;
  const left = new Uint8Array(filters * rows.kernel * columns.kernel * depth);
  let to = 0;
  for (let filter = 0; filter < filters; filter++) {
    for (let row = 0; row < rows.kernel; row++) {
      const from = ((filter * kernelHeight + rows.first + row) * kernelWidth + columns.first) * depth;
      left.set(data.subarray(from, from + columns.kernel * depth), to);
      to += columns.kernel * depth;
    }
  }
  return {
    ...{ name: `${name} (trimmed)`, type, shape: [filters, rows.kernel, columns.kernel, depth], data: left },
    ...(quantization === undefined ? {} : { quantization }),
  };
}
