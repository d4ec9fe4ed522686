import type { FloatTensor, MeanNode } from "../float-model.ts";
import type { FileNode, FloatOperator } from "../operator.ts";
import { readValue, requireShape } from "../operator.ts";
import { readInts } from "./ints.ts";

export const mean: FloatOperator<MeanNode> = {
  builtin: 40,
  int8Version: 2,
  operands: ({ input, axes }) => [
    { kind: "value", name: input },
    { kind: "ints", values: axes, shape: [axes.length] },
  ],
  options: ({ keepDims = false }) => [{ bool: keepDims }],

  infer(node, [input]) {
    const shape = input?.shape ?? [];
    const reduced = reducedAxes(node, shape.length);
    return node.keepDims === true
      ? shape.map((size, axis) => (reduced.has(axis) ? 1 : size))
      : shape.filter((_, axis) => !reduced.has(axis));
  },

  run(node, [input], output) {
    const { shape, data }: FloatTensor = input ?? output;
    const reduced = reducedAxes(node, shape.length);
    const strides = shape.map(() => 0);
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (reduced.has(axis)) continue;
      strides[axis] = stride;
      stride *= shape[axis] ?? 1;
    }
    const sums = new Float64Array(output.data.length);
    for (let i = 0; i < data.length; i++) {
      let rest = i;
      let place = 0;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const size = shape[axis] ?? 1;
        place += (rest % size) * (strides[axis] ?? 0);
        rest = Math.floor(rest / size);
      }
      sums[place] = (sums[place] ?? 0) + (data[i] ?? 0);
    }
    const count = data.length / sums.length;
    for (const [i, sum] of sums.entries()) output.data[i] = sum / count;
  },

  read: (node: FileNode) => ({
    op: "mean",
    name: node.name,
    input: readValue(node, 0),
    axes: readInts(node, 1, "axes"),
    keepDims: node.options?.bool(0, false) ?? false,
  }),
};

function reducedAxes(node: MeanNode, rank: number): Set<number> {
  const axes = node.axes.map((axis) => (axis < 0 ? axis + rank : axis));
  requireShape(
    axes.length > 0 && axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank),
    node,
    `its axes [${node.axes.join(", ")}] do not name dimensions of ${rank}`,
  );
  return new Set(axes);
}
