import type { BoundNode, Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import type { Int16Operation } from "../plan/format.ts";
import type { RecordOf } from "../plan/record.ts";
import { elementwiseFields, elementwiseOperands } from "./broadcast.ts";
import { perTensor } from "./check.ts";
import type { Multiplier } from "./fixed-point.ts";
import type { Addresses } from "./op.ts";

/** What a record computes beside its loops; multipliers that an operation does not use are left out. */
export interface Int16Elementwise {
  readonly operation: Int16Operation;
  readonly leftShift?: number;
  readonly lhs?: Multiplier;
  readonly rhs?: Multiplier;
  readonly output?: Multiplier;
  readonly range?: { readonly min: number; readonly max: number };
}

const NONE: Multiplier = { multiplier: 0, shift: 0 };

/** The record of an elementwise operator of int16; its second operand may be int8. */
export function elementwiseInt16(
  node: BoundNode,
  at: Addresses,
  { operation, leftShift = 0, lhs = NONE, rhs = NONE, output = NONE, range }: Int16Elementwise,
): RecordOf<"elementwiseInt16"> {
  const operands = elementwiseOperands(node.inputs, node.outputs);
  const fields = elementwiseFields(node, at);
  const rhsBytes = elementBytes(operands.rhs.type);
  return {
    op: "elementwiseInt16",
    lhs: fields.lhs,
    rhs: fields.rhs,
    output: fields.output,
    length: fields.length,
    lhsStep: 2 * fields.lhsStep,
    rhsStep: rhsBytes * fields.rhsStep,
    n0: fields.n0,
    n1: fields.n1,
    n2: fields.n2,
    n3: fields.n3,
    lhsStride0: 2 * fields.lhsStride0,
    lhsStride1: 2 * fields.lhsStride1,
    lhsStride2: 2 * fields.lhsStride2,
    lhsStride3: 2 * fields.lhsStride3,
    rhsStride0: rhsBytes * fields.rhsStride0,
    rhsStride1: rhsBytes * fields.rhsStride1,
    rhsStride2: rhsBytes * fields.rhsStride2,
    rhsStride3: rhsBytes * fields.rhsStride3,
    operation,
    leftShift,
    rhsBytes,
    rhsZeroPoint: zeroPointOf(operands.rhs),
    lhsMultiplier: lhs.multiplier,
    lhsShift: lhs.shift,
    rhsMultiplier: rhs.multiplier,
    rhsShift: rhs.shift,
    outputMultiplier: output.multiplier,
    outputShift: output.shift,
    activationMin: range?.min ?? -32768,
    activationMax: range?.max ?? 32767,
  };
}

function zeroPointOf(tensor: Tensor): number {
  return tensor.type === "int8" ? perTensor(tensor, "rhs").zeroPoint : 0;
}
