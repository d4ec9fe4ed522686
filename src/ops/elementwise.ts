import type { BoundNode } from "../graph/graph.ts";
import type { PlanRecord } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import type { ElementwiseFields, ElementwiseOperands } from "./broadcast.ts";
import {
  broadcastFields,
  broadcastShape,
  elementwiseFields,
  elementwiseOperands,
  elementwiseOverlap,
  elementwiseRows,
  requireElementwise,
} from "./broadcast.ts";
import { withShape } from "./check.ts";
import type { Int16Elementwise } from "./elementwise-int16.ts";
import { elementwiseInt16 } from "./elementwise-int16.ts";
import { isInt16, requireActivations } from "./int16.ts";
import { packConstants } from "./constants.ts";
import type { OpDefinition } from "./op.ts";
import { defineOp } from "./op.ts";

/** What an operator of two broadcast operands says of itself. */
export type ElementwiseDefinition<Attrs> = Pick<OpDefinition<Attrs>, "name" | "tflite"> & {
  /** Checks options and operands further than that they are of one type and broadcast; `require` replaces that check. */
  readonly prepare: (options: unknown, operands: ElementwiseOperands) => Attrs;
  readonly require?: (operands: ElementwiseOperands) => void;
  /** What it computes of int16, where it runs on that too. */
  readonly int16?: (operands: ElementwiseOperands, node: BoundNode<Attrs>) => Int16Elementwise;
  /** The record from what it has of loops and rows. */
  readonly record: (
    loops: ElementwiseFields,
    operands: ElementwiseOperands,
    node: BoundNode<Attrs>,
    variant: Variant,
  ) => PlanRecord;
};

/** An operator of two broadcast operands, element by element, constants beside its record. */
export function defineElementwise<Attrs>({
  prepare,
  int16,
  require = int16 === undefined ? requireElementwise : requireOneKind,
  record,
  ...definition
}: ElementwiseDefinition<Attrs>): OpDefinition {
  return defineOp<Attrs>({
    ...definition,
    ...(int16 !== undefined && { types: ["int8", "int16"] }),

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
    lower(node, at, variant) {
      const operands = elementwiseOperands(node.inputs, node.outputs);
      if (int16 !== undefined && isInt16(node)) return elementwiseInt16(node, at, int16(operands, node));
      return record(elementwiseFields(node, at), operands, node, variant);
    },
  });
}

/** All int8, or all int16. */
function requireOneKind({ lhs, rhs, output }: ElementwiseOperands): void {
  requireActivations([lhs, rhs, output], "operand");
  broadcastFields(lhs, rhs);
}
