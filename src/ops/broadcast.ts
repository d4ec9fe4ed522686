import { ModelError, UnsupportedError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { requireInput, requireInputCount, requireInt8, requireOutput } from "./check.ts";
import { isInt16 } from "./int16.ts";
import type { RecordOf } from "../plan/record.ts";
import { elementCount } from "../plan/shape.ts";
import { operandPlace } from "./constants.ts";
import type { Addresses, Place, RowAccess } from "./op.ts";
import { NOWHERE } from "./op.ts";
import { ONE_ROW, rowCount, rowFields, type RowFields } from "./view.ts";

/** Tensors of an elementwise operator with two operands. */
export interface ElementwiseOperands {
  readonly lhs: Tensor;
  readonly rhs: Tensor;
  readonly output: Tensor;
}

/** Outer dimensions and a run of consecutive outputs, as AddField and MulField lay them out. */
export interface BroadcastFields {
  readonly length: number;
  readonly lhsStep: number;
  readonly rhsStep: number;
  readonly n0: number;
  readonly n1: number;
  readonly n2: number;
  readonly n3: number;
  readonly lhsStride0: number;
  readonly lhsStride1: number;
  readonly lhsStride2: number;
  readonly lhsStride3: number;
  readonly rhsStride0: number;
  readonly rhsStride1: number;
  readonly rhsStride2: number;
  readonly rhsStride3: number;
}

/** The fields of a record that say where its operands are and how they are walked. */
export type ElementwiseFields = BroadcastFields &
  Pick<
    RecordOf<"add">,
    | "lhs"
    | "rhs"
    | "output"
    | "y0"
    | "y1"
    | "lhsRowBytes"
    | "lhsRingRows"
    | "rhsRowBytes"
    | "rhsRingRows"
    | "outputRowBytes"
    | "outputRingRows"
  >;

/** One dimension of the output, with the strides of both operands: 0 where the operand is repeated. */
interface Dimension {
  readonly size: number;
  readonly lhs: number;
  readonly rhs: number;
}

const RUN: Dimension = { size: 1, lhs: 1, rhs: 1 };
const OUTER: Dimension = { size: 1, lhs: 0, rhs: 0 };

/**
 * Gives the tensors their roles.
 * @throws ModelError input-count, missing-input, missing-output
 */
export function elementwiseOperands(
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
): ElementwiseOperands {
  requireInputCount(inputs, 2, 2);
  return {
    lhs: requireInput(inputs, 0, "lhs"),
    rhs: requireInput(inputs, 1, "rhs"),
    output: requireOutput(outputs),
  };
}

/**
 * All three are int8 with one scale, and the operands broadcast.
 * @throws ModelError, UnsupportedError as requireInt8 and broadcastFields
 */
export function requireElementwise({ lhs, rhs, output }: ElementwiseOperands): void {
  requireInt8(lhs, "lhs");
  requireInt8(rhs, "rhs");
  requireInt8(output, "output");
  broadcastFields(lhs, rhs);
}

/**
 * The shape of an elementwise result: shapes are aligned at their last dimension, and a dimension of 1 is repeated.
 * @throws ModelError shapes-do-not-broadcast
 */
export function broadcastShape(lhs: Tensor, rhs: Tensor): number[] {
  const rank = Math.max(lhs.shape.length, rhs.shape.length);
  return Array.from({ length: rank }, (_, i) => {
    const a = lhs.shape[i - rank + lhs.shape.length] ?? 1;
    const b = rhs.shape[i - rank + rhs.shape.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1) {
      throw new ModelError(
        "shapes-do-not-broadcast",
        `"${lhs.name}" [${lhs.shape.join(", ")}] and "${rhs.name}" [${rhs.shape.join(", ")}] do not broadcast; ` +
          "dimensions must be equal or 1: export the model again",
      );
    }
    return a === 1 ? b : a;
  });
}

/** The shape as `rank` dimensions: those that it lacks are 1 and come first. */
export function withRank(shape: readonly number[], rank: number): number[] {
  return [...Array<number>(rank - shape.length).fill(1), ...shape];
}

/** Dimensions of size 1 are dropped, and neighbours that both operands walk through at one stride are merged. */
function collapse(lhs: Tensor, rhs: Tensor): Dimension[] {
  const shape = broadcastShape(lhs, rhs);
  const dimensions: Dimension[] = [];
  let lhsStride = 1;
  let rhsStride = 1;
  for (let fromEnd = 1; fromEnd <= shape.length; fromEnd++) {
    const size = shape.at(-fromEnd) ?? 1;
    const lhsSize = lhs.shape.at(-fromEnd) ?? 1;
    const rhsSize = rhs.shape.at(-fromEnd) ?? 1;
    const here = { size, lhs: lhsSize === 1 ? 0 : lhsStride, rhs: rhsSize === 1 ? 0 : rhsStride };
    lhsStride *= lhsSize;
    rhsStride *= rhsSize;
    if (size === 1) continue;
    const [inner] = dimensions;
    if (inner && here.lhs === inner.lhs * inner.size && here.rhs === inner.rhs * inner.size) {
      dimensions[0] = { size: size * inner.size, lhs: inner.lhs, rhs: inner.rhs };
    } else {
      dimensions.unshift(here);
    }
  }
  return dimensions;
}

/**
 * The loops of an elementwise operator over int8 operands.
 * @throws ModelError shapes-do-not-broadcast
 * @throws UnsupportedError broadcast-too-deep if more than five dimensions remain after merging
 */
export function broadcastFields(lhs: Tensor, rhs: Tensor): BroadcastFields {
  const dimensions = collapse(lhs, rhs);
  const run = dimensions.pop() ?? RUN;
  if (dimensions.length > 4) {
    throw new UnsupportedError(
      "broadcast-too-deep",
      `broadcasting "${lhs.name}" [${lhs.shape.join(", ")}] with "${rhs.name}" [${rhs.shape.join(", ")}] needs ` +
        `${dimensions.length + 1} loops, 5 are run; reshape or tile one of them before`,
    );
  }
  const outer = (i: number): Dimension => dimensions[i - 4 + dimensions.length] ?? OUTER;
  return {
    length: run.size,
    lhsStep: run.lhs,
    rhsStep: run.rhs,
    n0: outer(0).size,
    n1: outer(1).size,
    n2: outer(2).size,
    n3: outer(3).size,
    lhsStride0: outer(0).lhs,
    lhsStride1: outer(1).lhs,
    lhsStride2: outer(2).lhs,
    lhsStride3: outer(3).lhs,
    rhsStride0: outer(0).rhs,
    rhsStride1: outer(1).rhs,
    rhsStride2: outer(2).rhs,
    rhsStride3: outer(3).rhs,
  };
}

/** An elementwise operator may write over an operand that is not repeated: element i is read before it is written. */
export function elementwiseOverlap(node: BoundNode, input: number): number | undefined {
  if (isInt16(node)) return undefined;
  const operand = node.inputs[input];
  const output = node.outputs[0];
  if (operand === undefined || output === undefined) return undefined;
  return elementCount(operand.shape) === elementCount(output.shape) ? 0 : undefined;
}

/** How an elementwise operator runs in rows: operands of one row are repeated. */
export function elementwiseRows(node: BoundNode): RowAccess | undefined {
  const output = requireOutput(node.outputs);
  const rows = rowCount(output);
  const { inputs } = node;
  if (isInt16(node) || rows < 2 || inputs.some((input) => input?.shape.length !== output.shape.length))
    return undefined;
  // Constants have all their columns.
  const isCut = inputs.every((input) => input?.data === undefined || input.shape[2] === 1);
  const same = (input: Tensor): boolean => elementCount(input.shape) === elementCount(output.shape);
  return {
    rows,
    inputs: inputs.map((input) => {
      if (input === undefined || input.data !== undefined) return undefined;
      const stride = rowCount(input) === 1 ? 0 : 1;
      const window = { stride, first: 0, last: 0 };
      return isCut && input.shape[2] === output.shape[2]
        ? { ...window, columns: { stride: 1, first: 0, last: 0 } }
        : window;
    }),
    inPlace: inputs.flatMap((input, i) => (input?.data === undefined && input && same(input) ? [i] : [])),
  };
}

/** What AddField and MulField have in common: where the operands are, their rows, and the loops of a row. */
export function elementwiseFields(node: BoundNode, at: Addresses): ElementwiseFields {
  const operands = elementwiseOperands(node.inputs, node.outputs);
  const inRows = at.accumulators !== undefined;
  const columns = at.outputs[0]?.columns;
  const [, , outputWidth] = operands.output.shape;
  const rowOf = (tensor: Tensor): Tensor => {
    if (!inRows || rowCount(tensor) === 1) return tensor;
    const row = { ...tensor, shape: tensor.shape.with(1, 1) };
    const isCut = columns !== undefined && tensor.shape[2] === outputWidth;
    return isCut ? { ...row, shape: row.shape.with(2, columns.width) } : row;
  };
  const fieldsOf = (place: Place | undefined, tensor: Tensor): RowFields =>
    inRows ? rowFields(tensor.data === undefined && place ? place : NOWHERE, tensor) : ONE_ROW;
  const [lhs, rhs] = [fieldsOf(at.inputs[0], operands.lhs), fieldsOf(at.inputs[1], operands.rhs)];
  const output = fieldsOf(at.outputs[0], operands.output);
  const { lhs: lhsAddress, rhs: rhsAddress } = operandAddresses(node, at);
  return {
    // First: engines copy an object that begins another many times faster than one within it.
    ...broadcastFields(rowOf(operands.lhs), rowOf(operands.rhs)),
    lhs: lhsAddress,
    rhs: rhsAddress,
    output: at.outputs[0]?.address ?? 0,
    y0: 0,
    y1: inRows ? rowCount(operands.output) : 1,
    lhsRowBytes: lhs.rowBytes,
    lhsRingRows: lhs.ringRows,
    rhsRowBytes: rhs.rowBytes,
    rhsRingRows: rhs.ringRows,
    outputRowBytes: output.rowBytes,
    outputRingRows: output.ringRows,
  };
}

/** Where the two operands lie: in the arena, or in what `packConstants` made. */
function operandAddresses(node: BoundNode, at: Addresses): { lhs: number; rhs: number } {
  return { lhs: operandPlace(node, at, 0).address, rhs: operandPlace(node, at, 1).address };
}
