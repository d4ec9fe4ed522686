import type { LoweredRecord } from "./op.ts";
import type { RowFields } from "./view.ts";

/** One of the nested loops of a copy: how often, and how many bytes it is from one to the next in each operand. */
export interface CopyLoop {
  readonly size: number;
  readonly input: number;
  readonly output: number;
}

/** Where the first byte of an operand is, in its first row, its rows, and which of the node's inputs it is. */
export interface CopyOperand extends RowFields {
  readonly address: number;
  readonly index?: number | "packed";
}

const ONCE: CopyLoop = { size: 1, input: 0, output: 0 };

/** Loops of one record. */
const MAX_LOOPS = 5;

/**
 * Records that move what `loops` (outermost first) walk through, in each of `rows` rows: one, or one per index of loops that are
 * too many for it.
 */
export function copyRecords(
  loops: readonly CopyLoop[],
  from: CopyOperand,
  to: Omit<CopyOperand, "index">,
  rows = 1,
  output = 0,
): LoweredRecord[] {
  const merged = mergeLoops(loops);
  if (merged.length > MAX_LOOPS) {
    // The shortest, so that records are few: of six loops over n elements at most the sixth root of n.
    const outer = merged.reduce((least, loop) => (loop.size < least.size ? loop : least));
    return Array.from({ length: outer.size }, (_, i) =>
      copyRecords(
        merged.filter((loop) => loop !== outer),
        { ...from, address: from.address + i * outer.input },
        { ...to, address: to.address + i * outer.output },
        rows,
        output,
      ),
    ).flat();
  }
  const [l0, l1, l2, l3, l4] = [...Array<CopyLoop>(MAX_LOOPS - merged.length).fill(ONCE), ...merged] as [
    CopyLoop,
    CopyLoop,
    CopyLoop,
    CopyLoop,
    CopyLoop,
  ];
  const record = {
    op: "copy",
    y0: 0,
    y1: rows,
    input: from.address,
    output: to.address,
    n0: l0.size,
    n1: l1.size,
    n2: l2.size,
    n3: l3.size,
    n4: l4.size,
    inputStride0: l0.input,
    inputStride1: l1.input,
    inputStride2: l2.input,
    inputStride3: l3.input,
    inputStride4: l4.input,
    outputStride0: l0.output,
    outputStride1: l1.output,
    outputStride2: l2.output,
    outputStride3: l3.output,
    outputStride4: l4.output,
    inputRowBytes: from.rowBytes,
    inputRingRows: from.ringRows,
    outputRowBytes: to.rowBytes,
    outputRingRows: to.ringRows,
  } as const;
  return [{ record, input: from.index ?? 0, output }];
}

/** Loops of size 1 are dropped, and those that go on where the next inner one ends in both operands become one with it. */
function mergeLoops(loops: readonly CopyLoop[]): CopyLoop[] {
  const merged: CopyLoop[] = [];
  for (const loop of loops.toReversed()) {
    const [inner] = merged;
    if (loop.size === 1) continue;
    if (
      inner !== undefined &&
      loop.input === inner.input * inner.size &&
      loop.output === inner.output * inner.size
    ) {
      merged[0] = { ...inner, size: loop.size * inner.size };
    } else {
      merged.unshift(loop);
    }
  }
  return merged.length > 0 ? merged : [{ size: 1, input: 1, output: 1 }];
}

/** Bytes from one index of each dimension of a dense tensor to the next. */
export function byteStrides(shape: readonly number[], elementBytes: number): number[] {
  const strides: number[] = [];
  let bytes = elementBytes;
  for (const size of shape.toReversed()) {
    strides.unshift(bytes);
    bytes *= size;
  }
  return strides;
}

/** The bytes of one element as the innermost loop. */
export function elementLoop(elementBytes: number): CopyLoop {
  return { size: elementBytes, input: 1, output: 1 };
}
