import type { BoundNode, Tensor } from "../graph/graph.ts";
import { elementCount } from "../graph/graph.ts";
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

/** What an operator that maps each int8 to another says of itself. */
export type LookupDefinition<Attrs> = Pick<OpDefinition<Attrs>, "name" | "tflite"> & {
  /** Checks the options, and what the function needs of the quantisation. */
  readonly prepare: (options: unknown, input: Tensor, output: Tensor) => Attrs;
  /** The function itself, for one quantisation; its results are clamped to int8. */
  readonly functionOf: (attrs: Attrs, sides: Sides) => (q: number) => number;
};

/** An operator of one int8 input and output whose 256 results are computed once and looked up. */
export function defineLookup<Attrs>({
  prepare,
  functionOf,
  ...definition
}: LookupDefinition<Attrs>): OpDefinition {
  return defineOp<Attrs>({
    ...definition,

    prepare(inputs, outputs, options) {
      requireInputCount(inputs, 1, 1);
      const [input, output] = [requireInput(inputs, 0, "input"), requireOutput(outputs)];
      requireInt8(input, "input");
      requireInt8(output, "output");
      return prepare(options, input, output);
    },

    infer: ([input], _attrs, outputs) => [withShape(requireOutput(outputs), input?.shape ?? [])],
    rows: elementwiseRows,
    macs: () => 0,
    overlapDistance: elementwiseOverlap,

    pack(node, variant) {
      const flip = storageFlip(variant);
      const bytes = new Uint8Array(256);
      const result = functionOf(node.attrs, sidesOf(node));
      for (let q = -128; q < 128; q++) {
        bytes[(q & 0xff) ^ flip] = (Math.min(Math.max(result(q), -128), 127) & 0xff) ^ flip;
      }
      const blockChannels = requireOutput(node.outputs).shape.at(-1) ?? 1;
      return { bytes, blocks: 1, blockBytes: bytes.length, blockChannels, fields: {} };
    },

    lower({ outputs }, at) {
      const output = requireOutput(outputs);
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
