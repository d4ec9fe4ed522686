import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { MAX_RANK } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import {
  listed,
  requireInput,
  requireInputCount,
  requireInts,
  requireOutput,
  sameQuantization,
  withShape,
} from "./check.ts";
import { ANY_TYPE, defineOp } from "./op.ts";

/** The shape of the output; no −1. */
export interface ReshapeAttrs {
  readonly shape: readonly number[];
}

/** RESHAPE: the same bytes under another shape, given by a constant, by the options, or by the output itself. */
export const reshape = defineOp<ReshapeAttrs>({
  name: "reshape",
  tflite: { builtin: 22, read: (options) => options.ints(0) },

  types: ANY_TYPE,
  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 1, 2);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    const [, shapeTensor] = inputs;
    const fromOptions = options as readonly number[];
    const wanted =
      shapeTensor === undefined
        ? fromOptions.length > 0
          ? fromOptions
          : output.shape
        : requireInts(shapeTensor, "shape");
    return { shape: resolve(wanted, input) };
  },

  infer: ([input], { shape }) => [withShape(input ?? { shape, type: "int8" }, shape)],
  alias: true,
  isIdentity: ({ inputs: [input], outputs: [output] }) =>
    input !== undefined &&
    output !== undefined &&
    input.shape.join() === output.shape.join() &&
    sameQuantization(input, output),
  fold: ({ inputs }) => inputs[0]?.data,
  carriesChannels: ({ inputs: [input], outputs: [output] }) => input?.shape.at(-1) === output?.shape.at(-1),
  macs: () => 0,
});

function resolve(wanted: readonly number[], input: Tensor): number[] {
  const text = `shape ${listed(wanted)} for input "${input.name}" of shape [${input.shape.join(", ")}]`;
  if (wanted.length > MAX_RANK) {
    throw new UnsupportedError(
      "unsupported-rank",
      `${text} has rank ${wanted.length}; ${MAX_RANK} is the most: use fewer dimensions`,
    );
  }
  const elements = elementCount(input.shape);
  const free = wanted.filter((size) => size === -1).length;
  const given = wanted.reduce((product, size) => (size === -1 ? product : product * size), 1);
  if (free > 1 || wanted.some((size) => size < -1)) {
    throw new ModelError("reshape-shape", `${text} has more than one free dimension; export the model again`);
  }
  const rest = free === 1 ? elements / given : 1;
  if (!Number.isInteger(rest) || given * rest !== elements) {
    throw new ModelError(
      "reshape-size",
      `${text} does not hold its ${elements} elements; export the model again`,
    );
  }
  return wanted.map((size) => (size === -1 ? rest : size));
}
