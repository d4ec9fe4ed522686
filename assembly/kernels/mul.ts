import { MulField } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { mulVectors } from "../micro/elementwise-strip.ts";
import { address, field, ringRow } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { loopOffset } from "./loops.ts";

/**
 *   out[i] = clamp(zOut + requantize((lhs[i] − zLhs) · (rhs[i] − zRhs)))
 *
 * lhs, rhs  int8, strides 0 where broadcast
 * out       int8, rows dense; may be an operand that is not broadcast: element i is read before it is written
 *
 * The product is below 2^16; a left shift of the requantisation wraps as the reference's does.
 * Rounding: double, docs/numerics.md. Reference: TFLite reference/integer_ops/mul.h.
 */
export function mul(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) mulRow(record, y);
}

function mulRow(record: usize, y: i32): void {
  const lhs = ringRow(record, MulField.lhs, MulField.lhsRowBytes, y);
  const rhs = ringRow(record, MulField.rhs, MulField.rhsRowBytes, y);
  const length = address(record, MulField.length);
  const lhsStep = address(record, MulField.lhsStep);
  const rhsStep = address(record, MulField.rhsStep);
  const lhsZeroPoint = field(record, MulField.lhsZeroPoint);
  const rhsZeroPoint = field(record, MulField.rhsZeroPoint);
  const outputZeroPoint = field(record, MulField.outputZeroPoint);
  const multiplier = field(record, MulField.outputMultiplier);
  const shift = field(record, MulField.outputShift);
  const activationMin = field(record, MulField.activationMin);
  const activationMax = field(record, MulField.activationMax);
  const runs =
    field(record, MulField.n0) *
    field(record, MulField.n1) *
    field(record, MulField.n2) *
    field(record, MulField.n3);

  let out = ringRow(record, MulField.output, MulField.outputRowBytes, y);
  for (let run = 0; run < runs; run++) {
    let a = lhs + loopOffset(record, run, MulField.n0, MulField.lhsStride0);
    let b = rhs + loopOffset(record, run, MulField.n0, MulField.rhsStride0);
    const end = out + length;
    const done = mulVectors(
      a,
      lhsStep,
      b,
      rhsStep,
      out,
      length,
      lhsZeroPoint,
      rhsZeroPoint,
      outputZeroPoint,
      multiplier,
      shift,
      activationMin,
      activationMax,
    );
    a += done * lhsStep;
    b += done * rhsStep;
    out += done;
    while (out < end) {
      const product = (loadActivation(a) - lhsZeroPoint) * (loadActivation(b) - rhsZeroPoint);
      const scaled = multiplyByQuantizedMultiplier(product, multiplier, shift);
      storeActivation(out, clamp(scaled + outputZeroPoint, activationMin, activationMax));
      a += lhsStep;
      b += rhsStep;
      out++;
    }
  }
}
