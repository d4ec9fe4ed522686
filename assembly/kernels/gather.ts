import { GatherField as Field } from "../../src/plan/format.ts";
import { clamp } from "../fixed-point.ts";
import { copyRun } from "../micro/copy-run.ts";
import { address, field } from "../record.ts";

/**
 *   out[b, o, k] = in[b, o, Σ_d index[b, k, d] · stride_d]   slices of bytes
 *
 * in       [batches, outer, …] of any type
 * indices  int32 [batches, count, depth]; one that is out of range is taken as the nearest that is not
 * out      [batches, outer, count] slices, dense
 *
 * References: TFLite reference/gather.h, gather_nd.h.
 */
export function gather(record: usize): void {
  const batches = field(record, Field.batches);
  const outer = field(record, Field.outer);
  const count = field(record, Field.count);
  const sliceBytes = address(record, Field.sliceBytes);
  let to = address(record, Field.output);
  for (let b = 0; b < batches; b++) {
    const indices = address(record, Field.indices) + ((<usize>b * address(record, Field.batchIndices)) << 2);
    const batch = address(record, Field.input) + <usize>b * address(record, Field.batchBytes);
    for (let o = 0; o < outer; o++) {
      const from = batch + <usize>o * address(record, Field.outerBytes);
      for (let k = 0; k < count; k++) {
        copyRun(to, from + sliceOffset(record, indices, k), sliceBytes);
        to += sliceBytes;
      }
    }
  }
}

/** Where the slice that index `k` names begins. */
function sliceOffset(record: usize, indices: usize, k: i32): usize {
  const depth = field(record, Field.depth);
  let at = indices + ((<usize>(k * depth)) << 2);
  let offset: usize = 0;
  for (let d = 0; d < depth; d++) {
    const index = clamp(load<i32>(at), 0, field(record, Field.size0 + d) - 1);
    offset += <usize>index * address(record, Field.stride0 + d);
    at += 4;
  }
  return offset;
}
