import { ElementwiseField as Field } from "../../src/plan/format.ts";
import { address, field, ringRow } from "../record.ts";
import { loopOffset } from "./loops.ts";

/**
 * A record's loops, for operators of two operands that are no hotter than finding each run costs: rows [y0, y1) are cut into runs
 * of `length` outputs, numbered through. Function values would do this more plainly, but they need static memory, and kernels
 * have none.
 */
export function runsIn(record: usize, y0: i32, y1: i32): i32 {
  return (y1 - y0) * runsPerRow(record);
}

function runsPerRow(record: usize): i32 {
  return (
    field(record, Field.n0) * field(record, Field.n1) * field(record, Field.n2) * field(record, Field.n3)
  );
}

/** Where lhs begins in run `run` of the rows from `y0` on. */
export function lhsRun(record: usize, y0: i32, run: i32): usize {
  const perRow = runsPerRow(record);
  const row = ringRow(record, Field.lhs, Field.lhsRowBytes, y0 + run / perRow);
  return row + loopOffset(record, run % perRow, Field.n0, Field.lhsStride0);
}

/** As lhsRun. */
export function rhsRun(record: usize, y0: i32, run: i32): usize {
  const perRow = runsPerRow(record);
  const row = ringRow(record, Field.rhs, Field.rhsRowBytes, y0 + run / perRow);
  return row + loopOffset(record, run % perRow, Field.n0, Field.rhsStride0);
}

/** As lhsRun, of an output of one byte an element. */
export function outputRun(record: usize, y0: i32, run: i32): usize {
  const perRow = runsPerRow(record);
  const row = ringRow(record, Field.output, Field.outputRowBytes, y0 + run / perRow);
  return row + <usize>(run % perRow) * address(record, Field.length);
}
