/** What operators with state share: checks of their variables, and matrices packed for products with one vector. */
import { ModelError, UnsupportedError } from "../errors.ts";
import type { ElementType, Tensor } from "../graph/graph.ts";
import { dotLanes } from "../plan/packing.ts";
import { LANE_SUM_BYTES, laneZeros, writeLaneRow } from "../plan/lane-rows.ts";
import {
  isInLanes,
  laneBlockBytes,
  matrixBiasBytes,
  matrixBlockBytes,
  matrixBlockRows,
  matrixBytes,
  rowsInBlock,
} from "../plan/recurrent-packing.ts";
import { elementCount } from "../plan/shape.ts";
import type { Variant } from "../plan/variant.ts";
import { storageFlip } from "../plan/variant.ts";
import { perTensor, type PerTensor, requireInput, requireType } from "./check.ts";
import { biasValue, int8Values, requireWeights } from "./convolution.ts";
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
  types: readonly ElementType[],
  elements: number,
): PerTensor {
  const tensor = requireInput(inputs, index, role);
  const at = `${role} "${tensor.name}"`;
  if (tensor.isVariable !== true) {
    throw new ModelError("not-variable", `${at} is no variable of the model; export the model again`);
  }
  requireType(tensor, role, types);
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

/**
 * Writes the blocks of matrices of the same shape and type of vector, which are multiplied with one vector, from byte `at` on
 * (src/plan/recurrent-packing.ts). Biases take the vector's zero point along.
 * @throws UnsupportedError weight-pairs
 */
export function packMatrices(
  bytes: Uint8Array,
  at: number,
  variant: Variant,
  matrices: readonly Matrix[],
): void {
  const [first] = matrices;
  if (first === undefined) return;
  const { elementBytes } = first;
  const [rows = 0, depth = 0] = first.weights.shape;
  const all = matrices.map((matrix) => foldedRows(variant, matrix));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isInLanes(variant, elementBytes)) {
    const together = rowsInBlock(matrices.length);
    for (let row = 0; row < rows; row += together, at += laneBlockBytes(depth)) {
      const block = all.flatMap((ofOne) => Array.from({ length: together }, (_, i) => ofOne[row + i]));
      for (const [r, row] of block.entries()) {
        if (row === undefined) continue;
        setBias(view, at + 4 * r, row.bias - BigInt(laneZeros(depth)));
        writeLaneRow(view, at + LANE_SUM_BYTES, r, row.weights);
      }
    }
    return;
  }
  for (const [i, { weights }] of matrices.entries()) {
    writeBlocks(view, at, variant, elementBytes, all[i] ?? []);
    const end = at + matrixBytes(variant, elementBytes, rows, depth, 1);
    if (elementBytes === 1) requireSafeBlocks(variant, bytes, at, end, weights);
    at = end;
  }
}

interface Row {
  readonly weights: Int8Array;
  /** The vector's zero point is in it, and it wraps. */
  readonly bias: bigint;
}

function foldedRows(variant: Variant, { weights, bias, zeroPoint, elementBytes }: Matrix): Row[] {
  const [rows = 0, depth = 0] = weights.shape;
  const values = int8Values(weights);
  const zero = zeroPoint + (elementBytes === 1 ? storageFlip(variant) : 0);
  return Array.from({ length: rows }, (_, row) => {
    const ofRow = values.subarray(row * depth, (row + 1) * depth);
    const sum = ofRow.reduce((total, weight) => total + weight, 0);
    return { weights: ofRow, bias: biasValue(bias, row) - BigInt(zero * sum) };
  });
}

/** Blocks of one matrix that is not in lanes. */
function writeBlocks(
  view: DataView,
  at: number,
  variant: Variant,
  elementBytes: number,
  rows: readonly Row[],
): void {
  const perBlock = matrixBlockRows(elementBytes);
  const lanes = elementBytes === 2 ? 1 : dotLanes(variant);
  for (const [row, { weights, bias }] of rows.entries()) {
    const block = at + Math.floor(row / perBlock) * matrixBlockBytes(variant, elementBytes, weights.length);
    const lane = row % perBlock;
    if (elementBytes === 2) view.setBigInt64(block, bias, true);
    else setBias(view, block + 4 * lane, bias);
    const first = block + matrixBiasBytes(elementBytes) + lane * lanes;
    for (const [i, weight] of weights.entries()) {
      view.setInt8(first + Math.floor(i / lanes) * perBlock * lanes + (i % lanes), weight);
    }
  }
}

function setBias(view: DataView, at: number, bias: bigint): void {
  view.setInt32(at, Number(BigInt.asIntN(32, bias)), true);
}

function requireSafeBlocks(
  variant: Variant,
  bytes: Uint8Array,
  at: number,
  end: number,
  weights: Tensor,
): void {
  const blocks = {
    at,
    end,
    blockBytes: matrixBlockBytes(variant, 1, weights.shape[1] ?? 0),
    headBytes: matrixBiasBytes(1),
  };
  requireSafePairs(
    variant,
    new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    blocks,
    weights.name,
  );
}
