import type { TensorType } from "../graph/graph.ts";
import type { RowAccess, Window } from "./op.ts";

/** Row access of a window over the first input. */
export function windowRows(window: Window, output: TensorType, inputs: number): RowAccess | undefined {
  const [batches, rows = 1] = output.shape;
  if (batches !== 1) return undefined;
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft } = window;
  const columns = { stride: strideX, first: -padLeft, last: (kernelWidth - 1) * dilationX - padLeft };
  const first = { stride: strideY, first: -padTop, last: (kernelHeight - 1) * dilationY - padTop, columns };
  return { rows, inputs: Array.from({ length: inputs }, (_, i) => (i === 0 ? first : undefined)) };
}

/**
 * Bytes that an int8 NHWC output must begin below its input for both to share memory, when rows are computed in order,
 * `rowsAtOnce` together, and nothing is assumed about the order within those: rows up to y + rowsAtOnce − 1 count as written
 * before the window of row y is read. The smallest D with (y + rowsAtOnce)·outputRow ≤ D + firstInputRow(y)·inputRow for
 * every y (the last group may be short). undefined for more than one batch.
 */
export function rowOverlapDistance(
  window: Pick<Window, "strideY" | "padTop">,
  input: TensorType,
  output: TensorType,
  rowsAtOnce = 1,
): number | undefined {
  const [batches = 1, , inputWidth = 1, inputChannels = 1] = input.shape;
  const [, outputHeight = 1, outputWidth = 1, outputChannels = 1] = output.shape;
  if (batches !== 1) return undefined;
  const { strideY, padTop } = window;
  const last = outputHeight - 1;
  const overrun = (y: number): number =>
    Math.min(y + rowsAtOnce, outputHeight) * outputWidth * outputChannels -
    Math.max(0, y * strideY - padTop) * inputWidth * inputChannels;
  // Concave in y but for the short last group: its greatest value is at an end, beside the last row whose window begins in
  // the top padding, or beside the last full group.
  const knee = Math.floor(padTop / strideY);
  const candidates = [knee, knee + 1, last, outputHeight - rowsAtOnce];
  return Math.max(0, ...candidates.map((y) => overrun(Math.min(Math.max(y, 0), last))));
}
