import { MulField } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { mulVectors, singleProducts } from "../micro/elementwise-strip.ts";
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

/** The innermost loop goes by addition, not by loopOffset's divisions: a pixel's channels times the same vector are short runs. */
function mulRow(record: usize, y: i32): void {
  const lhs = ringRow(record, MulField.lhs, MulField.lhsRowBytes, y);
  const rhs = ringRow(record, MulField.rhs, MulField.rhsRowBytes, y);
  const length = address(record, MulField.length);
  const inner = field(record, MulField.n3);
  const runs = field(record, MulField.n0) * field(record, MulField.n1) * field(record, MulField.n2) * inner;
  const lhsStride = address(record, MulField.lhsStride3);
  const rhsStride = address(record, MulField.rhsStride3);
  let out = ringRow(record, MulField.output, MulField.outputRowBytes, y);
  for (let run = 0; run < runs; run += inner) {
    let a = lhs + loopOffset(record, run, MulField.n0, MulField.lhsStride0);
    let b = rhs + loopOffset(record, run, MulField.n0, MulField.rhsStride0);
    for (let i = 0; i < inner; i++) {
      mulRun(record, a, b, out, length);
      a += lhsStride;
      b += rhsStride;
      out += length;
    }
  }
}

/** `length` outputs. */
function mulRun(record: usize, a: usize, b: usize, out: usize, length: usize): void {
  const lhsStep = address(record, MulField.lhsStep);
  const rhsStep = address(record, MulField.rhsStep);
  const lhsZeroPoint = field(record, MulField.lhsZeroPoint);
  const rhsZeroPoint = field(record, MulField.rhsZeroPoint);
  const outputZeroPoint = field(record, MulField.outputZeroPoint);
  const multiplier = field(record, MulField.outputMultiplier);
  const shift = field(record, MulField.outputShift);
  const activationMin = field(record, MulField.activationMin);
  const activationMax = field(record, MulField.activationMax);
  const end = out + length;
  let done = singleProducts(
    a,
    lhsStep,
    b,
    rhsStep,
    out,
    length,
    lhsZeroPoint,
    rhsZeroPoint,
    outputZeroPoint,
    record + (MulField.singleScale << 2),
    activationMin,
    activationMax,
  );
  done += mulVectors(
    a + done * lhsStep,
    lhsStep,
    b + done * rhsStep,
    rhsStep,
    out + done,
    length - done,
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
