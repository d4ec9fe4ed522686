import { loadActivation, storeActivation } from "../record.ts";
import { elementwise } from "./elementwise.ts";

/**
 *   out[i] = min(lhs[i], rhs[i])   of stored values: scales and zero points are taken as equal
 *
 * Operands and output as in ElementwiseField. Reference: TFLite reference/maximum_minimum.h.
 */
export function minimum(record: usize, y0: i32, y1: i32): void {
  elementwise(record, y0, y1, minimumRun);
}

function minimumRun(
  _record: usize,
  lhs: usize,
  lhsStep: usize,
  rhs: usize,
  rhsStep: usize,
  out: usize,
  length: usize,
): void {
  const end = out + length;
  while (out < end) {
    storeActivation(out, min(loadActivation(lhs), loadActivation(rhs)));
    lhs += lhsStep;
    rhs += rhsStep;
    out++;
  }
}
