import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { CastType } from "../plan/format.ts";
import { elementCount } from "../plan/shape.ts";
import { requireInput, requireInputCount, requireMovable, requireOutput, withShape } from "./check.ts";
import { ANY_TYPE, defineOp, NOWHERE } from "./op.ts";

/** CAST of stored values, whatever the scales. Reference: TFLite Micro kernels/cast.cc. */
export const cast = defineOp<undefined>({
  name: "cast",
  tflite: { builtin: 53, read: () => undefined },

  types: ANY_TYPE,
  prepare(inputs, outputs) {
    requireInputCount(inputs, 1, 1);
    const [input, output] = [requireInput(inputs, 0, "input"), requireOutput(outputs)];
    requireMovable(input, "input");
    castType(input);
    if (castType(output) !== CastType.bool) return undefined;
    throw new UnsupportedError(
      "unsupported-type",
      `"${output.name}" is cast to bool; compare with zero instead`,
    );
  },

  infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],
  macs: () => 0,

  lower({ inputs, outputs }, at) {
    const [input, output] = [requireInput(inputs, 0, "input"), requireOutput(outputs)];
    return {
      op: "cast",
      input: (at.inputs[0] ?? NOWHERE).address,
      output: (at.outputs[0] ?? NOWHERE).address,
      length: elementCount(output.shape),
      from: castType(input),
      to: castType(output),
    };
  },
});

function castType({ name, type }: Tensor): CastType {
  if (type !== "int64") return CastType[type];
  throw new UnsupportedError(
    "unsupported-type",
    `"${name}" is int64; only types of 32 bits and fewer are cast: export it as int32`,
  );
}
