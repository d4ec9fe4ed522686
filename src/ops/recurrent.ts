/** What operators with state share: checks of their variables, and matrices packed for products with one vector. */
import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementBytes, elementCount } from "../graph/graph.ts";
import { dotLanes } from "../plan/packing.ts";
import {
  matrixBiasBytes,
  matrixBlockBytes,
  matrixBlockRows,
  matrixBytes,
} from "../plan/recurrent-packing.ts";
import type { Variant } from "../plan/variant.ts";
import { storageFlip } from "../plan/variant.ts";
import { perTensor, type PerTensor, requireInput } from "./check.ts";
import { int8Values, requireWeights } from "./convolution.ts";
import { requireSafePairs } from "./weight-pairs.ts";

/**
 * A variable of `elements` values, of one of these types.
 * @throws ModelError missing-input, not-variable, state-size, missing-quantization
 * @throws UnsupportedError unsupported-type
 */
export function requireState(
  inputs: readonly (Tensor | undefined)[],
  index: number,
  role: string,
  types: readonly string[],
  elements: number,
): PerTensor {
  const tensor = requireInput(inputs, index, role);
  const at = `${role} "${tensor.name}"`;
  if (tensor.isVariable !== true) {
    throw new ModelError("not-variable", `${at} is no variable of the model; export the model again`);
  }
  if (!types.includes(tensor.type)) {
    throw new UnsupportedError(
      "unsupported-type",
      `${at} is ${tensor.type}; ${types.join(" or ")} is needed`,
    );
  }
  if (elementCount(tensor.shape) !== elements) {
    const shape = tensor.shape.join(", ");
    throw new ModelError(
      "state-size",
      `${at} has shape [${shape}]; ${elements} values are needed: export again`,
    );
  }
  return perTensor(tensor, role);
}

/**
 * Constant int8 weights of one scale and zero point 0, of this shape.
 * @throws ModelError weight-shape, missing-quantization
 * @throws UnsupportedError not-constant, unsupported-type, asymmetric-weights, per-channel-weights
 */
export function requireMatrix(weights: Tensor, rows: number, depth: number): number {
  requireWeights(weights, 0);
  requireShape(weights, [rows, depth]);
  return onlyScale(weights);
}

/** @throws ModelError weight-shape */
export function requireShape(weights: Tensor, shape: readonly number[]): void {
  if (weights.shape.join() === shape.join()) return;
  throw new ModelError(
    "weight-shape",
    `weights "${weights.name}" have shape [${weights.shape.join(", ")}]; [${shape.join(", ")}] is needed: export again`,
  );
}

/** @throws UnsupportedError per-channel-weights */
export function onlyScale(weights: Tensor): number {
  const [scale = 1, ...others] = weights.quantization?.scales ?? [];
  if (others.length === 0) return scale;
  throw new UnsupportedError(
    "per-channel-weights",
    `weights "${weights.name}" have ${others.length + 1} scales; the operator takes one: quantise them per tensor`,
  );
}

/**
 * `count` vectors are read one after the other, each before its result is written: how far below them the results must begin to
 * share memory, so that no result reaches the next vector.
 */
export function vectorOverlapDistance(count: number, inputBytes: number, outputBytes: number): number {
  return Math.max(0, (count - 1) * (outputBytes - inputBytes));
}

/** A matrix to be packed. */
export interface Matrix {
  /** Constant int8 weights [rows, depth], zero point 0. */
  readonly weights: Tensor;
  /** int32, or int64 for a vector of int16. */
  readonly bias: Tensor | undefined;
  /** Of the vector. */
  readonly zeroPoint: number;
  readonly elementBytes: number;
}

/** Writes a matrix's blocks from byte `at` on (src/plan/recurrent-packing.ts); biases take the vector's zero point along. */
export function packMatrix(bytes: Uint8Array, at: number, variant: Variant, matrix: Matrix): void {
  const { elementBytes: size, zeroPoint, bias } = matrix;
  const [rows = 0, depth = 0] = matrix.weights.shape;
  const weights = int8Values(matrix.weights);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const perBlock = matrixBlockRows(variant, size);
  const lanes = size === 2 ? 1 : dotLanes(variant);
  const zero = zeroPoint + (size === 1 ? storageFlip(variant) : 0);
  for (let row = 0; row < rows; row++) {
    const block = at + Math.floor(row / perBlock) * matrixBlockBytes(variant, size, depth);
    const lane = row % perBlock;
    const first = block + matrixBiasBytes(variant, size) + lane * lanes;
    let sum = 0;
    for (let i = 0; i < depth; i++) {
      const w = weights[row * depth + i] ?? 0;
      sum += w;
      view.setInt8(first + Math.floor(i / lanes) * perBlock * lanes + (i % lanes), w);
    }
    const start = biasOf(bias, row);
    if (size === 2) view.setBigInt64(block, start, true);
    else view.setInt32(block + 4 * lane, Number(start) - zero * sum, true);
  }
  if (size === 2) return;
  const blocks = {
    at,
    end: at + matrixBytes(variant, size, rows, depth),
    blockBytes: matrixBlockBytes(variant, size, depth),
    headBytes: matrixBiasBytes(variant, size),
  };
  requireSafePairs(
    variant,
    new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    blocks,
    matrix.weights.name,
  );
}

function biasOf(bias: Tensor | undefined, row: number): bigint {
  if (bias?.data === undefined) return 0n;
  const { data } = bias;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return elementBytes(bias.type) === 8
    ? view.getBigInt64(8 * row, true)
    : BigInt(view.getInt32(4 * row, true));
}
