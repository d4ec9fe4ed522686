import { AddField } from "../../src/plan/format.ts";
import { TWICE } from "../fixed-point.ts";
import { addVectors } from "../micro/elementwise-strip.ts";
import { address, field, ringRow } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { loopOffset } from "./loops.ts";

/**
 *   out[i] = clamp(zOut + requantize(scaled(lhs[i] − zLhs) + scaled(rhs[i] − zRhs)))
 *   scaled(v) = requantize(v << 20), to half the range of the larger scale
 *
 * lhs, rhs  int8, strides 0 where broadcast
 * out       int8, rows dense; may be an operand that is not broadcast: element i is read before it is written
 *
 * No overflow: |v << 20| < 2^28 and all three multipliers are below 1, so only right shifts occur.
 * Rounding: double, docs/numerics.md; one value at a time by (v·multiplier + half) >> 31 and TWICE. Reference: TFLite reference/integer_ops/add.h.
 */
export function add(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) addRow(record, y, 0);
}

/** lhs − rhs, else as `add`. Reference: TFLite reference/sub.h. */
export function sub(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) addRow(record, y, -1);
}

/** With `sign` −1 instead of 0 the scaled rhs is subtracted: (v ^ sign) − sign. */
function addRow(record: usize, y: i32, sign: i32): void {
  const lhs = ringRow(record, AddField.lhs, AddField.lhsRowBytes, y);
  const rhs = ringRow(record, AddField.rhs, AddField.rhsRowBytes, y);
  const length = address(record, AddField.length);
  const lhsStep = address(record, AddField.lhsStep);
  const rhsStep = address(record, AddField.rhsStep);
  const lhsZeroPoint = field(record, AddField.lhsZeroPoint);
  const rhsZeroPoint = field(record, AddField.rhsZeroPoint);
  const outputZeroPoint = field(record, AddField.outputZeroPoint);
  const lhsMultiplier = field(record, AddField.lhsMultiplier);
  const lhsShift = -field(record, AddField.lhsShift);
  const rhsMultiplier = field(record, AddField.rhsMultiplier);
  const rhsShift = -field(record, AddField.rhsShift);
  const outputMultiplier = field(record, AddField.outputMultiplier);
  const outputShift = -field(record, AddField.outputShift);
  const activationMin = field(record, AddField.activationMin);
  const activationMax = field(record, AddField.activationMax);
  // The shift by 20 in the multiplier, the zero point in the half.
  const lhsScale = (<i64>lhsMultiplier) << 20;
  const rhsScale = (<i64>rhsMultiplier) << 20;
  const half: i64 = 1 << 30;
  const lhsOffset = half - lhsZeroPoint * lhsScale;
  const rhsOffset = half - rhsZeroPoint * rhsScale;
  const lhsHalf = half << lhsShift;
  const rhsHalf = half << rhsShift;
  const outputHalf = half << outputShift;
  const lhsRight: i64 = 31 + lhsShift;
  const rhsRight: i64 = 31 + rhsShift;
  const outputRight: i64 = 31 + outputShift;
  const outputScale: i64 = outputMultiplier;
  const signs: i64 = sign;
  const runs =
    field(record, AddField.n0) *
    field(record, AddField.n1) *
    field(record, AddField.n2) *
    field(record, AddField.n3);

  let out = ringRow(record, AddField.output, AddField.outputRowBytes, y);
  for (let run = 0; run < runs; run++) {
    let a = lhs + loopOffset(record, run, AddField.n0, AddField.lhsStride0);
    let b = rhs + loopOffset(record, run, AddField.n0, AddField.rhsStride0);
    const end = out + length;
    const done = addVectors(
      a,
      lhsStep,
      b,
      rhsStep,
      out,
      length,
      lhsZeroPoint,
      rhsZeroPoint,
      outputZeroPoint,
      lhsMultiplier,
      lhsShift,
      rhsMultiplier,
      rhsShift,
      outputMultiplier,
      outputShift,
      activationMin,
      activationMax,
      sign,
    );
    a += done * lhsStep;
    b += done * rhsStep;
    out += done;
    while (out < end) {
      const left = ((<i64>loadActivation(a) * lhsScale + lhsOffset) >> 31) * TWICE + lhsHalf;
      const right = ((<i64>loadActivation(b) * rhsScale + rhsOffset) >> 31) * TWICE + rhsHalf;
      const sum = (left >> lhsRight) + (((right >> rhsRight) ^ signs) - signs);
      const scaled = ((sum * outputScale + half) >> 31) * TWICE + outputHalf;
      const value = <i32>(scaled >> outputRight) + outputZeroPoint;
      storeActivation(out, min(max(value, activationMin), activationMax));
      a += lhsStep;
      b += rhsStep;
      out++;
    }
  }
}
