import type { BoundNode, Tensor } from "../graph/graph.ts";
import type { PlanRecord } from "../plan/record.ts";
import { elementCount } from "../plan/shape.ts";
import { storageFlip } from "../plan/variant.ts";
import { elementwiseOverlap, elementwiseRows } from "./broadcast.ts";
import {
  perTensor,
  requireInput,
  requireInt8,
  requireInputCount,
  requireOutput,
  withShape,
} from "./check.ts";
import { isInt16, requireActivations } from "./int16.ts";
import type { OpDefinition } from "./op.ts";
import { defineOp, NOWHERE } from "./op.ts";
import { ONE_ROW, rowCount, rowFields } from "./view.ts";

/** Quantisation of both sides of a function of one value, float32 scales. */
export interface Sides {
  readonly inputScale: number;
  readonly inputZeroPoint: number;
  readonly outputScale: number;
  readonly outputZeroPoint: number;
}

/** Where a record of int16 reads and writes so many elements. */
export interface UnaryPlace {
  readonly input: number;
  readonly output: number;
  readonly length: number;
  readonly weights: number;
}

/** What an operator that maps each int8 to another says of itself. */
export type LookupDefinition<Attrs> = Pick<OpDefinition<Attrs>, "name" | "tflite"> & {
  /** Checks the options, and what the function needs of the quantisation. */
  readonly prepare: (options: unknown, input: Tensor, output: Tensor) => Attrs;
  /** Its record of int16, and what is packed for that, where it runs on that too. */
  readonly int16?: {
    readonly record: (attrs: Attrs, sides: Sides, place: UnaryPlace) => PlanRecord;
    readonly pack?: () => Uint8Array;
  };
  /** The function itself, for one quantisation; its results are clamped to int8. */
  readonly functionOf: (attrs: Attrs, sides: Sides) => (q: number) => number;
};

/** An operator of one int8 input and output whose 256 results are computed once and looked up. */
export function defineLookup<Attrs>({
  prepare,
  functionOf,
  int16,
  ...definition
}: LookupDefinition<Attrs>): OpDefinition {
  return defineOp<Attrs>({
    ...definition,
    ...(int16 !== undefined && { types: ["int8", "int16"] }),

    prepare(inputs, outputs, options) {
      requireInputCount(inputs, 1, 1);
      const [input, output] = [requireInput(inputs, 0, "input"), requireOutput(outputs)];
      if (int16 === undefined) requireInt8(input, "input");
      requireActivations([input, output], "operand");
      return prepare(options, input, output);
    },

    infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],
    rows: elementwiseRows,
    macs: () => 0,
    overlapDistance: (node, input) => (isInt16(node) ? 0 : elementwiseOverlap(node, input)),

    pack(node, variant) {
      if (isInt16(node)) {
        const table = int16?.pack?.();
        return table && { bytes: table, blocks: 1, blockBytes: table.length, blockChannels: 1, fields: {} };
      }
      const flip = storageFlip(variant);
      const bytes = new Uint8Array(256);
      const result = functionOf(node.attrs, sidesOf(node));
      for (let q = -128; q < 128; q++) {
        bytes[(q & 0xff) ^ flip] = (Math.min(Math.max(result(q), -128), 127) & 0xff) ^ flip;
      }
      const blockChannels = requireOutput(node.outputs).shape.at(-1) ?? 1;
      return { bytes, blocks: 1, blockBytes: bytes.length, blockChannels, fields: {} };
    },

    lower(node, at) {
      const output = requireOutput(node.outputs);
      if (int16 !== undefined && isInt16(node)) {
        return int16.record(node.attrs, sidesOf(node), {
          input: (at.inputs[0] ?? NOWHERE).address,
          output: (at.outputs[0] ?? NOWHERE).address,
          length: elementCount(output.shape),
          weights: at.packed,
        });
      }
      const [from = NOWHERE] = at.inputs;
      const [to = NOWHERE] = at.outputs;
      const inRows = at.accumulators !== undefined;
      const input = inRows ? rowFields(from, output) : ONE_ROW;
      const made = inRows ? rowFields(to, output) : ONE_ROW;
      const shape = to.columns === undefined ? output.shape : output.shape.with(2, to.columns.width);
      return {
        op: "lookup",
        y0: 0,
        y1: inRows ? rowCount(output) : 1,
        input: from.address,
        output: to.address,
        length: elementCount(inRows ? shape.slice(2) : shape),
        weights: at.packed,
        inputRowBytes: input.rowBytes,
        inputRingRows: input.ringRows,
        outputRowBytes: made.rowBytes,
        outputRingRows: made.ringRows,
      };
    },
  });
}

function sidesOf({ inputs, outputs }: BoundNode): Sides {
  const input = perTensor(requireInput(inputs, 0, "input"), "input");
  const output = perTensor(requireOutput(outputs), "output");
  return {
    inputScale: input.scale,
    inputZeroPoint: input.zeroPoint,
    outputScale: output.scale,
    outputZeroPoint: output.zeroPoint,
  };
}
