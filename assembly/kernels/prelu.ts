import { PreluField as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { lhsRun, outputRun, rhsRun, runsIn } from "./elementwise.ts";

/**
 *   out[i] = clamp(zOut + (x ≥ 0 ? requantize(x) : requantize(x · (slope[i] − zSlope)))),   x = in[i] − zIn
 *
 * in is lhs and slope rhs of PreluField. Reference: TFLite reference/prelu.h.
 */
export function prelu(record: usize, y0: i32, y1: i32): void {
  const runs = runsIn(record, y0, y1);
  for (let i = 0; i < runs; i++) {
    preluRun(record, lhsRun(record, y0, i), rhsRun(record, y0, i), outputRun(record, y0, i));
  }
}

function preluRun(record: usize, lhs: usize, rhs: usize, out: usize): void {
  const lhsZeroPoint = field(record, Field.lhsZeroPoint);
  const rhsZeroPoint = field(record, Field.rhsZeroPoint);
  const outputZeroPoint = field(record, Field.outputZeroPoint);
  const identityMultiplier = field(record, Field.identityMultiplier);
  const identityShift = field(record, Field.identityShift);
  const slopeMultiplier = field(record, Field.slopeMultiplier);
  const slopeShift = field(record, Field.slopeShift);
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const end = out + address(record, Field.length);
  while (out < end) {
    const x = loadActivation(lhs) - lhsZeroPoint;
    const scaled =
      x >= 0
        ? multiplyByQuantizedMultiplier(x, identityMultiplier, identityShift)
        : multiplyByQuantizedMultiplier(
            x * (loadActivation(rhs) - rhsZeroPoint),
            slopeMultiplier,
            slopeShift,
          );
    storeActivation(out, clamp(scaled + outputZeroPoint, -128, 127));
    lhs += lhsStep;
    rhs += rhsStep;
    out++;
  }
}
