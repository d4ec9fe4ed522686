/** What oracle.ts does, of records that run for whole tensors alone. */
import type { PlanRecord, RecordOf } from "../../src/plan/record.ts";
import { ADD_N_OPERANDS } from "../../src/plan/steps.ts";

/** The oracle's memory: reads of what an operand is, writes of what it becomes, and weights that may not be written. */
export interface Memory {
  readonly read: (operand: string, address: number, bytes?: number) => void;
  readonly write: (operand: string, address: number, bytes?: number) => void;
  readonly reserveWeights: (address: number, bytes: number) => void;
}

/** Records whose case is here. */
export type Whole = Extract<
  PlanRecord,
  {
    op:
      | "reduceExtreme"
      | "argExtreme"
      | "cumsum"
      | "gather"
      | "select"
      | "batchMatmul"
      | "elementwiseInt16"
      | "conv2dInt16"
      | "pool2dInt16"
      | "addN";
  }
>;

export function runWhole(record: Whole, memory: Memory): void {
  switch (record.op) {
    case "reduceExtreme":
      reduce(memory, record);
      return;
    case "argExtreme":
      argExtreme(memory, record);
      return;
    case "cumsum":
      cumsum(memory, record);
      return;
    case "gather":
      gather(memory, record);
      return;
    case "select":
      select(memory, record);
      return;
    case "batchMatmul":
      batchMatmul(memory, record);
      return;
    case "elementwiseInt16":
      elementwiseInt16(memory, record);
      return;
    case "conv2dInt16":
      conv2dInt16(memory, record);
      return;
    case "pool2dInt16":
      pool2dInt16(memory, record);
      return;
    case "addN":
      for (let i = 0; i < record.length; i++) {
        for (const operand of ADD_N_OPERANDS.slice(0, record.count))
          memory.read(operand, record[operand] + i);
        memory.write("output", record.output + i);
      }
  }
}

function reduce(memory: Memory, record: RecordOf<"reduceExtreme">): void {
  let out = record.output;
  for (const base of offsets(keptSizes(record), keptStrides(record))) {
    for (const offset of offsets(reducedSizes(record), reducedStrides(record))) {
      memory.read("input", record.input + base + offset);
    }
    memory.write("output", out++);
  }
}

function argExtreme(memory: Memory, { input, output, outer, size, inner }: RecordOf<"argExtreme">): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let j = 0; j < size; j++) memory.read("input", input + (o * size + j) * inner + i);
      memory.write("output", output + 4 * (o * inner + i), 4);
    }
  }
}

function cumsum(memory: Memory, { input, output, outer, size, inner, reverse }: RecordOf<"cumsum">): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let j = 0; j < size; j++) {
        const at = (o * size + (reverse === 0 ? j : size - 1 - j)) * inner + i;
        memory.read("input", input + at);
        memory.write("output", output + at);
      }
    }
  }
}

/** Any slice may be named by the indices. */
function gather(memory: Memory, record: RecordOf<"gather">): void {
  const { batches, outer, count, depth, sliceBytes } = record;
  const { size0, size1, size2, size3, size4, stride0, stride1, stride2, stride3, stride4 } = record;
  const slices = offsets([size0, size1, size2, size3, size4].slice(0, depth), [
    stride0,
    stride1,
    stride2,
    stride3,
    stride4,
  ]);
  let to = record.output;
  for (let b = 0; b < batches; b++) {
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < count; k++) {
        const word = record.indices + 4 * (b * record.batchIndices + k * depth);
        memory.read("indices", word, 4 * depth);
        const from = record.input + b * record.batchBytes + o * record.outerBytes;
        for (const slice of slices) memory.read("input", from + slice, sliceBytes);
        memory.write("output", to, sliceBytes);
        to += sliceBytes;
      }
    }
  }
}

/** Either value may be chosen. */
function select(memory: Memory, record: RecordOf<"select">): void {
  const { n0, n1, n2, n3, n4, elementBytes: bytes } = record;
  const walk = (operand: "condition" | "chosen" | "other"): number[] =>
    offsets(
      [n0, n1, n2, n3, n4],
      [
        record[`${operand}Stride0`],
        record[`${operand}Stride1`],
        record[`${operand}Stride2`],
        record[`${operand}Stride3`],
        record[`${operand}Stride4`],
      ],
    );
  const [chosen, other] = [walk("chosen"), walk("other")];
  for (const [i, at] of walk("condition").entries()) {
    memory.read("condition", record.condition + at);
    memory.read("chosen", record.chosen + bytes * (chosen[i] ?? NaN), bytes);
    memory.read("other", record.other + bytes * (other[i] ?? NaN), bytes);
    memory.write("output", record.output + bytes * i, bytes);
  }
}

function batchMatmul(memory: Memory, record: RecordOf<"batchMatmul">): void {
  const { n0, n1, n2, rows, columns, depth, elementBytes: bytes } = record;
  const rhs = offsets([n0, n1, n2], [record.rhsStride0, record.rhsStride1, record.rhsStride2]);
  let out = record.output;
  for (const [b, left] of offsets(
    [n0, n1, n2],
    [record.lhsStride0, record.lhsStride1, record.lhsStride2],
  ).entries()) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        for (let k = 0; k < depth; k++) {
          memory.read("lhs", record.lhs + left + i * record.lhsRowStep + k * record.lhsStep, bytes);
          const right = record.rhs + (rhs[b] ?? NaN);
          memory.read("rhs", right + j * record.rhsColumnStep + k * record.rhsStep, bytes);
        }
        memory.write("output", out, bytes);
        out += bytes;
      }
    }
  }
}

function elementwiseInt16(memory: Memory, record: RecordOf<"elementwiseInt16">): void {
  const sizes = [record.n0, record.n1, record.n2, record.n3, record.length];
  const rhs = offsets(sizes, [
    record.rhsStride0,
    record.rhsStride1,
    record.rhsStride2,
    record.rhsStride3,
    record.rhsStep,
  ]);
  const lhs = offsets(sizes, [
    record.lhsStride0,
    record.lhsStride1,
    record.lhsStride2,
    record.lhsStride3,
    record.lhsStep,
  ]);
  for (const [i, at] of lhs.entries()) {
    memory.read("lhs", record.lhs + at, 2);
    memory.read("rhs", record.rhs + (rhs[i] ?? NaN), record.rhsBytes);
    memory.write("output", record.output + 2 * i, 2);
  }
}

function conv2dInt16(memory: Memory, record: RecordOf<"conv2dInt16">): void {
  const { outputHeight, outputWidth, outputChannels, depth } = record;
  memory.reserveWeights(record.weights, outputChannels * record.channelBytes);
  let out = record.output;
  for (let n = 0; n < record.batches; n++) {
    for (let y = 0; y < outputHeight; y++) {
      for (let x = 0; x < outputWidth; x++) {
        for (let o = 0; o < outputChannels; o++) {
          const first = Math.floor(o / record.groupChannels) * depth;
          for (const pixel of tapsOf(record, n, y, x)) {
            memory.read("input", record.input + 2 * (pixel * record.inputChannels + first), 2 * depth);
          }
          memory.write("output", out, 2);
          out += 2;
        }
      }
    }
  }
}

/** Input pixels that a window over a dilated input sees. */
function tapsOf(record: RecordOf<"conv2dInt16">, n: number, y: number, x: number): number[] {
  const { inputHeight, inputWidth, kernelHeight, kernelWidth } = record;
  const seen = (start: number, taps: number, step: number, spread: number, size: number): number[] =>
    Array.from({ length: taps }, (_, tap) => (start + tap * step) / spread).filter(
      (at) => Number.isInteger(at) && at >= 0 && at < size,
    );
  const top = y * record.strideY - record.padTop;
  const left = x * record.strideX - record.padLeft;
  const columns = seen(left, kernelWidth, record.dilationX, record.inputDilationX, inputWidth);
  return seen(top, kernelHeight, record.dilationY, record.inputDilationY, inputHeight).flatMap((row) =>
    columns.map((column) => (n * inputHeight + row) * inputWidth + column),
  );
}

function pool2dInt16(memory: Memory, record: RecordOf<"pool2dInt16">): void {
  const { inputHeight, inputWidth, outputHeight, outputWidth, channels } = record;
  let out = record.output;
  for (let n = 0; n < record.batches; n++) {
    for (let y = 0; y < outputHeight; y++) {
      for (let x = 0; x < outputWidth; x++) {
        const [top, left] = [y * record.strideY - record.padTop, x * record.strideX - record.padLeft];
        for (let c = 0; c < channels; c++) {
          for (let row = Math.max(top, 0); row < Math.min(top + record.kernelHeight, inputHeight); row++) {
            const end = Math.min(left + record.kernelWidth, inputWidth);
            for (let column = Math.max(left, 0); column < end; column++) {
              const pixel = (n * inputHeight + row) * inputWidth + column;
              memory.read("input", record.input + 2 * (pixel * channels + c), 2);
            }
          }
          memory.write("output", out, 2);
          out += 2;
        }
      }
    }
  }
}

type Reduction = Pick<
  RecordOf<"mean">,
  `n${0 | 1 | 2 | 3}` | `r${0 | 1 | 2 | 3}` | `stride${0 | 1 | 2 | 3}` | `reducedStride${0 | 1 | 2 | 3}`
>;

export const keptSizes = ({ n0, n1, n2, n3 }: Reduction): number[] => [n0, n1, n2, n3];
export const keptStrides = (r: Reduction): number[] => [r.stride0, r.stride1, r.stride2, r.stride3];
export const reducedSizes = ({ r0, r1, r2, r3 }: Reduction): number[] => [r0, r1, r2, r3];
export const reducedStrides = (r: Reduction): number[] => [
  r.reducedStride0,
  r.reducedStride1,
  r.reducedStride2,
  r.reducedStride3,
];

/** Offsets of nested loops, outermost first. */
export function offsets(sizes: readonly number[], strides: readonly number[]): number[] {
  return sizes.reduce<number[]>(
    (outer, size, i) =>
      outer.flatMap((offset) => Array.from({ length: size }, (_, k) => offset + k * (strides[i] ?? 0))),
    [0],
  );
}
