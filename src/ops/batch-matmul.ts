import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementCount } from "../graph/graph.ts";
import type { ElementwiseOperands } from "./broadcast.ts";
import { broadcastShape, elementwiseOperands } from "./broadcast.ts";
import { perTensor, requireInt8, requireMultiplier, requireOutput, requireRank, withShape } from "./check.ts";
import { constantOffset, packConstants } from "./constants.ts";
import type { Multiplier } from "./fixed-point.ts";
import { strides } from "./move.ts";
import { defineOp, NOWHERE } from "./op.ts";

export interface BatchMatmulAttrs {
  /** The operand is stored with its last two dimensions swapped. */
  readonly transposeLhs: boolean;
  readonly transposeRhs: boolean;
}

/** A sum of so many products stays within int32. */
const MAX_DEPTH = 2 ** 15;

/** Dimensions of matrices and their batches. */
const MAX_RANK = 5;

/** BATCH_MATMUL of int8; leading dimensions broadcast. Reference: TFLite Micro kernels/batch_matmul.cc. */
export const batchMatmul = defineOp<BatchMatmulAttrs>({
  name: "batchMatmul",
  tflite: {
    builtin: 126,
    read: (options): BatchMatmulAttrs => ({
      transposeLhs: options.bool(0, false),
      transposeRhs: options.bool(1, false),
    }),
  },

  prepare(inputs, outputs, options) {
    const operands = elementwiseOperands(inputs, outputs);
    const { lhs, rhs, output } = operands;
    const attrs = options as BatchMatmulAttrs;
    for (const tensor of [lhs, rhs, output]) {
      requireInt8(tensor, "operand");
      requireRank(tensor, "operand", 2, MAX_RANK);
    }
    const { depth, rhsDepth } = sizesOf(operands, attrs);
    if (depth !== rhsDepth) {
      throw new ModelError(
        "shape-mismatch",
        `matrices of "${lhs.name}" [${lhs.shape.join(", ")}] and "${rhs.name}" [${rhs.shape.join(", ")}] cannot be multiplied; ` +
          `their depths are ${depth} and ${rhsDepth}`,
      );
    }
    if (depth > MAX_DEPTH) {
      throw new UnsupportedError(
        "matmul-depth",
        `matrices before "${output.name}" are multiplied over ${depth} values, at most ${MAX_DEPTH} are run`,
      );
    }
    multiplierOf(operands);
    return attrs;
  },

  infer(inputs, attrs, outputs) {
    const operands = elementwiseOperands(inputs, outputs);
    const { rows, columns } = sizesOf(operands, attrs);
    return [withShape(operands.output, [...batchShape(operands), rows, columns])];
  },

  macs(node) {
    const { depth } = sizesOf(elementwiseOperands(node.inputs, node.outputs), node.attrs);
    return elementCount(requireOutput(node.outputs).shape) * depth;
  },

  pack: packConstants,

  lower(node, at) {
    const operands = elementwiseOperands(node.inputs, node.outputs);
    const { lhs, rhs, output } = operands;
    const { rows, columns, depth } = sizesOf(operands, node.attrs);
    const addressOf = (index: number, tensor: Tensor): number =>
      tensor.data === undefined
        ? (at.inputs[index] ?? NOWHERE).address
        : at.packed + constantOffset(node, index);
    const batches = batchShape(operands);
    const [n0 = 1, n1 = 1, n2 = 1] = padded(batches);
    const [lhsStride0, lhsStride1, lhsStride2] = batchStrides(lhs);
    const [rhsStride0, rhsStride1, rhsStride2] = batchStrides(rhs);
    const { transposeLhs, transposeRhs } = node.attrs;
    return {
      op: "batchMatmul",
      lhs: addressOf(0, lhs),
      rhs: addressOf(1, rhs),
      output: (at.outputs[0] ?? NOWHERE).address,
      n0,
      n1,
      n2,
      lhsStride0,
      lhsStride1,
      lhsStride2,
      rhsStride0,
      rhsStride1,
      rhsStride2,
      rows,
      columns,
      depth,
      lhsRowStep: transposeLhs ? 1 : depth,
      lhsStep: transposeLhs ? rows : 1,
      rhsColumnStep: transposeRhs ? depth : 1,
      rhsStep: transposeRhs ? 1 : columns,
      lhsZeroPoint: perTensor(lhs, "lhs").zeroPoint,
      rhsZeroPoint: perTensor(rhs, "rhs").zeroPoint,
      outputZeroPoint: perTensor(output, "output").zeroPoint,
      ...multiplierOf(operands),
    };
  },
});

function sizesOf(
  { lhs, rhs }: ElementwiseOperands,
  { transposeLhs, transposeRhs }: BatchMatmulAttrs,
): { readonly rows: number; readonly columns: number; readonly depth: number; readonly rhsDepth: number } {
  const [a = 1, b = 1] = lhs.shape.slice(-2);
  const [c = 1, d = 1] = rhs.shape.slice(-2);
  const [rows, depth] = transposeLhs ? [b, a] : [a, b];
  const [rhsDepth, columns] = transposeRhs ? [d, c] : [c, d];
  return { rows, columns, depth, rhsDepth };
}

function batchShape({ lhs, rhs }: ElementwiseOperands): number[] {
  const batches = (tensor: Tensor): Tensor => ({ ...tensor, shape: tensor.shape.slice(0, -2) });
  return broadcastShape(batches(lhs), batches(rhs));
}

/** As three dimensions. */
function padded(shape: readonly number[]): number[] {
  return [...Array<number>(MAX_RANK - 2 - shape.length).fill(1), ...shape];
}

/** Bytes from matrix to matrix, 0 where one is repeated. */
function batchStrides({ shape }: Tensor): [number, number, number] {
  const sizes = padded(shape.slice(0, -2));
  const steps = strides([...sizes, ...shape.slice(-2)]);
  const [a = 0, b = 0, c = 0] = sizes.map((size, axis) => (size === 1 ? 0 : (steps[axis] ?? 0)));
  return [a, b, c];
}

/** The product of the scales is taken in float32. */
function multiplierOf({ lhs, rhs, output }: ElementwiseOperands): Multiplier {
  const product = Math.fround(perTensor(lhs, "lhs").scale * perTensor(rhs, "rhs").scale);
  return requireMultiplier(product / perTensor(output, "output").scale, output);
}
