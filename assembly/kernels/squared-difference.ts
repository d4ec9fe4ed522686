import { AddField as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { lhsRun, outputRun, rhsRun, runsIn } from "./elementwise.ts";

/** Bits that both operands are shifted left by before they are brought to one scale. */
const LEFT_SHIFT = 7;

/**
 *   out[i] = clamp(zOut + requantize(d²)),   d = scaled(lhs[i] − zLhs) − scaled(rhs[i] − zRhs),   scaled(v) = requantize(v << 7)
 *
 * Operands and output as in AddField. Reference: TFLite Micro kernels/squared_difference.cc.
 */
export function squaredDifference(record: usize, y0: i32, y1: i32): void {
  const runs = runsIn(record, y0, y1);
  for (let i = 0; i < runs; i++) {
    squaredDifferenceRun(record, lhsRun(record, y0, i), rhsRun(record, y0, i), outputRun(record, y0, i));
  }
}

function squaredDifferenceRun(record: usize, lhs: usize, rhs: usize, out: usize): void {
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
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const end = out + address(record, Field.length);
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
