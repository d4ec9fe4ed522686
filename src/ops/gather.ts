import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import { requireInput, requireInputCount, requireInts, requireOutput, withShape } from "./check.ts";
import { packConstants } from "./constants.ts";
import { gatherRecord } from "./gather-record.ts";
import { requireMoved } from "./move.ts";
import { ANY_TYPE, defineOp } from "./op.ts";

export interface GatherAttrs {
  readonly axis: number;
  /** Leading dimensions that input and indices share. */
  readonly batchDims: number;
}

/** GATHER of slices along one dimension; indices may be computed. Reference: TFLite reference/gather.h. */
export const gather = defineOp<GatherAttrs>({
  name: "gather",
  tflite: { builtin: 36, read: (options) => ({ axis: options.int(0, 0), batchDims: options.int(1, 0) }) },

  types: ANY_TYPE,
  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    const indices = requireInput(inputs, 1, "indices");
    requireMoved(input, outputs);
    requireIndices(indices);
    const file = options as GatherAttrs;
    const axis = file.axis < 0 ? file.axis + input.shape.length : file.axis;
    const batchDims = file.batchDims < 0 ? file.batchDims + indices.shape.length : file.batchDims;
    const isSound =
      axis >= 0 &&
      axis < input.shape.length &&
      batchDims >= 0 &&
      batchDims <= axis &&
      batchDims <= indices.shape.length &&
      indices.shape.slice(0, batchDims).every((size, i) => size === input.shape[i]);
    if (!isSound) {
      throw new ModelError(
        "bad-axis",
        `gathering from "${input.name}" [${input.shape.join(", ")}] by "${indices.name}" [${indices.shape.join(", ")}] has axis ` +
          `${file.axis} and ${file.batchDims} batch dimensions; export the model again`,
      );
    }
    requireInRange(indices, [input.shape[axis] ?? 1]);
    return { axis, batchDims };
  },

  infer(inputs, { axis, batchDims }, outputs) {
    const [input, indices] = [requireInput(inputs, 0, "input"), requireInput(inputs, 1, "indices")];
    const { shape } = input;
    const gathered = [...shape.slice(0, axis), ...indices.shape.slice(batchDims), ...shape.slice(axis + 1)];
    return [withShape(requireOutput(outputs), gathered)];
  },

  macs: () => 0,
  pack: packConstants,

  lower(node, at) {
    const { axis, batchDims } = node.attrs;
    const [input, indices] = [requireInput(node.inputs, 0, "input"), requireInput(node.inputs, 1, "indices")];
    const { shape } = input;
    const sliceBytes = elementCount(shape.slice(axis + 1)) * elementBytes(input.type);
    const outerBytes = (shape[axis] ?? 1) * sliceBytes;
    const outer = elementCount(shape.slice(batchDims, axis));
    const count = elementCount(indices.shape.slice(batchDims));
    return gatherRecord(node, at, {
      batches: elementCount(shape.slice(0, batchDims)),
      batchBytes: outer * outerBytes,
      batchIndices: count,
      outer,
      outerBytes,
      count,
      sliceBytes,
      sizes: [shape[axis] ?? 1],
      strides: [sliceBytes],
    });
  },
});

/** @throws UnsupportedError unsupported-type */
export function requireIndices({ name, type }: Tensor): void {
  if (type === "int32") return;
  throw new UnsupportedError(
    "unsupported-type",
    `the indices "${name}" are ${type}; only int32 is run: cast them`,
  );
}

/**
 * Constant indices lie within the sizes of their dimensions, which alternate in the last dimension of the indices.
 * @throws ModelError index-out-of-range
 */
export function requireInRange(indices: Tensor, sizes: readonly number[]): void {
  if (indices.data === undefined) return;
  for (const [i, index] of requireInts(indices, "indices").entries()) {
    const size = sizes[i % sizes.length] ?? 1;
    if (index >= 0 && index < size) continue;
    throw new ModelError(
      "index-out-of-range",
      `the indices "${indices.name}" hold ${index} where 0 to ${size - 1} can be gathered; export the model again`,
    );
  }
}
