import { WeightedSumField as Field } from "../../src/plan/format.ts";
import { weightedVectors } from "../micro/elementwise-strip.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { lhsRun, outputRun, rhsRun, runsIn } from "./elementwise.ts";

/**
 *   out[i] = clamp((lhs[i] · lhsFactor + rhs[i] · rhsFactor + offset) >> 28)
 *
 * ADD and SUB of int8, where that is the reference's answer for every pair of values (src/ops/weighted-sum.ts); elsewhere add.ts.
 *
 * lhs, rhs  int8, strides 0 where broadcast
 * out       int8, rows dense; may be an operand that is not broadcast: element i is read before it is written
 *
 * No overflow: |factors| < 2^30, |offset| < 2^40.
 */
export function weightedSum(record: usize, y0: i32, y1: i32): void {
  const length = address(record, Field.length);
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const lhsFactor: i64 = field(record, Field.lhsFactor);
  const rhsFactor: i64 = field(record, Field.rhsFactor);
  const offset = load<i64>(record + (Field.offset << 2));
  const lower = field(record, Field.activationMin);
  const upper = field(record, Field.activationMax);
  const runs = runsIn(record, y0, y1);
  for (let run = 0; run < runs; run++) {
    let a = lhsRun(record, y0, run);
    let b = rhsRun(record, y0, run);
    let out = outputRun(record, y0, run);
    const end = out + length;
    const done = weightedVectors(
      a,
      lhsStep,
      b,
      rhsStep,
      out,
      length,
      lhsFactor,
      rhsFactor,
      offset,
      lower,
      upper,
    );
    a += done * lhsStep;
    b += done * rhsStep;
    out += done;
    while (out < end) {
      const sum = <i64>loadActivation(a) * lhsFactor + <i64>loadActivation(b) * rhsFactor + offset;
      storeActivation(out, min(max(<i32>(sum >> 28), lower), upper));
      a += lhsStep;
      b += rhsStep;
      out++;
    }
  }
}
