import { ElementwiseInt16Field as Field, Int16Operation } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation } from "../storage.ts";
import { loopOffset } from "./loops.ts";

/**
 *   out[i] = clamp(operation(lhs[i], rhs[i]))   as Int16Operation says
 *
 * lhs, out  int16, zero point 0; rhs int16, or int8 for slopes; operands by strides, the output dense and apart
 *
 * References: TFLite Micro kernels/add.cc, sub.cc, mul.cc, squared_difference.cc, prelu.cc; TFLite reference/maximum_minimum.h.
 */
export function elementwiseInt16(record: usize): void {
  const length = field(record, Field.length);
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const isInt8 = field(record, Field.rhsBytes) === 1;
  const lower = field(record, Field.activationMin);
  const upper = field(record, Field.activationMax);
  const runs =
    field(record, Field.n0) * field(record, Field.n1) * field(record, Field.n2) * field(record, Field.n3);
  let out = address(record, Field.output);
  for (let run = 0; run < runs; run++) {
    let lhs = address(record, Field.lhs) + loopOffset(record, run, Field.n0, Field.lhsStride0);
    let rhs = address(record, Field.rhs) + loopOffset(record, run, Field.n0, Field.rhsStride0);
    for (let i = 0; i < length; i++) {
      const right = isInt8 ? loadActivation(rhs) : <i32>load<i16>(rhs);
      store<i16>(out, <i16>clamp(combined(record, load<i16>(lhs), right), lower, upper));
      lhs += lhsStep;
      rhs += rhsStep;
      out += 2;
    }
  }
}

function combined(record: usize, left: i32, right: i32): i32 {
  switch (field(record, Field.operation)) {
    case Int16Operation.add:
      return scaled(
        record,
        scaled(record, left << field(record, Field.leftShift), Field.lhsMultiplier) +
          scaled(record, right << field(record, Field.leftShift), Field.rhsMultiplier),
        Field.outputMultiplier,
      );
    case Int16Operation.subtract:
      return scaled(
        record,
        scaled(record, left << field(record, Field.leftShift), Field.lhsMultiplier) -
          scaled(record, right << field(record, Field.leftShift), Field.rhsMultiplier),
        Field.outputMultiplier,
      );
    case Int16Operation.multiply:
      return scaled(record, left * right, Field.outputMultiplier);
    case Int16Operation.minimum:
      return min(left, right);
    case Int16Operation.maximum:
      return max(left, right);
    case Int16Operation.squaredDifference: {
      const difference =
        scaled(record, left, Field.lhsMultiplier) - scaled(record, right, Field.rhsMultiplier);
      return scaled(record, difference * difference, Field.outputMultiplier);
    }
    default: {
      if (left >= 0) return scaled(record, left, Field.lhsMultiplier);
      return scaled(record, left * (right - field(record, Field.rhsZeroPoint)), Field.outputMultiplier);
    }
  }
}

/** By the multiplier at this word, and the shift that follows it. */
function scaled(record: usize, value: i32, multiplier: i32): i32 {
  return multiplyByQuantizedMultiplier(value, field(record, multiplier), field(record, multiplier + 1));
}
