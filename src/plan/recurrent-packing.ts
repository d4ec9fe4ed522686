/**
 * Sizes of the recurrent operators' weights and scratch, little-endian, that packers, checker and kernels agree on. A matrix
 * times a vector is blocks of rows, each `[bias][weights]`, weights zero up to a whole dot-product step:
 *
 *   int8 vector, but for mcu      8 rows: bias int32 [8], weights int8 [step][8 rows][2 or 4]
 *   int8 vector, mcu              12 rows: bias int32 [12], weights as in src/plan/lane-rows.ts
 *   int16 vector                  1 row:  bias int64, weights int8, to a multiple of 8
 *
 * LSTM: `[sigmoid table][scales][input matrices][recurrent matrices]`: int16 [256]; then for the gates forget, input, cell,
 * output of the input and again of the recurrent matrices a multiplier and a shift, int32; then their matrices in that order. Of an int8
 * vector in mcu the four matrices are one, of which a block has three rows of each.
 * SVDF: `[bias int32 [units]][time weights [filters][memory]][feature matrix]`, each to a multiple of 16.
 */
import { LANE_ROWS, LANE_SUM_BYTES, laneBytes, laneVectorBytes } from "./lane-rows.ts";
import { align, dotLanes, stagedBytes } from "./packing.ts";
import type { Variant } from "./variant.ts";

/** Of an LSTM, in the order of its weights. */
export const GATES = 4;

/** Bytes of the sigmoid table, then of multipliers and shifts. */
export const SIGMOID_TABLE_BYTES = 512;
export const GATE_SCALE_BYTES = 2 * GATES * 8;
/** Of a scale as mcu's kernel prepares it. */
const LANE_SCALE_BYTES = 12;

/** Whether matrices lie in lanes, twelve rows to a block. */
export function isInLanes(variant: Variant, elementBytes: number): boolean {
  return variant === "mcu" && elementBytes === 1;
}

/** Rows of a block that is not in lanes, for vectors of int8. */
const BLOCK_ROWS = 8;

/** Rows per block of a matrix that is not in lanes. */
export function matrixBlockRows(elementBytes: number): number {
  return elementBytes === 2 ? 1 : BLOCK_ROWS;
}

/** Bytes of the biases that a block begins with. */
export function matrixBiasBytes(elementBytes: number): number {
  return elementBytes === 2 ? 8 : 4 * BLOCK_ROWS;
}

/** Bytes of one block. */
export function matrixBlockBytes(variant: Variant, elementBytes: number, depth: number): number {
  if (elementBytes === 2) return 8 + align(depth, 8);
  return BLOCK_ROWS * (4 + align(depth, dotLanes(variant)));
}

/** Bytes of a block in lanes. */
export function laneBlockBytes(depth: number): number {
  return LANE_SUM_BYTES + laneBytes(depth);
}

/** Rows of each of `matrices` matrices that one block in lanes has: one, or four of them. */
export function rowsInBlock(matrices: number): number {
  return LANE_ROWS / matrices;
}

/** Bytes of `matrices` matrices of `rows` rows each. */
export function matrixBytes(
  variant: Variant,
  elementBytes: number,
  rows: number,
  depth: number,
  matrices: number,
): number {
  if (isInLanes(variant, elementBytes))
    return Math.ceil(rows / rowsInBlock(matrices)) * laneBlockBytes(depth);
  const blocks = Math.ceil(rows / matrixBlockRows(elementBytes));
  return matrices * blocks * matrixBlockBytes(variant, elementBytes, depth);
}

/** Room for the int16 results of `matrices` matrices of `rows` rows each, whatever the type of the vector. */
function resultBytes(variant: Variant, rows: number, matrices: number): number {
  return 2 * matrices * align(rows, variant === "mcu" ? rowsInBlock(matrices) : BLOCK_ROWS);
}

/** What sizes depend on. */
export interface LstmSizes {
  readonly elementBytes: number;
  readonly inputDepth: number;
  readonly cells: number;
}

export function lstmWeightBytes(variant: Variant, { elementBytes, inputDepth, cells }: LstmSizes): number {
  const ofInput = matrixBytes(variant, elementBytes, cells, inputDepth, GATES);
  const ofHidden = matrixBytes(variant, elementBytes, cells, cells, GATES);
  return SIGMOID_TABLE_BYTES + GATE_SCALE_BYTES + ofInput + ofHidden;
}

/**
 * Gates of one step, int16, filled up to whole blocks; then in simd the staged vector, input and hidden state in turn, in mcu what
 * assembly/micro/lstm-lanes.ts says.
 */
export function lstmScratchBytes(variant: Variant, { elementBytes, inputDepth, cells }: LstmSizes): number {
  const gates = resultBytes(variant, cells, GATES);
  if (!isInLanes(variant, elementBytes))
    return gates + stagedVectorBytes(variant, elementBytes, Math.max(inputDepth, cells));
  return (
    gates +
    2 * GATES * LANE_SCALE_BYTES +
    2 * LANE_SUM_BYTES +
    laneVectorBytes(inputDepth) +
    laneVectorBytes(cells)
  );
}

/** What sizes depend on. */
export interface SvdfSizes {
  readonly inputDepth: number;
  readonly filters: number;
  readonly rank: number;
  readonly memory: number;
  readonly stateBytes: number;
}

/** Where the parts of an SVDF's weights begin, and their end. */
export function svdfWeightParts(
  variant: Variant,
  { inputDepth, filters, rank, memory, stateBytes }: SvdfSizes,
): { readonly time: number; readonly features: number; readonly end: number } {
  const time = align((4 * filters) / rank, 16);
  const features = time + align(filters * memory * stateBytes, 16);
  return { time, features, end: features + matrixBytes(variant, 1, filters, inputDepth, 1) };
}

/** Features of one batch, int16, filled up to whole blocks; then in simd the staged input, in mcu a block's sums and that. */
export function svdfScratchBytes(variant: Variant, { filters, inputDepth }: SvdfSizes): number {
  const features = resultBytes(variant, filters, 1);
  return variant === "mcu"
    ? features + LANE_SUM_BYTES + laneVectorBytes(inputDepth)
    : features + stagedVectorBytes(variant, 1, inputDepth);
}

function stagedVectorBytes(variant: Variant, elementBytes: number, depth: number): number {
  return variant === "simd" && elementBytes === 1 ? stagedBytes(variant, depth) : 0;
}
