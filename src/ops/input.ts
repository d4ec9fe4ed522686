import { byteSize } from "../graph/graph.ts";
import { requireOutput } from "./check.ts";
import { defineOp } from "./op.ts";
import { rowCount } from "./view.ts";

export interface InputAttrs {
  /** Of the graph's inputs. */
  readonly index: number;
}

/** A graph's input that the host gives row by row. No operator of a file: the schedule makes it. */
export const inputRows = defineOp<InputAttrs>({
  name: "input",
  tflite: { builtin: -1, read: () => undefined },
  prepare: (_inputs, _outputs, options) => options as InputAttrs,
  infer: (_inputs, _attrs, outputs) => [requireOutput(outputs)],
  rows: ({ outputs }) => ({ rows: rowCount(requireOutput(outputs)), inputs: [] }),
  macs: () => 0,

  lower({ attrs: { index }, outputs }, at) {
    const output = requireOutput(outputs);
    const rows = rowCount(output);
    const { address = 0, ringRows = rows } = at.outputs[0] ?? {};
    return {
      op: "input",
      y0: 0,
      y1: rows,
      input: index,
      output: address,
      rowBytes: byteSize(output) / rows,
      ringRows,
      isInt8: output.type === "int8" ? 1 : 0,
    };
  },
});
