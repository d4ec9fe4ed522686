import { ModelError } from "../errors.ts";
import {
  perTensor,
  requireInput,
  requireInputCount,
  requireInt8,
  requireInts,
  requireOutput,
  requireRank,
  withShape,
} from "./check.ts";
import { defineOp } from "./op.ts";

/** Elements before and after each dimension. */
export interface PadAttrs {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const MAX_RANK = 5;

/** PAD with the output's zero point. Reference: TFLite reference/pad.h. */
export const pad = defineOp<PadAttrs>({
  name: "pad",
  tflite: { builtin: 34, read: () => undefined },

  prepare(inputs, outputs) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    requireInt8(input, "input");
    requireInt8(output, "output");
    requireRank(input, "input", 1, MAX_RANK);
    const values = requireInts(requireInput(inputs, 1, "paddings"), "paddings");
    if (values.length !== 2 * input.shape.length) {
      throw new ModelError(
        "padding-count",
        `"${output.name}" has ${values.length} paddings for rank ${input.shape.length}; two per dimension are needed`,
      );
    }
    if (values.some((value) => value < 0 || value > 2 ** 24)) {
      throw new ModelError(
        "bad-padding",
        `"${output.name}" has paddings [${values.join(", ")}]; each must be 0 to 2^24: export the model again`,
      );
    }
    return {
      before: values.filter((_, i) => i % 2 === 0),
      after: values.filter((_, i) => i % 2 === 1),
    };
  },

  infer: ([input], { before, after }, [output]) => [
    withShape(
      output ?? { shape: [], type: "int8" },
      (input?.shape ?? []).map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0)),
    ),
  ],
  isIdentity: ({ attrs, inputs, outputs }) =>
    [...attrs.before, ...attrs.after].every((size) => size === 0) &&
    requireInput(inputs, 0, "input").quantization?.scales[0] === outputs[0]?.quantization?.scales[0] &&
    requireInput(inputs, 0, "input").quantization?.zeroPoints[0] === outputs[0]?.quantization?.zeroPoints[0],
  macs: () => 0,

  lower({ attrs, inputs, outputs }, at) {
    const { shape } = requireInput(inputs, 0, "input");
    const missing = MAX_RANK - shape.length;
    const [n0 = 1, n1 = 1, n2 = 1, n3 = 1, n4 = 1] = [...Array<number>(missing).fill(1), ...shape];
    const none = Array<number>(missing).fill(0);
    const [before0 = 0, before1 = 0, before2 = 0, before3 = 0, before4 = 0] = [...none, ...attrs.before];
    const [after0 = 0, after1 = 0, after2 = 0, after3 = 0, after4 = 0] = [...none, ...attrs.after];
    return {
      op: "pad",
      input: at.inputs[0] ?? 0,
      output: at.outputs[0] ?? 0,
      n0,
      n1,
      n2,
      n3,
      n4,
      before0,
      before1,
      before2,
      before3,
      before4,
      after0,
      after1,
      after2,
      after3,
      after4,
      value: perTensor(requireOutput(outputs), "output").zeroPoint,
    };
  },
});
