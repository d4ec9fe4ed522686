import { SigmoidInt16Field as Field } from "../../src/plan/format.ts";
import { sigmoidByTable, tanhByTable } from "../micro/sigmoid-table.ts";
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
    store<i16>(to, <i16>(isTanh ? tanhByTable(t, table) : sigmoidByTable(t, table)));
    from += 2;
    to += 2;
  }
}
