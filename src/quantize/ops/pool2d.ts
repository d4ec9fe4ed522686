import type { FloatTensor, Pool2dNode } from "../float-model.ts";
import type { FloatOperator } from "../operator.ts";
import { activationField, clampOf, readActivation, readValue } from "../operator.ts";
import type { Cell, Window } from "./window.ts";
import { eachPixel, readWindow, windowFields, windowOf } from "./window.ts";

/** Of the cells of a window that lie in the input. */
export const averagePool2d = pool2d("averagePool2d", 1, (input, depth, c, cells) => {
  let sum = 0;
  for (const { inputPixel } of cells) sum += input[inputPixel * depth + c] ?? 0;
  return sum / cells.length;
});

export const maxPool2d = pool2d("maxPool2d", 17, (input, depth, c, cells) => {
  let greatest = -Infinity;
  for (const { inputPixel } of cells) greatest = Math.max(greatest, input[inputPixel * depth + c] ?? 0);
  return greatest;
});

/** The kernels do not rescale: the output has the input's scale. */
function pool2d(
  op: Pool2dNode["op"],
  builtin: number,
  reduce: (input: Float32Array, depth: number, c: number, cells: readonly Cell[]) => number,
): FloatOperator<Pool2dNode> {
  return {
    builtin,
    int8Version: 2,
    scale: "operand",
    operands: ({ input }) => [{ kind: "value", name: input }],
    options: (node) => [
      ...windowFields(node),
      { int: node.kernelWidth },
      { int: node.kernelHeight },
      activationField(node.activation),
    ],

    infer(node, operands) {
      const { batches, rows, columns, depth } = poolWindow(node, operands);
      return [batches, rows.output, columns.output, depth];
    },

    run(node, operands, output) {
      const window = poolWindow(node, operands);
      const input = operands[0]?.data ?? new Float32Array(0);
      const [low, high] = clampOf(node.activation);
      eachPixel(window, (pixel, cells) => {
        for (let c = 0; c < window.depth; c++) {
          const value = reduce(input, window.depth, c, cells);
          output.data[pixel * window.depth + c] = Math.min(Math.max(value, low), high);
        }
      });
    },

    read: (node) => ({
      op,
      name: node.name,
      input: readValue(node, 0),
      ...readWindow(node),
      kernelWidth: node.options?.int(3, 0) ?? 0,
      kernelHeight: node.options?.int(4, 0) ?? 0,
      activation: readActivation(node, 5),
    }),
  };
}

function poolWindow(node: Pool2dNode, [input]: readonly FloatTensor[]): Window {
  return windowOf(node, input ?? { shape: [], data: new Float32Array(0) }, [
    node.kernelHeight,
    node.kernelWidth,
  ]);
}
