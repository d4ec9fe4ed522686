import { addTensor, consumersOf, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";
import type { MeanAttrs } from "../ops/mean.ts";
import type { TransposeAttrs } from "../ops/transpose.ts";

/**
 * TRANSPOSE → MEAN becomes MEAN over the permuted axes → TRANSPOSE of the smaller result, again and again, so that each MEAN
 * rounds as it did. A TRANSPOSE that moves only dimensions of size 1 becomes a RESHAPE, which costs nothing.
 */
export function sinkTranspose(graph: Graph): Graph {
  let current = graph;
  for (let pair = findPair(current); pair !== undefined; pair = findPair(current)) {
    current = swap(current, ...pair);
  }
  return reshapeTrivial(current);
}

/** A TRANSPOSE whose only reader is a MEAN, and that MEAN. */
function findPair(graph: Graph): [Node, Node] | undefined {
  const consumers = consumersOf(graph);
  for (const node of graph.nodes) {
    if (node.op !== "transpose") continue;
    const [output = -1] = node.outputs;
    const [reader, ...others] = consumers.get(output) ?? [];
    if (reader?.op === "mean" && others.length === 0 && !graph.outputs.includes(output))
      return [node, reader];
  }
  return undefined;
}

function swap(graph: Graph, transpose: Node, mean: Node): Graph {
  const { permutation } = transpose.attrs as TransposeAttrs;
  const { axes, keepDims } = mean.attrs as MeanAttrs;
  const [input = -1] = transpose.inputs;
  const [output = -1] = mean.outputs;
  const source = tensorOf(graph, input);
  const result = tensorOf(graph, output);
  const sourceAxes = axes.map((axis) => permutation[axis] ?? 0).sort((a, b) => a - b);
  const reduced = source.shape.map((size, axis) => (sourceAxes.includes(axis) ? 1 : size));
  const shape = keepDims ? reduced : reduced.filter((_, axis) => !sourceAxes.includes(axis));
  const added = addTensor(graph, `${result.name} (before its transpose)`, {
    type: result.type,
    ...(result.quantization === undefined ? {} : { quantization: result.quantization }),
    shape,
  });
  // Where dimensions vanish, those left over keep their order in both tensors: number them anew.
  const kept = source.shape.map((_, axis) => axis).filter((axis) => !sourceAxes.includes(axis));
  const sunk = keepDims
    ? permutation
    : permutation.filter((axis) => !sourceAxes.includes(axis)).map((axis) => kept.indexOf(axis));
  return replaceNodes(
    added.graph,
    new Map<Node, readonly Node[]>([
      [transpose, []],
      [
        mean,
        [
          {
            op: "mean",
            name: added.tensor.name,
            inputs: [input],
            outputs: [added.tensor.id],
            attrs: { axes: sourceAxes, keepDims } satisfies MeanAttrs,
            source: mean.source,
          },
          {
            op: "transpose",
            name: result.name,
            inputs: [added.tensor.id],
            outputs: [output],
            attrs: { permutation: sunk } satisfies TransposeAttrs,
            source: -1,
          },
        ],
      ],
    ]),
  );
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
    const attrs = { shape: permutation.map((axis) => shape[axis] ?? 1) };
    replacements.set(node, [{ ...node, op: "reshape", inputs: [input], attrs }]);
  }
  return replacements.size === 0 ? graph : replaceNodes(graph, replacements);
}
