import { CompareField as Field, Relation } from "../../src/plan/format.ts";
import { multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation } from "../storage.ts";
import { lhsRun, outputRun, rhsRun, runsIn } from "./elementwise.ts";

/** Bits that both operands are shifted left by before they are scaled. */
const LEFT_SHIFT = 8;

/**
 *   out[i] = scaled(lhs[i] − zLhs) <relation> scaled(rhs[i] − zRhs) ? 1 : 0,   scaled(v) = requantize(v << 8)
 *
 * Operands int8, output bool, as in CompareField. Reference: TFLite reference/comparisons.h, ComparisonWithScaling.
 */
export function compare(record: usize, y0: i32, y1: i32): void {
  const runs = runsIn(record, y0, y1);
  for (let i = 0; i < runs; i++) {
    compareRun(record, lhsRun(record, y0, i), rhsRun(record, y0, i), outputRun(record, y0, i));
  }
}

function compareRun(record: usize, lhs: usize, rhs: usize, out: usize): void {
  const relation = field(record, Field.relation);
  const lhsZeroPoint = field(record, Field.lhsZeroPoint);
  const rhsZeroPoint = field(record, Field.rhsZeroPoint);
  const lhsMultiplier = field(record, Field.lhsMultiplier);
  const lhsShift = field(record, Field.lhsShift);
  const rhsMultiplier = field(record, Field.rhsMultiplier);
  const rhsShift = field(record, Field.rhsShift);
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const end = out + address(record, Field.length);
  while (out < end) {
    const left = (loadActivation(lhs) - lhsZeroPoint) << LEFT_SHIFT;
    const right = (loadActivation(rhs) - rhsZeroPoint) << LEFT_SHIFT;
    const a = multiplyByQuantizedMultiplier(left, lhsMultiplier, lhsShift);
    const b = multiplyByQuantizedMultiplier(right, rhsMultiplier, rhsShift);
    store<u8>(out, u8(holds(relation, a, b)));
    lhs += lhsStep;
    rhs += rhsStep;
    out++;
  }
}

function holds(relation: i32, a: i32, b: i32): bool {
  switch (relation) {
    case Relation.equal:
      return a === b;
    case Relation.notEqual:
      return a !== b;
    case Relation.greater:
      return a > b;
    case Relation.greaterEqual:
      return a >= b;
    case Relation.less:
      return a < b;
    default:
      return a <= b;
  }
}
