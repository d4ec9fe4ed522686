import { BatchMatmulField as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier, multiplyWide } from "../fixed-point.ts";
import { dotOfActivations } from "../micro/activation-dot.ts";
import { address, field } from "../record.ts";
import { storeActivation } from "../storage.ts";

/**
 *   out[b, i, j] = clamp(zOut + requantize(Σ_k (lhs[b, i, k] − zLhs) · (rhs[b, k, j] − zRhs)))
 *
 * lhs, rhs  int8 or int16 matrices by strides, so that either may be transposed or repeated
 * out       of the same type [n0, n1, n2, rows, columns], dense; no operand may meet it
 *
 * No overflow while depth ≤ 2^15, where a product is at most 255²; of int16 sums are of 64 bits, below 2^47 while depth < 2^17.
 * Rounding: docs/numerics.md. Reference: TFLite reference/batch_matmul.h.
 */
export function batchMatmul(record: usize): void {
  const n0 = field(record, Field.n0);
  const n1 = field(record, Field.n1);
  const n2 = field(record, Field.n2);
  let out = address(record, Field.output);
  for (let b0 = 0; b0 < n0; b0++) {
    for (let b1 = 0; b1 < n1; b1++) {
      for (let b2 = 0; b2 < n2; b2++) {
        const lhs =
          address(record, Field.lhs) +
          <usize>b0 * address(record, Field.lhsStride0) +
          <usize>b1 * address(record, Field.lhsStride1) +
          <usize>b2 * address(record, Field.lhsStride2);
        const rhs =
          address(record, Field.rhs) +
          <usize>b0 * address(record, Field.rhsStride0) +
          <usize>b1 * address(record, Field.rhsStride1) +
          <usize>b2 * address(record, Field.rhsStride2);
        out = matmul(record, lhs, rhs, out);
      }
    }
  }
}

/** One product of matrices; returns where the next begins. */
function matmul(record: usize, lhs: usize, rhs: usize, out: usize): usize {
  const rows = field(record, Field.rows);
  const columns = field(record, Field.columns);
  const depth = field(record, Field.depth);
  const lhsRowStep = address(record, Field.lhsRowStep);
  const lhsStep = address(record, Field.lhsStep);
  const rhsColumnStep = address(record, Field.rhsColumnStep);
  const rhsStep = address(record, Field.rhsStep);
  const lhsZeroPoint = field(record, Field.lhsZeroPoint);
  const rhsZeroPoint = field(record, Field.rhsZeroPoint);
  const outputZeroPoint = field(record, Field.outputZeroPoint);
  const multiplier = field(record, Field.multiplier);
  const shift = field(record, Field.shift);
  const isInt16 = field(record, Field.elementBytes) === 2;
  for (let i = 0; i < rows; i++) {
    let column = rhs;
    for (let j = 0; j < columns; j++) {
      if (isInt16) {
        const wide = multiplyWide(dotOfInt16(lhs, lhsStep, column, rhsStep, depth), multiplier, shift);
        store<i16>(out, <i16>clamp(wide, -32768, 32767));
        column += rhsColumnStep;
        out += 2;
        continue;
      }
      const sum = dotOfActivations(lhs, lhsStep, lhsZeroPoint, column, rhsStep, rhsZeroPoint, depth);
      const value = multiplyByQuantizedMultiplier(sum, multiplier, shift) + outputZeroPoint;
      storeActivation(out, clamp(value, -128, 127));
      column += rhsColumnStep;
      out++;
    }
    lhs += lhsRowStep;
  }
  return out;
}

function dotOfInt16(a: usize, aStep: usize, b: usize, bStep: usize, length: i32): i64 {
  let sum: i64 = 0;
  for (let k = 0; k < length; k++) {
    sum += <i64>(<i32>load<i16>(a) * <i32>load<i16>(b));
    a += aStep;
    b += bStep;
  }
  return sum;
}
