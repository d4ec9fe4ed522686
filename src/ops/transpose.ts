import { ModelError } from "../errors.ts";
import { elementCount } from "../graph/graph.ts";
import {
  listed,
  requireInput,
  requireInputCount,
  requireInt8,
  requireInts,
  requireOutput,
  requireRank,
  sameQuantization,
  withShape,
} from "./check.ts";
import { defineOp } from "./op.ts";

/** Dimension i of the output is dimension permutation[i] of the input. */
export interface TransposeAttrs {
  readonly permutation: readonly number[];
}

/** A dimension of the output; the stride is the input's, in bytes. */
interface Dimension {
  readonly size: number;
  readonly stride: number;
}

const ONCE: Dimension = { size: 1, stride: 0 };

const MAX_RANK = 5;

/** TRANSPOSE of int8. Reference: TFLite reference/transpose.h. */
export const transpose = defineOp<TransposeAttrs>({
  name: "transpose",
  tflite: { builtin: 39, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    requireInt8(input, "input");
    requireInt8(requireOutput(outputs), "output");
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
    const { data, shape } = requireInput(inputs, 0, "input");
    if (data === undefined) return undefined;
    const strides = stridesOf(shape);
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

  lower({ attrs, inputs }, at) {
    const { shape } = requireInput(inputs, 0, "input");
    const dimensions = merge(shape, attrs.permutation);
    const missing = MAX_RANK - dimensions.length;
    const all = [...Array<Dimension>(missing).fill(ONCE), ...dimensions];
    const [n0 = 1, n1 = 1, n2 = 1, n3 = 1, n4 = 1] = all.map(({ size }) => size);
    const [stride0 = 0, stride1 = 0, stride2 = 0, stride3 = 0, stride4 = 0] = all.map((d) => d.stride);
    return {
      op: "transpose",
      input: at.inputs[0]?.address ?? 0,
      output: at.outputs[0]?.address ?? 0,
      n0,
      n1,
      n2,
      n3,
      n4,
      stride0,
      stride1,
      stride2,
      stride3,
      stride4,
    };
  },
});

/** Elements from one index of each dimension to the next. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** Output dimensions, outermost first. Those of size 1 are dropped, those that stay neighbours in the input merged. */
function merge(shape: readonly number[], permutation: readonly number[]): Dimension[] {
  const strides = stridesOf(shape);
  const dimensions: Dimension[] = [];
  for (const axis of [...permutation].reverse()) {
    const size = shape[axis] ?? 1;
    const stride = strides[axis] ?? 0;
    const [inner] = dimensions;
    if (size === 1) continue;
    if (inner !== undefined && inner.stride * inner.size === stride) {
      dimensions[0] = { size: size * inner.size, stride: inner.stride };
    } else {
      dimensions.unshift({ size, stride });
    }
  }
  return dimensions;
}
