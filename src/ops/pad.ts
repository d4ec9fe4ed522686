import { ModelError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import {
  requireInput,
  requireInputCount,
  requireInts,
  requireOutput,
  requireRank,
  sameQuantization,
  withShape,
} from "./check.ts";
import { byteStrides, copyRecords, elementLoop } from "./copy.ts";
import { fillRecords, packElement } from "./fill-records.ts";
import { requireMoved } from "./move.ts";
import type { Addresses, LoweredRecord, OpDefinition } from "./op.ts";
import { ANY_TYPE, defineOp, NOWHERE } from "./op.ts";
import { ONE_ROW, rowCount, rowFields } from "./view.ts";

/** Elements before and after each dimension. */
export interface PadAttrs {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

interface Dimension {
  readonly size: number;
  readonly before: number;
  readonly after: number;
}

const UNPADDED: Dimension = { size: 1, before: 0, after: 0 };

const MAX_RANK = 5;

/** Largest padding: keeps every size well within int32. */
const MAX_PADDING = 2 ** 24;

/**
 * All of PAD and PADV2 but their names and codes in the file, and what the new elements are. int8 has a record that fills and
 * copies, row by row too; wider types are filled whole, and the input is copied over.
 */
export function padding(
  inputCount: number,
  valueOf: (node: Pick<BoundNode, "inputs" | "outputs">) => number,
): Omit<OpDefinition<PadAttrs>, "name" | "tflite"> {
  return {
    types: ANY_TYPE,

    prepare(inputs, outputs) {
      requireInputCount(inputs, inputCount, inputCount);
      const input = requireInput(inputs, 0, "input");
      const output = requireMoved(input, outputs);
      requireRank(input, "input", 1, MAX_RANK);
      valueOf({ inputs, outputs });
      const values = requireInts(requireInput(inputs, 1, "paddings"), "paddings");
      if (values.length !== 2 * input.shape.length) {
        throw new ModelError(
          "padding-count",
          `"${output.name}" has ${values.length} paddings for rank ${input.shape.length}; two per dimension are needed: export the model again`,
        );
      }
      if (values.some((value) => value < 0 || value > MAX_PADDING)) {
        throw new ModelError(
          "bad-padding",
          `"${output.name}" has paddings [${values.join(", ")}]; each must be 0 to ${MAX_PADDING}: export the model again`,
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
    isIdentity: ({ attrs, inputs: [input], outputs: [output] }) =>
      [...attrs.before, ...attrs.after].every((size) => size === 0) &&
      input !== undefined &&
      output !== undefined &&
      sameQuantization(input, output),

    rows({ attrs, outputs }) {
      const output = requireOutput(outputs);
      const rows = rowCount(output);
      const [batches = 0, before = 0] = attrs.before;
      if (output.type !== "int8" || rows < 2 || attrs.before.length < 3 || batches > 0) return undefined;
      return { rows, inputs: [{ stride: 1, first: -before, last: -before }, undefined, undefined] };
    },

    macs: () => 0,

    pack(node, variant) {
      const output = requireOutput(node.outputs);
      return output.type === "int8" ? undefined : packElement(output, valueOf(node), variant);
    },

    lower(node, at) {
      const { attrs, inputs, outputs } = node;
      const input = requireInput(inputs, 0, "input");
      const output = requireOutput(outputs);
      if (output.type !== "int8") return fillAndCopy(input, output, attrs, at);
      const inRows = at.accumulators !== undefined;
      const [, beforeRows = 0] = attrs.before;
      const dimensions = inRows
        ? merge(input.shape.slice(2), { before: attrs.before.slice(2), after: attrs.after.slice(2) })
        : merge(input.shape, attrs);
      const inputRows = inRows ? rowFields(at.inputs[0] ?? NOWHERE, input) : ONE_ROW;
      const outputRows = inRows ? rowFields(at.outputs[0] ?? NOWHERE, output) : ONE_ROW;
      const missing = MAX_RANK - dimensions.length;
      const all = [...Array<Dimension>(missing).fill(UNPADDED), ...dimensions];
      const [n0 = 1, n1 = 1, n2 = 1, n3 = 1, n4 = 1] = all.map(({ size }) => size);
      const [before0 = 0, before1 = 0, before2 = 0, before3 = 0, before4 = 0] = all.map((d) => d.before);
      const [after0 = 0, after1 = 0, after2 = 0, after3 = 0, after4 = 0] = all.map((d) => d.after);
      return {
        op: "pad",
        y0: 0,
        y1: inRows ? rowCount(output) : 1,
        input: at.inputs[0]?.address ?? 0,
        output: at.outputs[0]?.address ?? 0,
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
        value: valueOf(node),
        beforeRows: inRows ? beforeRows : 0,
        rows: inRows ? rowCount(input) : 1,
        inputRowBytes: inputRows.rowBytes,
        inputRingRows: inputRows.ringRows,
        outputRowBytes: outputRows.rowBytes,
        outputRingRows: outputRows.ringRows,
      };
    },
  };
}

/** PAD with the output's zero point, of int16 with 0 whatever that is. Reference: TFLite Micro kernels/pad.cc. */
export const pad = defineOp<PadAttrs>({
  name: "pad",
  tflite: { builtin: 34, read: () => undefined },
  ...padding(2, ({ outputs }) => {
    const { type, quantization } = requireOutput(outputs);
    return type === "int16" ? 0 : (quantization?.zeroPoints[0] ?? 0);
  }),
});

/** The whole output is filled, then the input is copied to its place in it. */
function fillAndCopy(input: Tensor, output: Tensor, { before }: PadAttrs, at: Addresses): LoweredRecord[] {
  const bytes = elementBytes(output.type);
  const from = byteStrides(input.shape, bytes);
  const to = byteStrides(output.shape, bytes);
  const target = (at.outputs[0] ?? NOWHERE).address;
  const first = before.reduce((sum, size, axis) => sum + size * (to[axis] ?? 0), target);
  const loops = input.shape.map((size, axis) => ({ size, input: from[axis] ?? 0, output: to[axis] ?? 0 }));
  return [
    ...fillRecords(output, at.packed, target),
    ...copyRecords(
      [...loops, elementLoop(bytes)],
      { address: (at.inputs[0] ?? NOWHERE).address, ...ONE_ROW },
      { address: first, ...ONE_ROW },
    ),
  ];
}

/** Dimensions within which nothing is padded become one with the next outer one, so that longer runs are copied. */
function merge(shape: readonly number[], { before, after }: PadAttrs): Dimension[] {
  const dimensions: Dimension[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const here = { size: shape[axis] ?? 1, before: before[axis] ?? 0, after: after[axis] ?? 0 };
    const [inner] = dimensions;
    if (inner?.before === 0 && inner.after === 0) {
      const { size } = inner;
      dimensions[0] = { size: here.size * size, before: here.before * size, after: here.after * size };
    } else {
      dimensions.unshift(here);
    }
  }
  return dimensions;
}
