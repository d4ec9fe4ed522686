import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import type { ElementwiseOperands } from "./broadcast.ts";
import { broadcastShape, elementwiseOperands, withRank } from "./broadcast.ts";
import { perTensor, requireMultiplier, requireOutput, requireRank, withShape } from "./check.ts";
import { operandPlace, packConstants } from "./constants.ts";
import { requireWideMultipliers } from "./convolution-int16.ts";
import { byteStrides } from "./copy.ts";
import type { Multiplier } from "./fixed-point.ts";
import { requireActivations } from "./int16.ts";
import { defineOp, NOWHERE } from "./op.ts";

export interface BatchMatmulAttrs {
  /** The operand is stored with its last two dimensions swapped. */
  readonly transposeLhs: boolean;
  readonly transposeRhs: boolean;
}

/** A sum of so many products stays within int32, of int16 within the 48 bits that are scaled. */
const MAX_DEPTH = { int8: 2 ** 15, int16: 2 ** 17 - 1 } as const;

/** Dimensions of matrices and their batches. */
const MAX_RANK = 5;

/** BATCH_MATMUL; leading dimensions broadcast. Reference: TFLite Micro kernels/batch_matmul.cc. */
export const batchMatmul = defineOp<BatchMatmulAttrs>({
  name: "batchMatmul",
  types: ["int8", "int16"],
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
    requireActivations([lhs, rhs, output], "operand");
    for (const tensor of [lhs, rhs, output]) requireRank(tensor, "operand", 2, MAX_RANK);
    const { depth, rhsDepth } = sizesOf(operands, attrs);
    if (depth !== rhsDepth) {
      throw new ModelError(
        "shape-mismatch",
        `matrices of "${lhs.name}" [${lhs.shape.join(", ")}] and "${rhs.name}" [${rhs.shape.join(", ")}] cannot be multiplied; ` +
          `their depths are ${depth} and ${rhsDepth}: export the model again`,
      );
    }
    const isWide = output.type === "int16";
    const most = MAX_DEPTH[isWide ? "int16" : "int8"];
    if (depth > most) {
      throw new UnsupportedError(
        "matmul-depth",
        `matrices before "${output.name}" are multiplied over ${depth} values; at most ${most} are run: multiply parts of them and add the products`,
      );
    }
    const multiplier = multiplierOf(operands);
    if (isWide) requireWideMultipliers([multiplier], output);
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
    const batches = batchShape(operands);
    const [n0 = 1, n1 = 1, n2 = 1] = withRank(batches, MAX_RANK - 2);
    const [lhsStride0, lhsStride1, lhsStride2] = batchStrides(lhs);
    const [rhsStride0, rhsStride1, rhsStride2] = batchStrides(rhs);
    const { transposeLhs, transposeRhs } = node.attrs;
    const bytes = elementBytes(output.type);
    return {
      op: "batchMatmul",
      lhs: operandPlace(node, at, 0).address,
      rhs: operandPlace(node, at, 1).address,
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
      lhsRowStep: bytes * (transposeLhs ? 1 : depth),
      lhsStep: bytes * (transposeLhs ? rows : 1),
      rhsColumnStep: bytes * (transposeRhs ? depth : 1),
      rhsStep: bytes * (transposeRhs ? 1 : columns),
      lhsZeroPoint: perTensor(lhs, "lhs").zeroPoint,
      rhsZeroPoint: perTensor(rhs, "rhs").zeroPoint,
      outputZeroPoint: perTensor(output, "output").zeroPoint,
      ...multiplierOf(operands),
      elementBytes: bytes,
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

/** Bytes from matrix to matrix, 0 where one is repeated. */
function batchStrides({ shape, type }: Tensor): [number, number, number] {
  const sizes = withRank(shape.slice(0, -2), MAX_RANK - 2);
  const steps = byteStrides([...sizes, ...shape.slice(-2)], elementBytes(type));
  const [a = 0, b = 0, c = 0] = sizes.map((size, axis) => (size === 1 ? 0 : (steps[axis] ?? 0)));
  return [a, b, c];
}

/** The product of the scales is taken in float32. */
function multiplierOf({ lhs, rhs, output }: ElementwiseOperands): Multiplier {
  const product = Math.fround(perTensor(lhs, "lhs").scale * perTensor(rhs, "rhs").scale);
  return requireMultiplier(product / perTensor(output, "output").scale, output);
}
