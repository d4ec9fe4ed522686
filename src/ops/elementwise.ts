import type { BoundNode } from "../graph/graph.ts";
import type { PlanRecord } from "../plan/record.ts";
import type { ElementwiseFields, ElementwiseOperands } from "./broadcast.ts";
import {
  broadcastShape,
  elementwiseFields,
  elementwiseOperands,
  elementwiseOverlap,
  elementwiseRows,
  requireElementwise,
} from "./broadcast.ts";
import { withShape } from "./check.ts";
import { packConstants } from "./constants.ts";
import type { OpDefinition } from "./op.ts";
import { defineOp } from "./op.ts";

/** What an operator of two broadcast operands says of itself. */
export type ElementwiseDefinition<Attrs> = Pick<OpDefinition<Attrs>, "name" | "tflite"> & {
  /** Checks options and operands further than that they are int8 and broadcast; `require` replaces that check. */
  readonly prepare: (options: unknown, operands: ElementwiseOperands) => Attrs;
  readonly require?: (operands: ElementwiseOperands) => void;
  /** The record from what it has of loops and rows. */
  readonly record: (
    loops: ElementwiseFields,
    operands: ElementwiseOperands,
    node: BoundNode<Attrs>,
  ) => PlanRecord;
};

/** An operator of two broadcast operands, element by element, constants beside its record. */
export function defineElementwise<Attrs>({
  prepare,
  require = requireElementwise,
  record,
  ...definition
}: ElementwiseDefinition<Attrs>): OpDefinition {
  return defineOp<Attrs>({
    ...definition,

    prepare(inputs, outputs, options) {
      const operands = elementwiseOperands(inputs, outputs);
      require(operands);
      return prepare(options, operands);
    },

    infer(inputs, _attrs, outputs) {
      const { lhs, rhs, output } = elementwiseOperands(inputs, outputs);
      return [withShape(output, broadcastShape(lhs, rhs))];
    },

    rows: elementwiseRows,
    macs: () => 0,
    overlapDistance: elementwiseOverlap,
    pack: packConstants,
    lower: (node, at) =>
      record(elementwiseFields(node, at), elementwiseOperands(node.inputs, node.outputs), node),
  });
}
