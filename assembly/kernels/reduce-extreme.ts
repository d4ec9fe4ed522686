import { ReduceExtremeField as Field } from "../../src/plan/format.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { loopOffset } from "./loops.ts";

/**
 *   out[n0, n1, n2, n3] = max in[n·stride + r·reducedStride]   or min
 *
 * in   int8, any strides; r runs over r0 × r1 × r2 × r3 values
 * out  int8, dense; of the input's scale and zero point
 *
 * Reference: TFLite Micro kernels/reduce_common.cc, EvalMaxMinHelper.
 */
export function reduceExtreme(record: usize): void {
  const input = address(record, Field.input);
  const output = address(record, Field.output);
  const sign = field(record, Field.sign);
  const outputs =
    field(record, Field.n0) * field(record, Field.n1) * field(record, Field.n2) * field(record, Field.n3);
  const length = field(record, Field.r3);
  const stride = address(record, Field.reducedStride3);
  const runs = field(record, Field.r0) * field(record, Field.r1) * field(record, Field.r2);
  for (let i = 0; i < outputs; i++) {
    const base = input + loopOffset(record, i, Field.n0, Field.stride0);
    let extreme = i32.MIN_VALUE;
    for (let run = 0; run < runs; run++) {
      let at = base + loopOffset(record, run * length, Field.r0, Field.reducedStride0);
      for (let j = 0; j < length; j++) {
        extreme = max(extreme, loadActivation(at) * sign);
        at += stride;
      }
    }
    storeActivation(output + <usize>i, extreme * sign);
  }
}
