import { SigmoidInt16Field as Field } from "../../src/plan/format.ts";
import { clamp } from "../fixed-point.ts";
import { SIGMOID_LIMIT, sigmoidByTable, tanhByTable } from "../micro/sigmoid-scalar.ts";
import { address, field } from "../record.ts";

/**
 *   out[i] = σ(x) or tanh(x) in Q0.15,   t = (in[i] · multiplier + half) >> shift   is 3 · 2^12 · x
 *
 * in, out  int16; the output may be the input, or begin below it
 *
 * References: TFLite reference/integer_ops/logistic.h, tanh.h, int16.
 */
export function sigmoidInt16(record: usize): void {
  const table = address(record, Field.weights);
  const length = field(record, Field.length);
  const multiplier = field(record, Field.multiplier);
  const shift = field(record, Field.shift);
  const half = shift > 0 ? 1 << (shift - 1) : 0;
  const isTanh = field(record, Field.isTanh) !== 0;
  let from = address(record, Field.input);
  let to = address(record, Field.output);
  for (let i = 0; i < length; i++) {
    const t = (<i32>load<i16>(from) * multiplier + half) >> shift;
    if (isTanh) store<i16>(to, <i16>tanhByTable(t, table));
    else store<i16>(to, <i16>sigmoidByTable(clamp(t, 1 - SIGMOID_LIMIT, SIGMOID_LIMIT - 1), table));
    from += 2;
    to += 2;
  }
}
