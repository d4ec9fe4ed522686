import { ModelError } from "../errors.ts";
import { elementBytes } from "../graph/graph.ts";
import {
  listed,
  requireInput,
  requireInputCount,
  requireInts,
  requireOutput,
  requireRank,
  sameQuantization,
  withShape,
} from "./check.ts";
import { byteStrides, copyRecords, elementLoop } from "./copy.ts";
import { requireMoved } from "./move.ts";
import { ANY_TYPE, defineOp } from "./op.ts";
import { ONE_ROW } from "./view.ts";

/** Dimension i of the output is dimension permutation[i] of the input. */
export interface TransposeAttrs {
  readonly permutation: readonly number[];
}

const MAX_RANK = 5;

/** TRANSPOSE. Reference: TFLite reference/transpose.h. */
export const transpose = defineOp<TransposeAttrs>({
  name: "transpose",
  tflite: { builtin: 39, read: () => undefined },

  types: ANY_TYPE,

  prepare(inputs, outputs) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    requireMoved(input, outputs);
    requireRank(input, "input", 1, MAX_RANK);
    const permutation = requireInts(requireInput(inputs, 1, "permutation"), "permutation");
    const rank = input.shape.length;
    if (permutation.length !== rank || input.shape.some((_, axis) => !permutation.includes(axis))) {
      throw new ModelError(
        "bad-permutation",
        `${listed(permutation)} is no permutation of the ${rank} dimensions of "${input.name}"; export again`,
      );
    }
    return { permutation };
  },

  infer: ([input], { permutation }, [output]) => [
    withShape(
      output ?? { shape: [], type: "int8" },
      permutation.map((axis) => input?.shape[axis] ?? 1),
    ),
  ],
  isIdentity: ({ attrs, inputs: [input], outputs: [output] }) =>
    attrs.permutation.every((axis, i) => axis === i) &&
    input !== undefined &&
    output !== undefined &&
    sameQuantization(input, output),

  fold({ attrs, inputs }) {
    const { data, shape, type } = requireInput(inputs, 0, "input");
    if (data === undefined || elementBytes(type) > 1) return undefined;
    const strides = byteStrides(shape, 1);
    const sizes = attrs.permutation.map((axis) => shape[axis] ?? 1);
    return Uint8Array.from(data, (_, index) => {
      let rest = index;
      let from = 0;
      for (let i = sizes.length - 1; i >= 0; i--) {
        const size = sizes[i] ?? 1;
        from += (rest % size) * (strides[attrs.permutation[i] ?? 0] ?? 0);
        rest = Math.floor(rest / size);
      }
      return data[from] ?? 0;
    });
  },

  macs: () => 0,

  lower({ attrs, inputs, outputs }, at) {
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    const bytes = elementBytes(input.type);
    const from = byteStrides(input.shape, bytes);
    const to = byteStrides(output.shape, bytes);
    const loops = attrs.permutation.map((axis, i) => ({
      size: input.shape[axis] ?? 1,
      input: from[axis] ?? 0,
      output: to[i] ?? 0,
    }));
    return copyRecords(
      [...loops, elementLoop(bytes)],
      { address: at.inputs[0]?.address ?? 0, ...ONE_ROW },
      { address: at.outputs[0]?.address ?? 0, ...ONE_ROW },
    );
  },
});
