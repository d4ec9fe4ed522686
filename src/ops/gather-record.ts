import type { BoundNode } from "../graph/graph.ts";
import type { RecordOf } from "../plan/record.ts";
import { operandPlace } from "./constants.ts";
import type { Addresses, LoweredRecord } from "./op.ts";
import { NOWHERE } from "./op.ts";

/** What is gathered: as GatherField, sizes and strides of as many indices as name a slice. */
export type Gathered = Pick<
  RecordOf<"gather">,
  "batches" | "batchBytes" | "batchIndices" | "outer" | "outerBytes" | "count" | "sliceBytes"
> & { readonly sizes: readonly number[]; readonly strides: readonly number[] };

/** The record that gathers from the node's first input by its second; either may be a constant. */
export function gatherRecord(
  node: BoundNode,
  at: Addresses,
  { sizes, strides, ...gathered }: Gathered,
): LoweredRecord[] {
  const [size0 = 1, size1 = 1, size2 = 1, size3 = 1, size4 = 1] = sizes;
  const [stride0 = 0, stride1 = 0, stride2 = 0, stride3 = 0, stride4 = 0] = strides;
  const record = {
    op: "gather",
    input: operandPlace(node, at, 0).address,
    indices: operandPlace(node, at, 1).address,
    output: (at.outputs[0] ?? NOWHERE).address,
    ...gathered,
    depth: sizes.length,
    size0,
    size1,
    size2,
    size3,
    size4,
    stride0,
    stride1,
    stride2,
    stride3,
    stride4,
  } as const;
  return [node.inputs[0]?.data === undefined ? { record } : { record, input: "packed" }];
}
