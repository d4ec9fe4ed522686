import type { BoundNode } from "../graph/graph.ts";
import { requireInput, requireOutput } from "./check.ts";
import { defineOp } from "./op.ts";
import { isInt16 } from "./int16.ts";
import {
  pool2d,
  pool2dFields,
  pool2dInt16,
  readPool2dOptions,
  type Pool2dAttrs,
  windowOf,
} from "./pool2d.ts";
import { windowRows } from "./window.ts";

/** Mean over the cells of each window that lie in the input, rounded half away from zero. */
export const averagePool2d = defineOp<Pool2dAttrs>({
  ...pool2d(),
  name: "averagePool2d",
  tflite: { builtin: 1, read: readPool2dOptions },

  rows(node) {
    if (isInt16(node)) return undefined;
    const [, rows = 1, , channels = 1] = requireInput(node.inputs, 0, "input").shape;
    if (!isGlobal(node)) return windowRows(windowOf(node), requireOutput(node.outputs), 1);
    return { rows, inputs: [{ stride: 1, first: 0, last: 0 }], accumulatorBytes: 4 * channels };
  },

  lower(node, at) {
    if (isInt16(node)) return pool2dInt16(node, at, false);
    const fields = pool2dFields(node, at);
    const { accumulators = 0 } = at;
    const y1 = accumulators === 0 ? fields.y1 : fields.inputView.height;
    return { op: "averagePool2d", ...fields, y1, accumulators };
  },
});

/** Whether the one window is the whole input. */
function isGlobal(node: BoundNode<Pool2dAttrs>): boolean {
  const [batches, height = 1, width = 1] = requireInput(node.inputs, 0, "input").shape;
  const [, rows, columns] = requireOutput(node.outputs).shape;
  const { kernelHeight, kernelWidth, padTop, padLeft } = windowOf(node);
  return (
    batches === 1 &&
    rows === 1 &&
    columns === 1 &&
    padTop + height <= kernelHeight &&
    padLeft + width <= kernelWidth
  );
}
