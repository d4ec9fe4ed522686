import { MulField as Field } from "../../src/plan/format.ts";
import { oneOverOnePlus } from "../fixed-functions.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { lhsRun, outputRun, rhsRun, runsIn } from "./elementwise.ts";

/**
 *   out[i] = clamp(zOut + requantize((lhs[i] − zLhs) / (rhs[i] − zRhs)))
 *
 * The reciprocal is taken in fixed point. A divisor of zero, which the reference does not define, gives the largest or the least
 * output, or zero for zero. Operands and output as in MulField. Reference: TFLite reference/div.h.
 */
export function div(record: usize, y0: i32, y1: i32): void {
  const runs = runsIn(record, y0, y1);
  for (let i = 0; i < runs; i++) {
    divRun(record, lhsRun(record, y0, i), rhsRun(record, y0, i), outputRun(record, y0, i));
  }
}

function divRun(record: usize, lhs: usize, rhs: usize, out: usize): void {
  const lhsZeroPoint = field(record, Field.lhsZeroPoint);
  const rhsZeroPoint = field(record, Field.rhsZeroPoint);
  const outputZeroPoint = field(record, Field.outputZeroPoint);
  const multiplier = field(record, Field.outputMultiplier);
  const shift = field(record, Field.outputShift);
  const lower = field(record, Field.activationMin);
  const upper = field(record, Field.activationMax);
  const lhsStep = address(record, Field.lhsStep);
  const rhsStep = address(record, Field.rhsStep);
  const end = out + address(record, Field.length);
  while (out < end) {
    const numerator = loadActivation(lhs) - lhsZeroPoint;
    const denominator = loadActivation(rhs) - rhsZeroPoint;
    let value: i32;
    if (denominator !== 0) value = outputZeroPoint + quotient(numerator, denominator, multiplier, shift);
    else value = numerator > 0 ? upper : numerator < 0 ? lower : outputZeroPoint;
    storeActivation(out, clamp(value, lower, upper));
    lhs += lhsStep;
    rhs += rhsStep;
    out++;
  }
}

/** numerator / denominator · multiplier · 2^(shift − 31). */
function quotient(numerator: i32, denominator: i32, multiplier: i32, shift: i32): i32 {
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  // denominator = 2^(31 − headroom) · (1 + fraction), fraction in Q0.31.
  const headroom = <i32>clz(denominator);
  const reciprocal = oneOverOnePlus(<i32>(((<u32>denominator) << headroom) - 0x80000000));
  const room = numerator >= 0 ? <i32>clz(numerator) - 1 : <i32>clz(2 * -numerator - 1);
  const unscaled = multiplyByQuantizedMultiplier(numerator, reciprocal, room);
  const exponent = shift - (31 - headroom) - room;
  // Shifts that the reference refuses leave nothing.
  return exponent < -31 ? 0 : multiplyByQuantizedMultiplier(unscaled, multiplier, exponent);
}
