import type { TensorType } from "../graph/graph.ts";
import type { Window } from "./op.ts";

/**
 * Bytes that an int8 NHWC output must begin below its input for both to share memory, when rows are computed in order
 * and nothing is assumed about the order within a row: row y counts as written before its own window is read. The
 * smallest D with (y + 1)·outputRow ≤ D + firstInputRow(y)·inputRow for every y. undefined for more than one batch.
 */
export function rowOverlapDistance(
  window: Pick<Window, "strideY" | "padTop">,
  input: TensorType,
  output: TensorType,
): number | undefined {
  const [batches = 1, , inputWidth = 1, inputChannels = 1] = input.shape;
  const [, outputHeight = 1, outputWidth = 1, outputChannels = 1] = output.shape;
  if (batches !== 1) return undefined;
  const { strideY, padTop } = window;
  const last = outputHeight - 1;
  const overrun = (y: number): number =>
    (y + 1) * outputWidth * outputChannels - Math.max(0, y * strideY - padTop) * inputWidth * inputChannels;
  // Concave in y: its greatest value is at an end or beside the last row whose window begins in the top padding.
  const knee = Math.min(last, Math.floor(padTop / strideY));
  return Math.max(0, overrun(knee), overrun(Math.min(last, knee + 1)), overrun(last));
}
