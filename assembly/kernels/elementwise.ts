import { ElementwiseField as Field } from "../../src/plan/format.ts";
import { address, field, ringRow } from "../record.ts";
import { loopOffset } from "./loops.ts";

/** What an operator does to one run: operands with steps of 1, or of 0 where one value serves all, to `length` outputs. */
export type Run = (
  record: usize,
  lhs: usize,
  lhsStep: usize,
  rhs: usize,
  rhsStep: usize,
  out: usize,
  length: usize,
) => void;

/**
 * Two operands element by element, row by row and run by run: a record's loops, for operators that are no hotter than a call
 * per run costs. Element i is read before it is written.
 */
export function elementwise(record: usize, y0: i32, y1: i32, run: Run): void {
  const length = address(record, Field.length);
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const runs =
    field(record, Field.n0) * field(record, Field.n1) * field(record, Field.n2) * field(record, Field.n3);
  for (let y = y0; y < y1; y++) {
    const lhs = ringRow(record, Field.lhs, Field.lhsRowBytes, y);
    const rhs = ringRow(record, Field.rhs, Field.rhsRowBytes, y);
    let out = ringRow(record, Field.output, Field.outputRowBytes, y);
    for (let i = 0; i < runs; i++) {
      const a = lhs + loopOffset(record, i, Field.n0, Field.lhsStride0);
      const b = rhs + loopOffset(record, i, Field.n0, Field.rhsStride0);
      run(record, a, lhsStep, b, rhsStep, out, length);
      out += length;
    }
  }
}
