import { consumersOf, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";
import { sameQuantization } from "../ops/check.ts";
import type { ReductionAttrs } from "../ops/reduction.ts";
import type { ReshapeAttrs } from "../ops/reshape.ts";
import type { TransposeAttrs } from "../ops/transpose.ts";

/**
 * TRANSPOSE → MEAN becomes MEAN over the permuted axes → TRANSPOSE of the smaller result, again and again, so that each MEAN
 * rounds as it did. A TRANSPOSE that moves only dimensions of size 1 becomes a RESHAPE, which costs nothing.
 */
export function sinkTranspose(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  const tensors = [...graph.tensors];
  const nodes: Node[] = [];
  /** TRANSPOSEs, the sunk ones too, by the tensor that they make. */
  const transposes = new Map<number, Node>();
  const gone = new Set<Node>();
  for (const node of graph.nodes) {
    const [input = -1] = node.inputs;
    const [output = -1] = node.outputs;
    const transpose = transposes.get(input);
    const [source = -1] = transpose?.inputs ?? [];
    const sinks =
      transpose !== undefined &&
      node.op === "mean" &&
      consumers.get(input)?.length === 1 &&
      !outputs.has(input) &&
      sameQuantization(tensors[source] as Tensor, tensorOf(graph, input));
    if (!sinks) {
      nodes.push(node);
      if (node.op === "transpose") transposes.set(output, node);
      continue;
    }
    const sunk = sink(transpose, node, tensors[source] as Tensor, tensorOf(graph, output), tensors.length);
    tensors.push(sunk.reduced);
    nodes.push(sunk.mean, sunk.transpose);
    gone.add(transpose);
    transposes.set(output, sunk.transpose);
  }
  if (gone.size === 0) return reshapeTrivial(graph);
  return reshapeTrivial({ ...graph, tensors, nodes: nodes.filter((node) => !gone.has(node)) });
}

/** `mean` of `source` itself, into a new tensor `reduced`, and the transpose of that into the mean's `result`. */
function sink(
  transpose: Node,
  mean: Node,
  source: Tensor,
  result: Tensor,
  id: number,
): { reduced: Tensor; mean: Node; transpose: Node } {
  const { permutation } = transpose.attrs as TransposeAttrs;
  const { axes, keepDims } = mean.attrs as ReductionAttrs;
  const sourceAxes = axes.map((axis) => permutation[axis] ?? 0).sort((a, b) => a - b);
  const kept = source.shape.map((_, axis) => axis).filter((axis) => !sourceAxes.includes(axis));
  const name = `${result.name} (before its transpose)`;
  const shape = keepDims
    ? source.shape.map((size, axis) => (kept.includes(axis) ? size : 1))
    : kept.map((axis) => source.shape[axis] ?? 1);
  // Where dimensions vanish, those left over keep their order: number them anew.
  const sunk = keepDims
    ? permutation
    : permutation.filter((axis) => kept.includes(axis)).map((axis) => kept.indexOf(axis));
  return {
    reduced: { ...result, id, name, shape },
    mean: {
      ...mean,
      name,
      inputs: [source.id],
      outputs: [id],
      attrs: { axes: sourceAxes, keepDims } satisfies ReductionAttrs,
    },
    transpose: {
      op: "transpose",
      name: result.name,
      inputs: [id],
      outputs: [result.id],
      attrs: { permutation: sunk } satisfies TransposeAttrs,
      source: -1,
    },
  };
}

function reshapeTrivial(graph: Graph): Graph {
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    if (node.op !== "transpose") continue;
    const [input = -1] = node.inputs;
    const { shape } = tensorOf(graph, input);
    const { permutation } = node.attrs as TransposeAttrs;
    const moving = permutation.filter((axis) => shape[axis] !== 1);
    if (moving.some((axis, i) => axis < (moving[i - 1] ?? -1))) continue;
    const attrs: ReshapeAttrs = { shape: permutation.map((axis) => shape[axis] ?? 1) };
    replacements.set(node, [{ ...node, op: "reshape", inputs: [input], attrs }]);
  }
  return replacements.size === 0 ? graph : replaceNodes(graph, replacements);
}
