import { ArgExtremeField as Field } from "../../src/plan/format.ts";
import { address, field } from "../record.ts";
import { loadActivation } from "../storage.ts";

/**
 *   out[o, i] = the first k that makes in[o, k, i] largest   or least
 *
 * in   int8 [outer, size, inner], dense
 * out  int32 [outer, inner]
 *
 * Reference: TFLite reference/arg_min_max.h.
 */
export function argExtreme(record: usize): void {
  const sign = field(record, Field.sign);
  const outer = field(record, Field.outer);
  const size = field(record, Field.size);
  const inner = address(record, Field.inner);
  let input = address(record, Field.input);
  let output = address(record, Field.output);
  for (let o = 0; o < outer; o++) {
    for (let i: usize = 0; i < inner; i++) {
      let at = input + i;
      let best = loadActivation(at) * sign;
      let index = 0;
      for (let j = 1; j < size; j++) {
        at += inner;
        const value = loadActivation(at) * sign;
        if (value > best) {
          best = value;
          index = j;
        }
      }
      store<i32>(output, index);
      output += 4;
    }
    input += <usize>size * inner;
  }
}
