import { Requantization } from "./format.ts";
import { LANE_ROWS, LANE_SUM_BYTES, laneBytes, laneVectorBytes } from "./lane-rows.ts";
import type { Variant } from "./variant.ts";

/**
 * Sizes that the packers, the planner, the checker and the kernels agree on. Weights come in blocks of output channels;
 * a block is `[bias][requantisation constants][weights]`, all little-endian:
 *
 *   simd, relaxed, signed, 8 channels   bias int32 [8]
 *     relu      scale float64 [8], offset float64 [8]
 *               or scale float32 [8], offset float32 [8], 0 float64 [8]: told by the 0 (src/ops/single-precision.ts); not by relu in relaxed and signed
 *     reluSingle    scale float32 [8], offset float32 [8]
 *     general   scale float64 [8], scale float32 [8]
 *     wide      multiplier int32 [8], factor int32 [8]
 *     scalar    multiplier int32 [8], shift int32 [8]
 *     those of one multiplier       nothing: it is in the record
 *     reluFused      as relu; bias + 2^31 where its constants are doubles, else + what makes sums a float32's bits
 *     generalFused   scale float64 [8], scale float32 [8], offset float64 [8]
 *               or scale float32 [8], offset float32 [8], scale float32 [8], 0 float64 [8]; biases as of reluFused
 *     reluFusedSingle, generalFusedSingle   as these, without the 0
 *   mcu, 1 channel
 *     single, singleColumns    offset int64, multiplier int32
 *     scalar                   bias int32, shift int32, multiplier int32
 *   mcu by singleVector, 12 channels: of each what single has, then weights as in src/plan/lane-rows.ts
 */

/** A convolution's method and shift as its record has them; `shift` is below 2^16. */
export function requantizationWord(method: number, shift: number): number {
  return method * 2 ** 16 + shift;
}

export function methodOf({ requantization }: { readonly requantization: number }): number {
  return requantization >>> 16;
}

export function shiftOf({ requantization }: { readonly requantization: number }): number {
  return requantization & 0xffff;
}

/** Requantization's, for what a record says. */
export const SINGLE: number = Requantization.single;
export const SINGLE_VECTOR: number = Requantization.singleVector;
export const SINGLE_COLUMNS: number = Requantization.singleColumns;

/** Output channels per block; of a convolution by `method`. */
export function blockChannels(variant: Variant, method = SINGLE): number {
  if (variant !== "mcu") return 8;
  return method === SINGLE_VECTOR ? LANE_ROWS : 1;
}

/** Bytes of constants in a block of 8 channels, per requantisation method. */
const CONSTANT_BYTES: Readonly<Record<number, number>> = {
  [Requantization.scalar]: 64,
  [Requantization.wide]: 64,
  [Requantization.general]: 96,
  [Requantization.relu]: 128,
  [Requantization.generalFused]: 160,
  [Requantization.reluFused]: 128,
  [Requantization.reluSingle]: 64,
  [Requantization.reluFusedSingle]: 64,
  [Requantization.generalFusedSingle]: 96,
  [Requantization.uniformRelu]: 0,
  [Requantization.uniformGeneral]: 0,
  [Requantization.uniformReluFused]: 0,
  [Requantization.uniformGeneralFused]: 0,
};

/** Bytes of bias and requantisation constants at the head of a block; NaN for a number that is no `Requantization`. */
export function blockHeadBytes(variant: Variant, method: number): number {
  return variant === "mcu" ? 12 * blockChannels(variant, method) : 32 + (CONSTANT_BYTES[method] ?? NaN);
}

/** How a convolution's patch is cut: `segments` runs of `length` consecutive bytes of staged input. */
export interface Segments {
  readonly segments: number;
  readonly length: number;
}

/** Whether `relaxed` brings a pixel's kernel rows together: three short ones that have more steps each for itself. */
export function isGathered(
  variant: Variant,
  kernelHeight: number,
  kernelWidth: number,
  channels: number,
  dilationX: number,
): boolean {
  const length = kernelWidth * channels;
  if (dotLanes(variant) < 4 || kernelHeight !== 3 || dilationX !== 1 || length > 16) return false;
  return Math.ceil((3 * length) / 4) < 3 * Math.ceil(length / 4);
}

/** Without horizontal dilation a kernel row is one segment, or all of them are (isGathered); with it, every tap is its own. */
export function convSegments(
  variant: Variant,
  kernelHeight: number,
  kernelWidth: number,
  channels: number,
  dilationX: number,
): Segments {
  if (isGathered(variant, kernelHeight, kernelWidth, channels, dilationX))
    return { segments: 1, length: kernelHeight * kernelWidth * channels };
  return dilationX === 1
    ? { segments: kernelHeight, length: kernelWidth * channels }
    : { segments: kernelHeight * kernelWidth, length: channels };
}

/** Input channels per multiply-accumulate step: the width of the variant's dot product. */
export function dotLanes(variant: Variant): number {
  return { mcu: 1, simd: 2, relaxed: 4, signed: 4 }[variant];
}

/** Bytes of one block of convolution weights. */
export function convBlockBytes(variant: Variant, method: number, patch: Segments): number {
  if (method === SINGLE_VECTOR) return blockHeadBytes(variant, method) + laneBytes(patch.length);
  const lanes = dotLanes(variant);
  const padded = patch.segments * Math.ceil(patch.length / lanes) * lanes;
  return align(blockHeadBytes(variant, method) + padded * blockChannels(variant), 4);
}

/** Groups of kernel rows that one dot product covers. */
export function depthwiseRowGroups(variant: Variant, kernelHeight: number): number {
  return Math.ceil(kernelHeight / dotLanes(variant));
}

/** The vertical geometry of a depthwise convolution. */
export interface DepthwiseRows {
  readonly kernelHeight: number;
  readonly strideY: number;
  readonly dilationY: number;
}

/**
 * Output rows computed together: two where the kernel rows of both fit the row groups of one, so that interleaved input
 * serves twice.
 */
export function depthwiseRowsAtOnce(
  variant: Variant,
  { kernelHeight, strideY, dilationY }: DepthwiseRows,
): number {
  const rows = depthwiseRowGroups(variant, kernelHeight) * dotLanes(variant);
  return variant !== "mcu" && dilationY === 1 && kernelHeight + strideY <= rows ? 2 : 1;
}

/** The geometry of a depthwise convolution's kernel. */
export interface DepthwiseKernel extends DepthwiseRows {
  readonly kernelWidth: number;
  readonly strideX: number;
  readonly dilationX: number;
}

/** Bytes of one block of depthwise weights. */
export function depthwiseBlockBytes(variant: Variant, method: number, kernel: DepthwiseKernel): number {
  const { kernelHeight, kernelWidth } = kernel;
  const groups = depthwiseRowGroups(variant, kernelHeight);
  const taps =
    variant !== "mcu"
      ? 32 * kernelWidth * groups * depthwiseRowsAtOnce(variant, kernel)
      : isSliding(method, kernel)
        ? 4 * kernelHeight * rowWords(kernel)
        : align(kernelHeight * kernelWidth, 4);
  return blockHeadBytes(variant, method) + taps;
}

/** Whether `mcu` packs the weights for sums that slide along the row: writeLanes in src/ops/depthwise-conv2d.ts. */
export function isSliding(method: number, kernel: DepthwiseKernel): boolean {
  return method === SINGLE && fitsLanes(kernel);
}

type RowKernel = Pick<DepthwiseKernel, "kernelWidth" | "strideX">;

/** Outputs that a column of the input meets, by threes. */
export function laneThrees({ kernelWidth, strideX }: RowKernel): number {
  return Math.ceil(kernelWidth / (3 * strideX));
}

/** Whether one word has all weights of a kernel row: those of the phase before in the lane that the last phase leaves. */
export function isShared({ kernelWidth, strideX }: RowKernel): boolean {
  return kernelWidth === 3 && strideX === 2;
}

/** Words of a kernel row: a three for each phase of the stride. */
function rowWords(kernel: RowKernel): number {
  return isShared(kernel) ? 1 : kernel.strideX * laneThrees(kernel);
}

/** What assembly/micro/epilogue.ts keeps per record: clamps, zero points and rounding constants as vectors. */
function epilogueBytes(variant: Variant): number {
  return variant === "mcu" ? 16 : 208;
}

/** Bytes of a staged pixel row of a convolution: int16 in simd, else one byte per element. */
export function stagedBytes(variant: Variant, elements: number): number {
  return align(elements * (variant === "simd" ? 2 : 1), 16) + 16;
}

/** The geometry that decides how much a spatial kernel stages. */
export interface SpatialGeometry {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly channels: number;
  readonly strideX: number;
  readonly dilationX: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  /** A 1×1 kernel none of whose taps falls into padding. */
  readonly pointwise: boolean;
  /** The pixels that neighbours in the output read follow each other in memory. */
  readonly dense: boolean;
  /** By method `singleColumns`. */
  readonly isColumns?: boolean;
  /** By method `singleVector`. */
  readonly isVector?: boolean;
}

/** Height and width of a tensor. */
export interface Extent {
  readonly height: number;
  readonly width: number;
}

/** Whether a window is one tap that never falls into padding: its pixels are then read where they lie. */
export function isPointwise(
  window: {
    readonly kernelHeight: number;
    readonly kernelWidth: number;
    readonly strideY: number;
    readonly strideX: number;
    readonly padTop: number;
    readonly padLeft: number;
  },
  input: Extent,
  output: Extent,
): boolean {
  return (
    window.kernelHeight * window.kernelWidth === 1 &&
    window.padTop === 0 &&
    window.padLeft === 0 &&
    (output.height - 1) * window.strideY < input.height &&
    (output.width - 1) * window.strideX < input.width
  );
}

/**
 * Output rows that a strided 1×1 convolution may have begun before it has read all of the first one's input: its tiles of
 * pixels run on from row to row.
 */
export function pointwiseRowsAtOnce(variant: Variant, outputWidth: number): number {
  return 1 + Math.ceil((convPixelsAtOnce(variant) - 1) / outputWidth);
}

/** Output pixels that a 1×1 convolution may have begun before it has read all of the first one's input: assembly/micro/conv-strip.ts. */
export function convPixelsAtOnce(variant: Variant): number {
  return { mcu: 1, simd: 4, relaxed: 6, signed: 6 }[variant];
}

/** Pixels that `mcu` multiplies together. */
const PACKED_PIXELS = 3;

/** Sums of four rows of weights times one vector, in `mcu`. */
const FOUR_DOTS_BYTES = 16;

/** `mcu` packs neighbouring pixels by threes, 8 bytes for each of their elements; of one it has four sums at a time; by `singleVector` what lane-rows.ts says. */
function packedPixelBytes(
  variant: Variant,
  { isVector = false }: SpatialGeometry,
  neighbours: number,
  elements: number,
): number {
  if (variant !== "mcu") return 0;
  if (isVector) return LANE_SUM_BYTES + laneVectorBytes(elements);
  return Math.max(FOUR_DOTS_BYTES, neighbours > 1 ? 8 * elements : 0);
}

/**
 * Scratch of a convolution: the epilogue's constants, and up to four widened pixels (pointwise) or the padded input rows of
 * one output row, or a row of padding and all that its pixels read (isGathered); then packed pixels.
 */
export function convScratchBytes(variant: Variant, geometry: SpatialGeometry): number {
  const { kernelHeight, kernelWidth, channels, strideX, dilationX, outputHeight, outputWidth } = geometry;
  const epilogue = epilogueBytes(variant);
  if (geometry.pointwise) {
    const neighbours = outputHeight * outputWidth;
    if (variant !== "simd") return epilogue + packedPixelBytes(variant, geometry, neighbours, channels);
    const pixels = Math.min(4, neighbours);
    return (
      epilogue +
      (geometry.dense ? stagedBytes(variant, pixels * channels) : pixels * stagedBytes(variant, channels))
    );
  }
  const { segments, length } = convSegments(variant, kernelHeight, kernelWidth, channels, dilationX);
  if (isGathered(variant, kernelHeight, kernelWidth, channels, dilationX))
    return epilogue + 16 + stagedBytes(variant, outputWidth * align(length, 4));
  // Three columns of outputs have no more of the rows than they see, without a gap.
  const columns = geometry.isColumns === true ? Math.min(outputWidth, PACKED_PIXELS) : outputWidth;
  const row = (columns - 1) * strideX * channels + length;
  const rows = geometry.isColumns === true ? align(segments * row, 8) : segments * stagedBytes(variant, row);
  return epilogue + rows + packedPixelBytes(variant, geometry, outputWidth, segments * length);
}

/** Bytes of a channel of a conv2dInt16 record before its weights: int64 bias, int32 multiplier and shift. */
export const INT16_HEAD_BYTES = 16;

/** Products of Winograd's F(2×2, 3×3) for 2×2 outputs: assembly/micro/winograd-tile.ts. */
export const WINOGRAD_POSITIONS = 16;
/** Output rows that are made together. */
export const WINOGRAD_ROWS = 2;
/** Tiles of 2×2 outputs, of one pair of rows, that are multiplied together. */
export const WINOGRAD_TILES = 4;

/** Pairs of input channels, which are transformed by eights. */
export function winogradPairs(depth: number): number {
  return 4 * Math.ceil(depth / 8);
}

/** Bytes of transformed weights of 8 output channels. */
export function winogradWeightBytes(depth: number): number {
  return WINOGRAD_POSITIONS * winogradPairs(depth) * 32;
}

/** Scratch of a Winograd convolution: the epilogue's constants, four padded input rows, and four tiles, transformed and multiplied. */
export function winogradScratchBytes(variant: Variant, depth: number, outputWidth: number): number {
  const columns = 2 * Math.ceil(outputWidth / 2) + 2;
  const tiles = WINOGRAD_POSITIONS * WINOGRAD_TILES * (4 * winogradPairs(depth) + 32);
  return epilogueBytes(variant) + 4 * stagedBytes(variant, columns * depth) + tiles;
}

/** What decides how a depthwise convolution runs, beside its requantisation: whether all below the zero point is clamped among it. */
export interface DepthwiseGeometry extends DepthwiseKernel {
  /** Of the output, made one block after the other. */
  readonly channels: number;
  readonly outputWidth: number;
  readonly padLeft: number;
  readonly depthMultiplier: number;
  readonly isRelu: boolean;
}

/** Strips of interleaved columns: relaxed dot products have those of 16 channels interleaved together, 8 of them in each. */
function depthwiseStrips(variant: Variant, { channels, depthMultiplier }: DepthwiseGeometry): number {
  if (variant === "mcu") return 0;
  return variant !== "simd" && depthMultiplier === 1 && channels > blockChannels(variant) ? 2 : 1;
}

/** Columns of input that the outputs of a row read. */
function depthwiseColumns({ kernelWidth, strideX, dilationX, outputWidth }: DepthwiseGeometry): number {
  return (outputWidth - 1) * strideX + (kernelWidth - 1) * dilationX + 1;
}

/** Columns of all pairs together: what more save is little. */
const BAND_COLUMNS = 32;
/** Pairs that lie in memory together. */
const MAX_PAIRS = 4;

/** Whether threeTapsTwice of assembly/micro/weight-stationary.ts may take it: two output rows of one row group and three columns, side by side, with ReLU. */
function isPaired(variant: Variant, geometry: DepthwiseGeometry): boolean {
  const { kernelHeight, kernelWidth, strideX, dilationX, isRelu } = geometry;
  const isThree = kernelWidth === 3 && strideX === 1 && dilationX === 1 && isRelu;
  const isOneGroup = dotLanes(variant) === 4 && depthwiseRowGroups(variant, kernelHeight) === 1;
  return isThree && isOneGroup && depthwiseRowsAtOnce(variant, geometry) === 2;
}

/** Pairs of output rows that are made one below the other, some channels at a time, whose weights then stay in registers. */
export function depthwisePairs(variant: Variant, geometry: DepthwiseGeometry): number {
  if (!isPaired(variant, geometry)) return 1;
  const pairs = Math.floor(BAND_COLUMNS / depthwiseColumns(geometry));
  return Math.min(Math.max(pairs, 1), MAX_PAIRS);
}

/** Columns of all pairs together, as many as any narrower part of a row has, whose pairs are more. */
function reservedColumns(variant: Variant, geometry: DepthwiseGeometry): number {
  const columns = depthwiseColumns(geometry);
  return isPaired(variant, geometry)
    ? Math.max(columns, Math.min(MAX_PAIRS * columns, BAND_COLUMNS))
    : columns;
}

/** Output rows that may have been written before all is read of what the first of them reads. */
export function depthwiseRowsTogether(variant: Variant, geometry: DepthwiseGeometry): number {
  return depthwiseRowsAtOnce(variant, geometry) * depthwisePairs(variant, geometry);
}

/**
 * Scratch of a depthwise convolution: the epilogue's constants, a vector of zero points, a table of kernel rows, and
 * strips of interleaved input columns, 32 bytes per column and row group, and outputs of four channels; in `mcu` what slideRows packs. Never less with more padding,
 * nor of a wider row.
 */
export function depthwiseScratchBytes(variant: Variant, geometry: DepthwiseGeometry): number {
  const { kernelHeight, strideY } = geometry;
  const groupRows = depthwiseRowGroups(variant, kernelHeight) * dotLanes(variant);
  const listed = groupRows + (isPaired(variant, geometry) ? 2 * strideY * (MAX_PAIRS - 1) : 0);
  const rows = 16 + align(listed * 12, 16);
  const packed = slideOf(geometry) === "slideRows" ? slideBytes(geometry) : 0;
  const columns = reservedColumns(variant, geometry);
  const strips =
    32 * depthwiseRowGroups(variant, kernelHeight) * columns * depthwiseStrips(variant, geometry);
  // Outputs of half a block of channels, of all pairs.
  const halves = isPaired(variant, geometry) ? 8 * columns : 0;
  return epilogueBytes(variant) + rows + (variant === "mcu" ? packed : strips + halves);
}

/** Outputs that a column meets: three to an int64, three of which slide. */
const SLIDING_LANES = 9;
/** Products of int8 that a lane of 21 bits holds, whatever they are. */
export const LANE_TERMS = 64;
/** Of small weights it may hold 2^n times as many: n is the shift of method `single`, at most this. */
export const MAX_LANE_SHIFT = 16;

function fitsLanes({ kernelHeight, kernelWidth, strideX, dilationX }: DepthwiseKernel): boolean {
  const lanes = Math.ceil(kernelWidth / strideX);
  if (dilationX > 1 || kernelHeight * kernelWidth > LANE_TERMS) return false;
  // A stride beyond the kernel leaves phases without weights, which would have words all the same.
  return strideX <= kernelWidth && lanes <= SLIDING_LANES;
}

/**
 * slideRows packs a channel's weights by threes of the outputs that a column meets, for each phase of the stride and each row of the kernel
 * and one more.
 */
function slideBytes(kernel: DepthwiseKernel): number {
  return kernel.strideX * (kernel.kernelHeight + 1) * (8 + 8 * laneThrees(kernel));
}

/** How sums of method `single` slide in `mcu`, if they do: assembly/micro/depthwise-strip.ts, by the same conditions. */
function slideOf(geometry: DepthwiseGeometry): DepthwiseStrip {
  const { kernelHeight, kernelWidth, strideX, padLeft, depthMultiplier, isRelu } = geometry;
  if (!fitsLanes(geometry)) return "scalarPixels";
  if (isRelu && depthMultiplier === 1 && kernelHeight === kernelWidth && strideX < 3) {
    if (kernelWidth === 3 && padLeft < 2) return strideX === 1 ? "slideThree" : "slideThreeHalved";
    if (kernelWidth === 5 || kernelWidth === 7) return "slideWide";
  }
  return "slideRows";
}

/** What depthwise convolutions call in `mcu` for a row of some channels. */
export const DEPTHWISE_STRIPS = [
  "slideThree",
  "slideThreeHalved",
  "slideWide",
  "slideRows",
  "scalarPixels",
] as const;
export type DepthwiseStrip = (typeof DEPTHWISE_STRIPS)[number];

/** A depthwise convolution's record, as far as its geometry goes. */
export interface DepthwiseRecord extends DepthwiseKernel {
  readonly outputView: { readonly width: number };
  readonly c0: number;
  readonly c1: number;
  readonly padLeft: number;
  readonly depthMultiplier: number;
  readonly plane: number;
  readonly outputZeroPoint: number;
  readonly activationMin: number;
}

export function depthwiseGeometry(record: DepthwiseRecord): DepthwiseGeometry {
  return {
    ...record,
    // A plane has one block at a time, whatever it has of channels.
    channels: record.plane === 0 ? record.c1 - record.c0 : 1,
    outputWidth: record.outputView.width,
    isRelu: record.activationMin >= record.outputZeroPoint,
  };
}

/** The function that a record's rows call in `mcu`. */
export function depthwiseStrip(
  record: DepthwiseRecord & { readonly requantization: number },
): DepthwiseStrip {
  return methodOf(record) === SINGLE ? slideOf(depthwiseGeometry(record)) : "scalarPixels";
}

/** What convolutions call in `mcu` for some channels of a row, or for all rows (slideColumns). */
export const CONV_STRIPS = ["threePixels", "onePixel", "vectorRow", "slideColumns"] as const;
export type ConvStrip = (typeof CONV_STRIPS)[number];

/** The functions that a conv2d record calls in `mcu`. */
export function convStrips(record: {
  readonly requantization: number;
  readonly outputView: Extent;
}): readonly ConvStrip[] {
  const { height, width } = record.outputView;
  const method = methodOf(record);
  if (method === SINGLE_VECTOR) return ["vectorRow"];
  if (method === SINGLE_COLUMNS) return ["threePixels", "onePixel", "slideColumns"];
  return method === SINGLE && height * width > 1 ? ["threePixels", "onePixel"] : ["onePixel"];
}

/** What pools call in `mcu`. */
export const POOL_STRIPS = ["pool2d", "accumulateRows"] as const;
export type PoolStrip = (typeof POOL_STRIPS)[number];

/** The function that a pool's record calls in `mcu`: a maximum has nothing to accumulate. */
export function poolStrip(record: { readonly op: string; readonly accumulators?: number }): PoolStrip {
  return (record.accumulators ?? 0) === 0 ? "pool2d" : "accumulateRows";
}

/** A copy of all pixels of one block's channels, and what kernels read past it. */
export function depthwisePlaneBytes(variant: Variant, height: number, width: number): number {
  return height * width * blockChannels(variant) + 16;
}

/** `value` rounded up to a multiple of `alignment`. */
export function align(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
