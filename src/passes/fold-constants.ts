import { replaceNodes, setConstants } from "../graph/edit.ts";
import type { BoundNode, Graph, Node, Tensor } from "../graph/graph.ts";
import { bind, byteSize } from "../graph/graph.ts";
import { perTensor } from "../ops/check.ts";
import { multiplyByQuantizedMultiplier, quantizeMultiplier, roundHalfAway } from "../ops/fixed-point.ts";
import { opOf } from "../ops/index.ts";

/**
 * Evaluates nodes whose inputs are all constants, where the operator's definition can (`fold`), and conversions to and
 * from int8. What is an output of the graph stays: outputs are computed.
 */
export function foldConstants(graph: Graph): Graph {
  const outputs = new Set(graph.outputs);
  const removed = new Map<Node, readonly Node[]>();
  const folded = new Map<number, Uint8Array>();
  for (const node of graph.nodes) {
    const [output = -1] = node.outputs;
    if (outputs.has(output)) continue;
    const bound = withConstants(bind(graph, node), folded);
    if (bound.inputs.some((input) => input !== undefined && input.data === undefined)) continue;
    const data = opOf(node).fold?.(bound) ?? CONVERSIONS[node.op]?.(bound);
    if (data === undefined) continue;
    folded.set(output, data);
    removed.set(node, []);
  }
  return removed.size === 0 ? graph : setConstants(replaceNodes(graph, removed), folded);
}

function withConstants(node: BoundNode, folded: ReadonlyMap<number, Uint8Array>): BoundNode {
  const inputs = node.inputs.map((tensor) => {
    const data = tensor && folded.get(tensor.id);
    return data === undefined ? tensor : { ...(tensor as Tensor), data };
  });
  return { ...node, inputs };
}

const CONVERSIONS: Readonly<Record<string, (node: BoundNode) => Uint8Array | undefined>> = {
  quantize: ({ inputs: [input], outputs: [output] }) =>
    input?.data && output && (input.type === "float32" ? quantized : requantized)(input, input.data, output),
  dequantize: ({ inputs: [input], outputs: [output] }) =>
    input?.data && output && dequantized(input, input.data, output),
};

/** clamp(round(x / scale) + zeroPoint), the quotient in float32; NaN becomes the zero point, as in the kernel. */
function quantized(_input: Tensor, data: Uint8Array, output: Tensor): Uint8Array {
  const { scale, zeroPoint } = perTensor(output, "output");
  const reals = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Uint8Array.from({ length: byteSize(output) }, (_, i) => {
    const rounded = roundHalfAway(Math.fround(reals.getFloat32(4 * i, true) / scale));
    return Number.isNaN(rounded) ? zeroPoint : clamp(rounded + zeroPoint);
  });
}

/** clamp(MBQM(q − zIn, QM(sIn / sOut)) + zOut). */
function requantized(input: Tensor, data: Uint8Array, output: Tensor): Uint8Array {
  const from = perTensor(input, "input");
  const { scale, zeroPoint } = perTensor(output, "output");
  const multiplier = quantizeMultiplier(from.scale / scale);
  return data.map((byte) =>
    clamp(multiplyByQuantizedMultiplier(((byte << 24) >> 24) - from.zeroPoint, multiplier) + zeroPoint),
  );
}

/** scale · (q − zeroPoint) in double, rounded to float32. */
function dequantized(input: Tensor, data: Uint8Array, output: Tensor): Uint8Array {
  const { scale, zeroPoint } = perTensor(input, "input");
  const result = new DataView(new ArrayBuffer(byteSize(output)));
  for (const [i, byte] of data.entries()) {
    result.setFloat32(4 * i, scale * (((byte << 24) >> 24) - zeroPoint), true);
  }
  return new Uint8Array(result.buffer);
}

function clamp(value: number): number {
  return Math.min(Math.max(value, -128), 127);
}
