import type { TensorType } from "../graph/graph.ts";
import { byteSize } from "../graph/graph.ts";
import type { ViewWords } from "../plan/record.ts";
import type { Place } from "./op.ts";

/** The view of an int8 NHWC tensor in its place. */
export function placedView({ address, ringRows, columns, pixelBytes }: Place, tensor: TensorType): ViewWords {
  const [, height = 1, width = 1, channels = 1] = tensor.shape;
  const pitch = pixelBytes ?? channels;
  return {
    address,
    pixelBytes: pitch,
    rowBytes: columns?.rowBytes ?? width * pitch,
    ringRows: ringRows ?? height,
    height,
    width: columns?.width ?? width,
    channels,
  };
}

/** Rows of a tensor that streams can make one by one, [1, rows, …]; 1 for any other. */
export function rowCount({ shape }: TensorType): number {
  return shape.length > 2 && shape[0] === 1 ? (shape[1] ?? 1) : 1;
}

/** How far it is from row to row of an operand of a record that runs in rows, and how many rows its ring has. */
export interface RowFields {
  readonly rowBytes: number;
  readonly ringRows: number;
}

/** A whole operand as the one row of a record that does not run in rows. */
export const ONE_ROW: RowFields = { rowBytes: 0, ringRows: 1 };

/** The rows of an operand; an operand of one row serves every row of the others. */
export function rowFields({ ringRows, columns }: Place, tensor: TensorType): RowFields {
  const rows = rowCount(tensor);
  const rowBytes = columns?.rowBytes ?? byteSize(tensor) / rows;
  return rows === 1 ? ONE_ROW : { rowBytes, ringRows: ringRows ?? rows };
}
