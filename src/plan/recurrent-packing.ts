/**
 * Sizes of the recurrent operators' weights and scratch, little-endian, that packers, checker and kernels agree on. A matrix
 * times a vector is blocks of rows, each `[bias][weights]`, weights zero up to a whole dot-product step:
 *
 *   int8 vector, but for mcu      8 rows: bias int32 [8], weights int8 [step][8 rows][2 or 4]
 *   int8 vector, mcu              1 row:  bias int32, weights int8, to a multiple of 4
 *   int16 vector                  1 row:  bias int64, weights int8, to a multiple of 8
 *
 * LSTM: `[sigmoid table][scales][input matrices][recurrent matrices]`: uint16 [256]; then for the gates forget, input, cell,
 * output of the input and again of the recurrent matrices a multiplier and a shift, int32; then their matrices in that order.
 * SVDF: `[bias int32 [units]][time weights [filters][memory]][feature matrix]`, each to a multiple of 16.
 */
import { align, blockChannels, dotLanes, FOUR_DOTS_BYTES, stagedBytes } from "./packing.ts";
import type { Variant } from "./variant.ts";

/** Of an LSTM, in the order of its weights. */
export const GATES = 4;

/** Bytes of the sigmoid table, then of multipliers and shifts. */
export const SIGMOID_TABLE_BYTES = 512;
export const GATE_SCALE_BYTES = 2 * GATES * 8;

/** Rows per block of a matrix that a vector of int8 or int16 is multiplied with. */
export function matrixBlockRows(variant: Variant, elementBytes: number): number {
  return elementBytes === 2 ? 1 : blockChannels(variant);
}

/** Bytes of the biases that a block begins with. */
export function matrixBiasBytes(variant: Variant, elementBytes: number): number {
  return elementBytes === 2 ? 8 : 4 * blockChannels(variant);
}

/** Bytes of one block. */
export function matrixBlockBytes(variant: Variant, elementBytes: number, depth: number): number {
  if (elementBytes === 2) return 8 + align(depth, 8);
  const lanes = dotLanes(variant);
  return align(blockChannels(variant) * (4 + align(depth, lanes)), 4);
}

/** Bytes of a matrix of `rows` rows. */
export function matrixBytes(variant: Variant, elementBytes: number, rows: number, depth: number): number {
  const blocks = Math.ceil(rows / matrixBlockRows(variant, elementBytes));
  return blocks * matrixBlockBytes(variant, elementBytes, depth);
}

/** What sizes depend on. */
export interface LstmSizes {
  readonly elementBytes: number;
  readonly inputDepth: number;
  readonly cells: number;
}

export function lstmWeightBytes(variant: Variant, { elementBytes, inputDepth, cells }: LstmSizes): number {
  const ofInput = matrixBytes(variant, elementBytes, cells, inputDepth);
  const ofHidden = matrixBytes(variant, elementBytes, cells, cells);
  return SIGMOID_TABLE_BYTES + GATE_SCALE_BYTES + GATES * (ofInput + ofHidden);
}

/** Gates of one step, int16, filled up to a block of 8; then in simd the staged vector, input and hidden state in turn, in mcu four sums. */
export function lstmScratchBytes(variant: Variant, { elementBytes, inputDepth, cells }: LstmSizes): number {
  return (
    GATES * 2 * align(cells, 8) + productScratchBytes(variant, elementBytes, Math.max(inputDepth, cells))
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
  return { time, features, end: features + matrixBytes(variant, 1, filters, inputDepth) };
}

/** Features of one batch, int16, filled up to a block of 8; then in simd the staged input, in mcu four sums. */
export function svdfScratchBytes(variant: Variant, { filters, inputDepth }: SvdfSizes): number {
  return 2 * align(filters, 8) + productScratchBytes(variant, 1, inputDepth);
}

/** What a product of a matrix and a vector of int8 needs. */
function productScratchBytes(variant: Variant, elementBytes: number, depth: number): number {
  if (elementBytes > 1) return 0;
  if (variant === "mcu") return FOUR_DOTS_BYTES;
  return variant === "simd" ? stagedBytes(variant, depth) : 0;
}
