import { AddField as Field } from "../../src/plan/format.ts";
import { TWICE } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { lhsRun, outputRun, rhsRun, runsIn } from "./elementwise.ts";

/**
 *   out[i] = clamp(zOut + requantize(scaled(lhs[i] − zLhs) + scaled(rhs[i] − zRhs)))
 *   scaled(v) = requantize(v << 20), to half the range of the larger scale
 *
 * ADD of int8 where weightedSum does not do: scales whose sums lie halfway between outputs.
 *
 * lhs, rhs  int8, strides 0 where broadcast
 * out       int8, rows dense; may be an operand that is not broadcast: element i is read before it is written
 *
 * No overflow: |v << 20| < 2^28 and all three multipliers are below 1, so only right shifts occur.
 * Rounding: double, docs/numerics.md, by (v·multiplier + half) >> 31 and TWICE. Reference: TFLite reference/integer_ops/add.h.
 */
export function add(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) addRow(record, y, 0);
}

/** lhs − rhs, else as `add`. Reference: TFLite reference/sub.h. */
export function sub(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) addRow(record, y, -1);
}

/** With `sign` −1 instead of 0 the scaled rhs is subtracted: (v ^ sign) − sign. */
function addRow(record: usize, y: i32, sign: i64): void {
  const length = address(record, Field.length);
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const lower = field(record, Field.activationMin);
  const upper = field(record, Field.activationMax);
  const outputZeroPoint = field(record, Field.outputZeroPoint);
  // The shift by 20 in the multiplier, the zero point in the half.
  const lhsScale = (<i64>field(record, Field.lhsMultiplier)) << 20;
  const rhsScale = (<i64>field(record, Field.rhsMultiplier)) << 20;
  const outputScale: i64 = field(record, Field.outputMultiplier);
  const half: i64 = 1 << 30;
  const lhsOffset = half - field(record, Field.lhsZeroPoint) * lhsScale;
  const rhsOffset = half - field(record, Field.rhsZeroPoint) * rhsScale;
  const lhsShift: i64 = -field(record, Field.lhsShift);
  const rhsShift: i64 = -field(record, Field.rhsShift);
  const outputShift: i64 = -field(record, Field.outputShift);
  const lhsHalf = half << lhsShift;
  const rhsHalf = half << rhsShift;
  const outputHalf = half << outputShift;
  const runs = runsIn(record, y, y + 1);
  for (let run = 0; run < runs; run++) {
    let a = lhsRun(record, y, run);
    let b = rhsRun(record, y, run);
    let out = outputRun(record, y, run);
    for (const end = out + length; out < end; out++) {
      const left = ((<i64>loadActivation(a) * lhsScale + lhsOffset) >> 31) * TWICE + lhsHalf;
      const right = ((<i64>loadActivation(b) * rhsScale + rhsOffset) >> 31) * TWICE + rhsHalf;
      const sum = (left >> (31 + lhsShift)) + (((right >> (31 + rhsShift)) ^ sign) - sign);
      const scaled = ((sum * outputScale + half) >> 31) * TWICE + outputHalf;
      const value = <i32>(scaled >> (31 + outputShift)) + outputZeroPoint;
      storeActivation(out, min(max(value, lower), upper));
      a += lhsStep;
      b += rhsStep;
    }
  }
}
