import { UnsupportedError } from "../errors.ts";
import { elementCount } from "../plan/shape.ts";
import {
  requireAxis,
  requireInput,
  requireInputCount,
  requireInt8,
  requireInts,
  requireOutput,
  withShape,
} from "./check.ts";
import type { OpDefinition } from "./op.ts";
import { NOWHERE } from "./op.ts";

/** The dimension whose index is searched. */
export interface ArgExtremeAttrs {
  readonly axis: number;
}

/**
 * All of ARG_MAX (sign 1) and ARG_MIN (−1) of int8 but their names and codes in the file; the first of equal values. Reference:
 * TFLite reference/arg_min_max.h.
 */
export function argExtreme(sign: 1 | -1): Omit<OpDefinition<ArgExtremeAttrs>, "name" | "tflite"> {
  return {
    prepare(inputs, outputs) {
      requireInputCount(inputs, 2, 2);
      const input = requireInput(inputs, 0, "input");
      requireInt8(input, "input");
      const output = requireOutput(outputs);
      if (output.type !== "int32") {
        throw new UnsupportedError(
          "unsupported-type",
          `output "${output.name}" of an index is ${output.type}; only int32 is run: export with output_type int32`,
        );
      }
      const [axis = 0] = requireInts(requireInput(inputs, 1, "axis"), "axis");
      return { axis: requireAxis(axis, input) };
    },

    infer: ([input], { axis }, outputs) => [
      withShape(requireOutput(outputs), (input?.shape ?? []).toSpliced(axis, 1)),
    ],
    macs: () => 0,

    lower({ attrs: { axis }, inputs }, at) {
      const { shape } = requireInput(inputs, 0, "input");
      return {
        op: "argExtreme",
        input: (at.inputs[0] ?? NOWHERE).address,
        output: (at.outputs[0] ?? NOWHERE).address,
        sign,
        outer: elementCount(shape.slice(0, axis)),
        size: shape[axis] ?? 1,
        inner: elementCount(shape.slice(axis + 1)),
      };
    },
  };
}
