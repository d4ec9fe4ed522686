import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { broadcastShape, withRank } from "./broadcast.ts";
import {
  requireInput,
  requireInputCount,
  requireMovable,
  requireOutput,
  requireType,
  withShape,
} from "./check.ts";
import { operandPlace, packConstants } from "./constants.ts";
import { requireSameType, strides } from "./move.ts";
import type { LoweredRecord } from "./op.ts";
import { ANY_TYPE, defineOp, NOWHERE } from "./op.ts";

/** Dimensions of a record. */
const MAX_RANK = 5;

/** SELECT_V2: where a bool is set the second operand, else the third, all broadcast. Reference: TFLite reference/select.h. */
export const selectV2 = defineOp<undefined>({
  name: "selectV2",
  tflite: { builtin: 123, read: () => undefined },

  types: ANY_TYPE,
  prepare(inputs, outputs) {
    requireInputCount(inputs, 3, 3);
    const [condition, chosen, other] = operandsOf(inputs);
    const output = requireOutput(outputs);
    requireMovable(output, "output");
    requireSameType(chosen, output);
    requireSameType(other, output);
    requireType(condition, "condition", ["bool"]);
    const rank = Math.max(...[condition, chosen, other].map(({ shape }) => shape.length));
    if (rank <= MAX_RANK) return undefined;
    throw new UnsupportedError(
      "unsupported-rank",
      `"${output.name}" is selected in ${rank} dimensions; at most ${MAX_RANK} are run: reshape its operands before`,
    );
  },

  infer(inputs, _attrs, outputs) {
    const [condition, chosen, other] = operandsOf(inputs);
    const shape = broadcastShape(condition, { ...chosen, shape: broadcastShape(chosen, other) });
    return [withShape(requireOutput(outputs), shape)];
  },

  macs: () => 0,
  pack: packConstants,

  lower(node, at): readonly LoweredRecord[] {
    const [condition, chosen, other] = operandsOf(node.inputs);
    const output = requireOutput(node.outputs);
    const [n0 = 1, n1 = 1, n2 = 1, n3 = 1, n4 = 1] = withRank(output.shape, MAX_RANK);
    const [conditionStride0, conditionStride1, conditionStride2, conditionStride3, conditionStride4] =
      repeated(condition);
    const [chosenStride0, chosenStride1, chosenStride2, chosenStride3, chosenStride4] = repeated(chosen);
    const [otherStride0, otherStride1, otherStride2, otherStride3, otherStride4] = repeated(other);
    const record = {
      op: "select",
      condition: operandPlace(node, at, 0).address,
      chosen: operandPlace(node, at, 1).address,
      other: operandPlace(node, at, 2).address,
      output: (at.outputs[0] ?? NOWHERE).address,
      elementBytes: elementBytes(output.type),
      n0,
      n1,
      n2,
      n3,
      n4,
      conditionStride0,
      conditionStride1,
      conditionStride2,
      conditionStride3,
      conditionStride4,
      chosenStride0,
      chosenStride1,
      chosenStride2,
      chosenStride3,
      chosenStride4,
      otherStride0,
      otherStride1,
      otherStride2,
      otherStride3,
      otherStride4,
    } as const;
    return [{ record }];
  },
});

function operandsOf(inputs: readonly (Tensor | undefined)[]): [Tensor, Tensor, Tensor] {
  return [
    requireInput(inputs, 0, "condition"),
    requireInput(inputs, 1, "chosen"),
    requireInput(inputs, 2, "other"),
  ];
}

/** Strides in elements of five dimensions, 0 where the operand is repeated. */
function repeated({ shape }: Tensor): [number, number, number, number, number] {
  const sizes = withRank(shape, MAX_RANK);
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = strides(sizes).map((step, axis) =>
    sizes[axis] === 1 ? 0 : step,
  );
  return [a, b, c, d, e];
}
