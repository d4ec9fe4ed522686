import { ModelError } from "../errors.ts";
import { elementBytes } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import { requireInput, requireInputCount, requireOutput, withShape } from "./check.ts";
import { packConstants } from "./constants.ts";
import { byteStrides } from "./copy.ts";
import { requireIndices, requireInRange } from "./gather.ts";
import { gatherRecord } from "./gather-record.ts";
import { requireMoved } from "./move.ts";
import { ANY_TYPE, defineOp } from "./op.ts";

/** Indices that name one slice. */
const MAX_DEPTH = 5;

/** GATHER_ND: the last dimension of the indices names a slice. Reference: TFLite Micro kernels/gather_nd.cc. */
export const gatherNd = defineOp<undefined>({
  name: "gatherNd",
  tflite: { builtin: 107, read: () => undefined },

  types: ANY_TYPE,
  prepare(inputs, outputs) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    const indices = requireInput(inputs, 1, "indices");
    requireMoved(input, outputs);
    requireIndices(indices);
    const depth = indices.shape.at(-1) ?? 0;
    if (depth < 1 || depth > Math.min(input.shape.length, MAX_DEPTH)) {
      throw new ModelError(
        "bad-indices",
        `"${indices.name}" [${indices.shape.join(", ")}] names slices of "${input.name}" [${input.shape.join(", ")}] by ${depth} indices; export the model again`,
      );
    }
    requireInRange(indices, input.shape.slice(0, depth));
    return undefined;
  },

  infer(inputs, _attrs, outputs) {
    const [input, indices] = [requireInput(inputs, 0, "input"), requireInput(inputs, 1, "indices")];
    const depth = indices.shape.at(-1) ?? 1;
    return [withShape(requireOutput(outputs), [...indices.shape.slice(0, -1), ...input.shape.slice(depth)])];
  },

  macs: () => 0,
  pack: packConstants,

  lower(node, at) {
    const [input, indices] = [requireInput(node.inputs, 0, "input"), requireInput(node.inputs, 1, "indices")];
    const depth = indices.shape.at(-1) ?? 1;
    const bytes = elementBytes(input.type);
    return gatherRecord(node, at, {
      batches: 1,
      batchBytes: 0,
      batchIndices: 0,
      outer: 1,
      outerBytes: 0,
      count: elementCount(indices.shape.slice(0, -1)),
      sliceBytes: elementCount(input.shape.slice(depth)) * bytes,
      sizes: input.shape.slice(0, depth),
      strides: byteStrides(input.shape, bytes).slice(0, depth),
    });
  },
});
