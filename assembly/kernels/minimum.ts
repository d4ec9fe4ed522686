import { ElementwiseField as Field } from "../../src/plan/format.ts";
import { address } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { lhsRun, outputRun, rhsRun, runsIn } from "./elementwise.ts";

/**
 *   out[i] = min(lhs[i], rhs[i])   of stored values: scales and zero points are taken as equal
 *
 * Operands and output as in ElementwiseField. Reference: TFLite reference/maximum_minimum.h.
 */
export function minimum(record: usize, y0: i32, y1: i32): void {
  const runs = runsIn(record, y0, y1);
  for (let i = 0; i < runs; i++) {
    minimumRun(record, lhsRun(record, y0, i), rhsRun(record, y0, i), outputRun(record, y0, i));
  }
}

function minimumRun(record: usize, lhs: usize, rhs: usize, out: usize): void {
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const end = out + address(record, Field.length);
  while (out < end) {
    storeActivation(out, min(loadActivation(lhs), loadActivation(rhs)));
    lhs += lhsStep;
    rhs += rhsStep;
    out++;
  }
}
