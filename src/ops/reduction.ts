import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor, TensorType } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import type { RecordOf } from "../plan/record.ts";
import {
  listed,
  requireAxis,
  requireInput,
  requireInputCount,
  requireInts,
  requireOutput,
  withShape,
} from "./check.ts";
import type { Options } from "./op.ts";

export interface ReductionAttrs {
  /** Reduced dimensions, ascending, each in [0, rank). */
  readonly axes: readonly number[];
  /** Reduced dimensions stay, with size 1. */
  readonly keepDims: boolean;
}

/** One loop of the kernel; the stride is in bytes into the input. */
export interface ReductionLoop {
  readonly size: number;
  readonly stride: number;
}

const ONCE: ReductionLoop = { size: 1, stride: 0 };

/** ReducerOptions of the file. */
export function readReduction(options: Options): boolean {
  return options.bool(0, false);
}

/**
 * Attributes of a reduction whose axes are the second input, a constant.
 * @throws ModelError, UnsupportedError as requireInts, sortedAxes, reductionLoops
 */
export function prepareReduction(inputs: readonly (Tensor | undefined)[], options: unknown): ReductionAttrs {
  requireInputCount(inputs, 2, 2);
  const input = requireInput(inputs, 0, "input");
  const axes = sortedAxes(requireInts(requireInput(inputs, 1, "axes"), "axes"), input);
  reductionLoops(input, axes);
  return { axes, keepDims: options as boolean };
}

export function inferReduction(
  inputs: readonly (Tensor | undefined)[],
  { axes, keepDims }: ReductionAttrs,
  outputs: readonly Tensor[],
): TensorType[] {
  const { shape } = requireInput(inputs, 0, "input");
  const result = keepDims
    ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : shape.filter((_, axis) => !axes.includes(axis));
  return [withShape(requireOutput(outputs), result)];
}

/** The loops of a record that reduces: n0..n3 with their strides are kept, r0..r3 reduced. */
export function reductionFields(
  input: Pick<Tensor, "shape" | "name" | "type">,
  axes: readonly number[],
): Pick<
  RecordOf<"mean">,
  `n${0 | 1 | 2 | 3}` | `stride${0 | 1 | 2 | 3}` | `r${0 | 1 | 2 | 3}` | `reducedStride${0 | 1 | 2 | 3}`
> {
  const { kept, reduced } = reductionLoops(input, axes);
  const outer = (i: number): ReductionLoop => kept[i - 4 + kept.length] ?? ONCE;
  const inner = (i: number): ReductionLoop => reduced[i - 4 + reduced.length] ?? ONCE;
  return {
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
  };
}

/** @throws ModelError bad-axis, repeated-axis */
function sortedAxes(values: readonly number[], input: Tensor): number[] {
  const axes = values.map((axis) => requireAxis(axis, input)).sort((a, b) => a - b);
  if (new Set(axes).size === axes.length) return axes;
  throw new ModelError(
    "repeated-axis",
    `the reduction of "${input.name}" [${input.shape.join(", ")}] has axes ${listed(values)}; each dimension may be reduced ` +
      "once: export the model again",
  );
}

/**
 * Kept and reduced dimensions, outermost first. Those of size 1 are dropped, neighbours of one kind merged.
 * @throws UnsupportedError reduction-too-deep
 */
function reductionLoops(
  input: Pick<Tensor, "shape" | "name" | "type">,
  axes: readonly number[],
): { kept: ReductionLoop[]; reduced: ReductionLoop[] } {
  const kept: ReductionLoop[] = [];
  const reduced: ReductionLoop[] = [];
  let stride = elementBytes(input.type);
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
      `the reduction of "${input.name}" [${input.shape.join(", ")}] needs ${kept.length} outer and ${reduced.length} ` +
        "inner loops, 4 of each are run; reshape or transpose the tensor before",
    );
  }
  return { kept, reduced };
}
