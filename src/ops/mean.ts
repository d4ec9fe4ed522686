import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementCount } from "../graph/graph.ts";
import {
  listed,
  perTensor,
  requireInputCount,
  requireInput,
  requireInt8,
  requireInts,
  requireMultiplier,
  requireOutput,
  withShape,
} from "./check.ts";
import type { Multiplier } from "./fixed-point.ts";
import { defineOp, NOWHERE } from "./op.ts";
import { ONE_ROW, rowCount, rowFields } from "./view.ts";

export interface MeanAttrs {
  /** Reduced dimensions, ascending, each in [0, rank). */
  readonly axes: readonly number[];
  /** Reduced dimensions stay, with size 1. */
  readonly keepDims: boolean;
}

/** One loop of the kernel; the stride is in bytes into the input. */
interface Loop {
  readonly size: number;
  readonly stride: number;
}

const ONCE: Loop = { size: 1, stride: 0 };

/** A sum of so many int8, less their zero points, stays within int32. */
const MAX_COUNT = 2 ** 23;

/** Mean over any set of dimensions. The axes are the second input, a constant; afterwards `attrs` alone decides. */
export const mean = defineOp<MeanAttrs>({
  name: "mean",
  tflite: { builtin: 40, read: (options) => options.bool(0, false) },

  prepare(inputs, outputs, options) {
    requireInputCount(inputs, 2, 2);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    requireInt8(input, "input");
    requireInt8(output, "output");
    const axes = sortedAxes(requireInts(requireInput(inputs, 1, "axes"), "axes"), input);
    loops(input, axes);
    meanMultiplier(input, output, axes);
    return { axes, keepDims: options as boolean };
  },

  infer(inputs, attrs, outputs) {
    const { shape } = requireInput(inputs, 0, "input");
    const reduced = new Set(attrs.axes);
    const result = attrs.keepDims
      ? shape.map((size, axis) => (reduced.has(axis) ? 1 : size))
      : shape.filter((_, axis) => !reduced.has(axis));
    return [withShape(requireOutput(outputs), result)];
  },

  rows(node) {
    const input = requireInput(node.inputs, 0, "input");
    const output = requireOutput(node.outputs);
    const rows = rowCount(input);
    if (rows < 2 || node.attrs.axes.includes(0)) return undefined;
    const access = { rows, inputs: [{ stride: 1, first: 0, last: 0 }, undefined] };
    // A matrix has no rows that streams could make one by one.
    if (!node.attrs.axes.includes(1)) return rowCount(output) === rows ? access : undefined;
    const outputs = elementCount(output.shape);
    const accumulates = { ...access, accumulatorBytes: 4 * outputs };
    // A row of as many values gives one to each output, and is read when that is stored.
    return outputs * rows === elementCount(input.shape) ? { ...accumulates, inPlace: [0] } : accumulates;
  },

  macs: () => 0,

  lower(node, at) {
    const input = requireInput(node.inputs, 0, "input");
    const output = requireOutput(node.outputs);
    const inRows = at.accumulators !== undefined;
    const accumulates = node.attrs.axes.includes(1);
    const row = inRows ? { ...input, shape: input.shape.with(1, 1) } : input;
    const { kept, reduced } = loops(row, node.attrs.axes);
    const inputRows = inRows ? rowFields(at.inputs[0] ?? NOWHERE, input) : ONE_ROW;
    const outputRows = inRows && !accumulates ? rowFields(at.outputs[0] ?? NOWHERE, output) : ONE_ROW;
    const outer = (i: number): Loop => kept[i - 4 + kept.length] ?? ONCE;
    const inner = (i: number): Loop => reduced[i - 4 + reduced.length] ?? ONCE;
    return {
      op: "mean",
      y0: 0,
      y1: inRows ? rowCount(input) : 1,
      input: at.inputs[0]?.address ?? 0,
      output: at.outputs[0]?.address ?? 0,
      n0: outer(0).size,
      n1: outer(1).size,
      n2: outer(2).size,
      n3: outer(3).size,
      stride0: outer(0).stride,
      stride1: outer(1).stride,
      stride2: outer(2).stride,
      stride3: outer(3).stride,
      r0: inner(0).size,
      r1: inner(1).size,
      r2: inner(2).size,
      r3: inner(3).size,
      reducedStride0: inner(0).stride,
      reducedStride1: inner(1).stride,
      reducedStride2: inner(2).stride,
      reducedStride3: inner(3).stride,
      inputZeroPoint: perTensor(input, "input").zeroPoint,
      outputZeroPoint: perTensor(output, "output").zeroPoint,
      ...meanMultiplier(input, output, node.attrs.axes),
      inputRowBytes: inputRows.rowBytes,
      inputRingRows: inputRows.ringRows,
      outputRowBytes: outputRows.rowBytes,
      outputRingRows: outputRows.ringRows,
      rows: inRows && accumulates ? rowCount(input) : 1,
      accumulators: at.accumulators ?? 0,
    };
  },
});

function sortedAxes(values: readonly number[], input: Tensor): number[] {
  const rank = input.shape.length;
  const axes = values.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  const where = `the mean over "${input.name}" [${input.shape.join(", ")}] has axes ${listed(values)}`;
  if (axes.some((axis) => axis < 0 || axis >= rank)) {
    throw new ModelError("axis-out-of-range", `${where}; each must be within ${-rank} to ${rank - 1}`);
  }
  if (new Set(axes).size !== axes.length) {
    throw new ModelError("repeated-axis", `${where}; each dimension may be reduced once`);
  }
  return axes;
}

/** Kept and reduced dimensions, outermost first. Those of size 1 are dropped, neighbours of one kind merged. */
function loops(input: Tensor, axes: readonly number[]): { kept: Loop[]; reduced: Loop[] } {
  const kept: Loop[] = [];
  const reduced: Loop[] = [];
  let stride = 1;
  for (let axis = input.shape.length - 1; axis >= 0; axis--) {
    const size = input.shape[axis] ?? 1;
    if (size === 1) continue;
    const list = axes.includes(axis) ? reduced : kept;
    const [inner] = list;
    if (inner && inner.stride * inner.size === stride) {
      list[0] = { size: size * inner.size, stride: inner.stride };
    } else {
      list.unshift({ size, stride });
    }
    stride *= size;
  }
  if (kept.length > 4 || reduced.length > 4) {
    throw new UnsupportedError(
      "reduction-too-deep",
      `the mean over "${input.name}" [${input.shape.join(", ")}] needs ${kept.length} outer and ${reduced.length} ` +
        "inner loops, 4 of each are run; reshape or transpose the tensor before",
    );
  }
  return { kept, reduced };
}

/** Input to output scale, with 1 / count folded in as the reference does: k extra bits, then an integer division. */
function meanMultiplier(input: Tensor, output: Tensor, axes: readonly number[]): Multiplier {
  const count = elementCount(axes.map((axis) => input.shape[axis] ?? 1));
  if (count > MAX_COUNT) {
    throw new UnsupportedError(
      "reduction-too-large",
      `the mean over "${input.name}" reduces ${count} values, at most ${MAX_COUNT} are run; reduce in two steps`,
    );
  }
  const ratio = perTensor(input, "input").scale / perTensor(output, "output").scale;
  const { multiplier, shift } = requireMultiplier(ratio, output);
  const bits = Math.min(31 - Math.clz32(count), 32, 31 + shift);
  const scaled = Number((BigInt(multiplier) << BigInt(bits)) / BigInt(count));
  return { multiplier: scaled, shift: shift - bits };
}
