import { AddField as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { field, loadActivation, storeActivation } from "../record.ts";
import { elementwise } from "./elementwise.ts";

/** Bits that both operands are shifted left by before they are brought to one scale. */
const LEFT_SHIFT = 7;

/**
 *   out[i] = clamp(zOut + requantize(d²)),   d = scaled(lhs[i] − zLhs) − scaled(rhs[i] − zRhs),   scaled(v) = requantize(v << 7)
 *
 * Operands and output as in AddField. Reference: TFLite Micro kernels/squared_difference.cc.
 */
export function squaredDifference(record: usize, y0: i32, y1: i32): void {
  elementwise(record, y0, y1, squaredDifferenceRun);
}

function squaredDifferenceRun(
  record: usize,
  lhs: usize,
  lhsStep: usize,
  rhs: usize,
  rhsStep: usize,
  out: usize,
  length: usize,
): void {
  const lhsZeroPoint = field(record, Field.lhsZeroPoint);
  const rhsZeroPoint = field(record, Field.rhsZeroPoint);
  const lhsMultiplier = field(record, Field.lhsMultiplier);
  const lhsShift = field(record, Field.lhsShift);
  const rhsMultiplier = field(record, Field.rhsMultiplier);
  const rhsShift = field(record, Field.rhsShift);
  const outputMultiplier = field(record, Field.outputMultiplier);
  const outputShift = field(record, Field.outputShift);
  const outputZeroPoint = field(record, Field.outputZeroPoint);
  const lower = field(record, Field.activationMin);
  const upper = field(record, Field.activationMax);
  const end = out + length;
  while (out < end) {
    const left = (loadActivation(lhs) - lhsZeroPoint) << LEFT_SHIFT;
    const right = (loadActivation(rhs) - rhsZeroPoint) << LEFT_SHIFT;
    const difference =
      multiplyByQuantizedMultiplier(left, lhsMultiplier, lhsShift) -
      multiplyByQuantizedMultiplier(right, rhsMultiplier, rhsShift);
    const square = multiplyByQuantizedMultiplier(difference * difference, outputMultiplier, outputShift);
    storeActivation(out, clamp(square + outputZeroPoint, lower, upper));
    lhs += lhsStep;
    rhs += rhsStep;
    out++;
  }
}
