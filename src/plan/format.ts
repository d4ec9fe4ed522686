/**
 * The plan format, defined once: compiled by tsc for the host and by asc for the kernels, so it must stay within what
 * both accept (integer constants and plain enums).
 *
 * A plan is a list of records of little-endian 32-bit words. Each record begins with the two words of `Head`; the enum
 * of its operator gives the word offset of every other field. A field whose name ends in `View` takes the seven words
 * of `View`.
 */

/** Raised whenever a record changes; the kernels answer it from `planVersion()`. */
export const PLAN_VERSION = 21;

/** Bytes of a page of linear memory. */
export const PAGE_BYTES = 65536;

/** Bytes after the arena that kernels may read (never write) past the end of an operand. */
export const SLACK_BYTES = 16;

/** First words of an image's SRAM section (word offsets from address 0). */
export enum Header {
  magic = 0,
  version = 1,
  /** Index into VARIANTS. */
  variant = 2,
  /** Address of the first record. */
  entry = 3,
  /** Bytes of header and records. */
  planBytes = 4,
  residentWeightBytes = 5,
  /** First byte that records may write. */
  arenaAddress = 6,
  /** Exact bytes of linear memory needed. */
  ramBytes = 7,
  words = 8,
}

/** "thim", little-endian. */
export const MAGIC = 0x6d696874;

export enum Op {
  end = 0,
  fetch = 1,
  flipSign = 2,
  conv2d = 3,
  depthwiseConv2d = 4,
  averagePool2d = 5,
  maxPool2d = 6,
  add = 7,
  mul = 8,
  mean = 9,
  softmax = 10,
  pad = 11,
  copy = 12,
  quantize = 13,
  dequantize = 14,
  requantize = 15,
  stream = 16,
  stage = 17,
  input = 18,
  tiles = 19,
  resizeBilinear = 20,
  resizeNearest = 21,
  lookup = 22,
  sub = 23,
  minimum = 24,
  maximum = 25,
  squaredDifference = 26,
  div = 27,
  compare = 28,
  prelu = 29,
  reduceExtreme = 30,
  argExtreme = 31,
  cumsum = 32,
  l2Normalization = 33,
  logSoftmax = 34,
  cast = 35,
  gather = 36,
  select = 37,
  batchMatmul = 38,
  unidirectionalSequenceLstm = 39,
  svdf = 40,
  convert = 41,
  conv2dInt16 = 42,
  elementwiseInt16 = 43,
  scaleInt16 = 44,
  sigmoidInt16 = 45,
  pool2dInt16 = 46,
  meanInt16 = 47,
  softmaxToInt16 = 48,
  softmaxInt16 = 49,
  addN = 50,
  conv2dWinograd = 51,
  weightedSum = 52,
}

export enum Head {
  op = 0,
  words = 1,
}

/** Records of operators that run in ranges of rows: their rows come first. Others have other fields there. */
export enum Rows {
  y0 = 2,
  y1 = 3,
}

/**
 * Where a tensor's rows lie. Row r is at `address + (r mod ringRows) * rowBytes`, pixel x of it at `+ x * pixelBytes`,
 * channel c at `+ c` (int8). Whole tensors have ringRows = height.
 */
export enum View {
  address = 0,
  pixelBytes = 1,
  rowBytes = 2,
  ringRows = 3,
  height = 4,
  width = 5,
  channels = 6,
  words = 7,
}

/** How accumulators become int8; the packer picks the cheapest that it proves exact. See docs/numerics.md. */
export enum Requantization {
  /** Scalar int64 arithmetic, any multiplier. */
  scalar = 0,
  /** Vector int64 arithmetic, |accumulator| < 2^30. */
  wide = 1,
  /** Two float roundings. */
  general = 2,
  /** One float rounding; the output's lower clamp is its zero point or above. */
  relu = 3,
  /** As general, with a fused multiply-add: of biased accumulators in doubles, or in float32; relaxed and signed only. */
  generalFused = 4,
  /** As relu, with a fused multiply-add: of biased accumulators, in doubles or in float32; relaxed and signed only. */
  reluFused = 5,
  /** Both roundings in one shift of int64; no accumulator wraps; mcu only. */
  single = 6,
  /** As relu and general, of one multiplier for all channels, so that blocks are short; simd, conv2d of one pixel only. */
  uniformRelu = 7,
  uniformGeneral = 8,
  /** As single, of weights that lie in lanes (src/plan/lane-rows.ts); mcu, conv2d of one pixel and one segment only. */
  singleVector = 9,
  /** As uniformRelu and uniformGeneral, in float32 with a fused multiply-add; relaxed and signed only. */
  uniformReluFused = 10,
  uniformGeneralFused = 11,
  /** As single, but columns of outputs go down together, which pack a pixel once; mcu, conv2d alone, undilated, kernels at least as high as the stride. */
  singleColumns = 12,
  /** As relu, reluFused and generalFused, all blocks in float32: their heads have no room for doubles. */
  reluSingle = 13,
  reluFusedSingle = 14,
  generalFusedSingle = 15,
}

export enum EndField {
  op = 0,
  words = 1,
}

/** Copies `bytes` from flash offset `source` to SRAM `destination`. */
export enum FetchField {
  op = 0,
  words = 1,
  destination = 2,
  source = 3,
  bytes = 4,
}

/**
 * Weights of one operator, whose record follows, a tile at a time: brings `tileBytes` (the last time what is left of `bytes`)
 * from flash offset `source` on to `destination`, and has the operator make the next `tileChannels` of its `channels`.
 */
export enum TilesField {
  op = 0,
  words = 1,
  destination = 2,
  source = 3,
  bytes = 4,
  tileBytes = 5,
  tileChannels = 6,
  channels = 7,
}

/** Records of operators whose weights may come in tiles: their range of output channels. */
export enum Channels {
  c0 = 18,
  c1 = 19,
}

/** x ^= 0x80 over `bytes` at `address`: int8 of the API ↔ u8 storage of the relaxed variant. */
export enum FlipSignField {
  op = 0,
  words = 1,
  address = 2,
  bytes = 3,
}

/** Output rows [y0, y1), output channels [c0, c1); `weights` points at the block of channel c0. Of conv2dWinograd too. */
export enum Conv2dField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  inputView = 4,
  outputView = 11,
  c0 = 18,
  c1 = 19,
  batches = 20,
  inputBatchBytes = 21,
  outputBatchBytes = 22,
  kernelHeight = 23,
  kernelWidth = 24,
  strideY = 25,
  strideX = 26,
  dilationY = 27,
  dilationX = 28,
  padTop = 29,
  padLeft = 30,
  weights = 31,
  /** Shift in the low 16 bits, `Requantization` in the high ones: requantizationWord in src/plan/packing.ts. */
  requantization = 32,
  inputZeroPoint = 33,
  outputZeroPoint = 34,
  activationMin = 35,
  activationMax = 36,
  scratch = 37,
  /** Of methods of one multiplier: it, int32, or a scale in its place, float32; otherwise 0. */
  requantizationMultiplier = 38,
}

/** As Conv2dField up to `scratch`; output channel c reads input channel c / depthMultiplier. */
export enum DepthwiseConv2dField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  inputView = 4,
  outputView = 11,
  c0 = 18,
  c1 = 19,
  batches = 20,
  inputBatchBytes = 21,
  outputBatchBytes = 22,
  kernelHeight = 23,
  kernelWidth = 24,
  strideY = 25,
  strideX = 26,
  dilationY = 27,
  dilationX = 28,
  padTop = 29,
  padLeft = 30,
  weights = 31,
  requantization = 32,
  inputZeroPoint = 33,
  outputZeroPoint = 34,
  activationMin = 35,
  activationMax = 36,
  scratch = 37,
  depthMultiplier = 38,
  /**
   * Where the output takes the input's place: room for all rows of one block's channels, which are copied there before
   * the block's output is written; 0 otherwise. Whole tensors of one batch, depthMultiplier 1.
   */
  plane = 39,
}

/** Output rows [y0, y1), channels [c0, c1). */
export enum AveragePool2dField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  inputView = 4,
  outputView = 11,
  c0 = 18,
  c1 = 19,
  batches = 20,
  inputBatchBytes = 21,
  outputBatchBytes = 22,
  kernelHeight = 23,
  kernelWidth = 24,
  strideY = 25,
  strideX = 26,
  padTop = 27,
  padLeft = 28,
  activationMin = 29,
  activationMax = 30,
  /** int32 per channel, kept from row to row where the one window is the whole input and rows count its rows; 0 otherwise. */
  accumulators = 31,
}

/** As AveragePool2dField, without accumulators. */
export enum MaxPool2dField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  inputView = 4,
  outputView = 11,
  c0 = 18,
  c1 = 19,
  batches = 20,
  inputBatchBytes = 21,
  outputBatchBytes = 22,
  kernelHeight = 23,
  kernelWidth = 24,
  strideY = 25,
  strideX = 26,
  padTop = 27,
  padLeft = 28,
  activationMin = 29,
  activationMax = 30,
}

/**
 * Two operands element by element: rows [y0, y1); row y of an operand begins `(y mod ringRows) * rowBytes` after it (a whole tensor
 * is one row). A row is a broadcast over four outer dimensions (sizes n0..n3, outermost first) and a run of `length` elements.
 * Strides are in bytes, 0 where the operand is broadcast; `lhsStep` and `rhsStep` (0 or 1) are the strides within the run. A row
 * of the output is dense. Records of operators that compute more go on behind these words.
 */
export enum ElementwiseField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  lhs = 4,
  rhs = 5,
  output = 6,
  length = 7,
  lhsStep = 8,
  rhsStep = 9,
  n0 = 10,
  n1 = 11,
  n2 = 12,
  n3 = 13,
  lhsStride0 = 14,
  lhsStride1 = 15,
  lhsStride2 = 16,
  lhsStride3 = 17,
  rhsStride0 = 18,
  rhsStride1 = 19,
  rhsStride2 = 20,
  rhsStride3 = 21,
  lhsRowBytes = 22,
  lhsRingRows = 23,
  rhsRowBytes = 24,
  rhsRingRows = 25,
  outputRowBytes = 26,
  outputRingRows = 27,
}

/** As ElementwiseField; both operands are scaled, and then the result. */
export enum AddField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  lhs = 4,
  rhs = 5,
  output = 6,
  length = 7,
  lhsStep = 8,
  rhsStep = 9,
  n0 = 10,
  n1 = 11,
  n2 = 12,
  n3 = 13,
  lhsStride0 = 14,
  lhsStride1 = 15,
  lhsStride2 = 16,
  lhsStride3 = 17,
  rhsStride0 = 18,
  rhsStride1 = 19,
  rhsStride2 = 20,
  rhsStride3 = 21,
  lhsRowBytes = 22,
  lhsRingRows = 23,
  rhsRowBytes = 24,
  rhsRingRows = 25,
  outputRowBytes = 26,
  outputRingRows = 27,
  lhsZeroPoint = 28,
  rhsZeroPoint = 29,
  outputZeroPoint = 30,
  lhsMultiplier = 31,
  lhsShift = 32,
  rhsMultiplier = 33,
  rhsShift = 34,
  outputMultiplier = 35,
  outputShift = 36,
  activationMin = 37,
  activationMax = 38,
}

/** As ElementwiseField; a multiple of each operand, and an offset of 64 bits, lower word first, all in 2^-28 of an output's step. */
export enum WeightedSumField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  lhs = 4,
  rhs = 5,
  output = 6,
  length = 7,
  lhsStep = 8,
  rhsStep = 9,
  n0 = 10,
  n1 = 11,
  n2 = 12,
  n3 = 13,
  lhsStride0 = 14,
  lhsStride1 = 15,
  lhsStride2 = 16,
  lhsStride3 = 17,
  rhsStride0 = 18,
  rhsStride1 = 19,
  rhsStride2 = 20,
  rhsStride3 = 21,
  lhsRowBytes = 22,
  lhsRingRows = 23,
  rhsRowBytes = 24,
  rhsRingRows = 25,
  outputRowBytes = 26,
  outputRingRows = 27,
  lhsFactor = 28,
  rhsFactor = 29,
  offset = 30,
  offsetHigh = 31,
  activationMin = 32,
  activationMax = 33,
}

/** As ElementwiseField, with one multiplier for the result. */
export enum MulField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  lhs = 4,
  rhs = 5,
  output = 6,
  length = 7,
  lhsStep = 8,
  rhsStep = 9,
  n0 = 10,
  n1 = 11,
  n2 = 12,
  n3 = 13,
  lhsStride0 = 14,
  lhsStride1 = 15,
  lhsStride2 = 16,
  lhsStride3 = 17,
  rhsStride0 = 18,
  rhsStride1 = 19,
  rhsStride2 = 20,
  rhsStride3 = 21,
  lhsRowBytes = 22,
  lhsRingRows = 23,
  rhsRowBytes = 24,
  rhsRingRows = 25,
  outputRowBytes = 26,
  outputRingRows = 27,
  lhsZeroPoint = 28,
  rhsZeroPoint = 29,
  outputZeroPoint = 30,
  outputMultiplier = 31,
  outputShift = 32,
  activationMin = 33,
  activationMax = 34,
  /**
   * Of products in float32 (singleProduct in src/ops/single-precision.ts), the bits of three float32; a scale of 0 if there are none. Of mul, in relaxed
   * and signed; 0 otherwise.
   */
  singleScale = 35,
  singleOffset = 36,
  /** 0 for one rounding. */
  singleFine = 37,
  singleBias = 38,
}

/** What `compare` asks of its operands. */
export enum Relation {
  equal = 0,
  notEqual = 1,
  greater = 2,
  greaterEqual = 3,
  less = 4,
  lessEqual = 5,
}

/** As ElementwiseField; the output is 1 where the scaled operands are in `relation`, or 0. */
export enum CompareField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  lhs = 4,
  rhs = 5,
  output = 6,
  length = 7,
  lhsStep = 8,
  rhsStep = 9,
  n0 = 10,
  n1 = 11,
  n2 = 12,
  n3 = 13,
  lhsStride0 = 14,
  lhsStride1 = 15,
  lhsStride2 = 16,
  lhsStride3 = 17,
  rhsStride0 = 18,
  rhsStride1 = 19,
  rhsStride2 = 20,
  rhsStride3 = 21,
  lhsRowBytes = 22,
  lhsRingRows = 23,
  rhsRowBytes = 24,
  rhsRingRows = 25,
  outputRowBytes = 26,
  outputRingRows = 27,
  relation = 28,
  lhsZeroPoint = 29,
  rhsZeroPoint = 30,
  lhsMultiplier = 31,
  lhsShift = 32,
  rhsMultiplier = 33,
  rhsShift = 34,
}

/** As ElementwiseField; rhs is the slope of what is below zero in lhs. */
export enum PreluField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  lhs = 4,
  rhs = 5,
  output = 6,
  length = 7,
  lhsStep = 8,
  rhsStep = 9,
  n0 = 10,
  n1 = 11,
  n2 = 12,
  n3 = 13,
  lhsStride0 = 14,
  lhsStride1 = 15,
  lhsStride2 = 16,
  lhsStride3 = 17,
  rhsStride0 = 18,
  rhsStride1 = 19,
  rhsStride2 = 20,
  rhsStride3 = 21,
  lhsRowBytes = 22,
  lhsRingRows = 23,
  rhsRowBytes = 24,
  rhsRingRows = 25,
  outputRowBytes = 26,
  outputRingRows = 27,
  lhsZeroPoint = 28,
  rhsZeroPoint = 29,
  outputZeroPoint = 30,
  identityMultiplier = 31,
  identityShift = 32,
  slopeMultiplier = 33,
  slopeShift = 34,
}

/**
 * Mean over any set of axes, of rows [y0, y1) as in AddField: outer dimensions n0..n3 are kept (dense output in that order,
 * strides in bytes into the input), r0..r3 are reduced, and so are the rows where there are `accumulators`. `multiplier`,
 * `shift` have 1 / (r0·r1·r2·r3·rows) folded in. Of int8, or of int16 by `meanInt16`.
 */
export enum MeanField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  input = 4,
  output = 5,
  n0 = 6,
  n1 = 7,
  n2 = 8,
  n3 = 9,
  stride0 = 10,
  stride1 = 11,
  stride2 = 12,
  stride3 = 13,
  r0 = 14,
  r1 = 15,
  r2 = 16,
  r3 = 17,
  reducedStride0 = 18,
  reducedStride1 = 19,
  reducedStride2 = 20,
  reducedStride3 = 21,
  inputZeroPoint = 22,
  outputZeroPoint = 23,
  multiplier = 24,
  shift = 25,
  inputRowBytes = 26,
  inputRingRows = 27,
  outputRowBytes = 28,
  outputRingRows = 29,
  /** Rows that one output takes in: 1, or all of the input where it accumulates them. */
  rows = 30,
  /** int32 per output of a row, kept from row to row; 0 where `rows` is 1. */
  accumulators = 31,
}

/** `rows` independent softmaxes over `depth` int8, to int8, or to int16 by `softmaxToInt16`. */
export enum SoftmaxField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  rows = 4,
  depth = 5,
  multiplier = 6,
  shift = 7,
  diffMin = 8,
}

/**
 * Rows [y0, y1) as in AddField. Row y of the output is row `y − beforeRows` of the input, of sizes n0..n4 (bytes; n4 innermost),
 * with before0..4 and after0..4 elements of `value` (int8) around it; of `value` alone where the input has no such row.
 */
export enum PadField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  input = 4,
  output = 5,
  n0 = 6,
  n1 = 7,
  n2 = 8,
  n3 = 9,
  n4 = 10,
  before0 = 11,
  before1 = 12,
  before2 = 13,
  before3 = 14,
  before4 = 15,
  after0 = 16,
  after1 = 17,
  after2 = 18,
  after3 = 19,
  after4 = 20,
  value = 21,
  beforeRows = 22,
  /** Of the input. */
  rows = 23,
  inputRowBytes = 24,
  inputRingRows = 25,
  outputRowBytes = 26,
  outputRingRows = 27,
}

/**
 * Rows [y0, y1) as in AddField. A row is sizes n0..n4 of bytes (n4 innermost), moved from steps of inputStride0..4 bytes, which may
 * be negative or 0, to steps of outputStride0..4.
 */
export enum CopyField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  input = 4,
  output = 5,
  n0 = 6,
  n1 = 7,
  n2 = 8,
  n3 = 9,
  n4 = 10,
  inputStride0 = 11,
  inputStride1 = 12,
  inputStride2 = 13,
  inputStride3 = 14,
  inputStride4 = 15,
  outputStride0 = 16,
  outputStride1 = 17,
  outputStride2 = 18,
  outputStride3 = 19,
  outputStride4 = 20,
  inputRowBytes = 21,
  inputRingRows = 22,
  outputRowBytes = 23,
  outputRingRows = 24,
}

/** float32 → int8. `scaleBits` is the float32 scale's bit pattern. */
export enum QuantizeField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  length = 4,
  scaleBits = 5,
  zeroPoint = 6,
}

/** int8 → float32. */
export enum DequantizeField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  length = 4,
  scaleBits = 5,
  zeroPoint = 6,
}

/** int8 → int8 of another scale. */
export enum RequantizeField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  length = 4,
  inputZeroPoint = 5,
  outputZeroPoint = 6,
  multiplier = 7,
  shift = 8,
}

/**
 * Operators run together, row by row: `stages` times a stage record and the records of its operator follow. The last stage
 * is made row by row, and before it what it needs of the others.
 */
export enum StreamField {
  op = 0,
  words = 1,
  stages = 2,
  /** Two words per stage while the stream runs: the address of its stage record, and the rows made so far. */
  state = 3,
}

/**
 * One operator of a stream: the `bytes` of records that follow (the operator's, or a fetch and an operator's per tile of
 * its weights) make `rows` rows in all, `rowsPerPull` at a time. Before rows up to y are made, the stage numbered `lhs`
 * (-1: none) must have made its rows up to (y · stride + lhsOffset) / divisor, or all it has, where `lhsRate` is
 * stride + divisor · 2^16, both below 2^15; `rhs` likewise.
 */
export enum StageField {
  op = 0,
  words = 1,
  bytes = 2,
  rows = 3,
  rowsPerPull = 4,
  lhs = 5,
  lhsRate = 6,
  lhsOffset = 7,
  rhs = 8,
  rhsRate = 9,
  rhsOffset = 10,
}

/**
 * Rows [y0, y1) of the model's input number `input`, asked for from the host; row y goes to `output + (y mod ringRows) · rowBytes`.
 * With `isInt8` (0 or 1) they are in storage form afterwards.
 */
export enum InputField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  input = 4,
  output = 5,
  rowBytes = 6,
  ringRows = 7,
  isInt8 = 8,
}

/**
 * `batches` sequences of `steps` vectors: vector t of sequence b is at `b · BatchBytes + t · StepBytes` of an operand. Elements
 * of input, output and hidden are int8 (`elementBytes` 1) or int16 (2); hidden and cell (int16) have `cells` values per batch.
 * `weights` begins with what src/plan/recurrent-packing.ts states.
 */
export enum UnidirectionalSequenceLstmField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  weights = 4,
  /** State, read and written. */
  hidden = 5,
  cell = 6,
  batches = 7,
  steps = 8,
  inputDepth = 9,
  cells = 10,
  elementBytes = 11,
  inputBatchBytes = 12,
  inputStepBytes = 13,
  outputBatchBytes = 14,
  outputStepBytes = 15,
  /** Of the cell state, as a power of two: tanh's table is for Q3.12, multiplied by 3. */
  cellLeftShift = 16,
  /** The cell state stays within ± this. */
  cellClip = 17,
  /** input gate · cell gate → cell state. */
  updateMultiplier = 18,
  updateShift = 19,
  /** tanh(cell state) · output gate → hidden state. */
  hiddenMultiplier = 20,
  hiddenShift = 21,
  hiddenZeroPoint = 22,
  scratch = 23,
}

/**
 * `batches` inputs of `inputDepth` int8. The state has `memory` values of `stateBytes` (1: int8, 2: int16) for each of
 * `filters` in each batch, the newest last; `rank` filters make one output. `weights`: src/plan/recurrent-packing.ts.
 */
export enum SvdfField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  weights = 4,
  /** Read and written. */
  state = 5,
  batches = 6,
  inputDepth = 7,
  filters = 8,
  rank = 9,
  memory = 10,
  stateBytes = 11,
  featureMultiplier = 12,
  featureShift = 13,
  stateZeroPoint = 14,
  outputMultiplier = 15,
  outputShift = 16,
  outputZeroPoint = 17,
  scratch = 18,
}

/** Parts of the distance between two cells in which bilinear positions count. */
export const CELL_PARTS = 1024;

/** Output rows [y0, y1), whole pixels. Index i of the output is index i · scale + offset of the input, in CELL_PARTS, between two cells. */
export enum ResizeBilinearField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  inputView = 4,
  outputView = 11,
  batches = 18,
  inputBatchBytes = 19,
  outputBatchBytes = 20,
  scaleY = 21,
  scaleX = 22,
  offsetY = 23,
  offsetX = 24,
}

/**
 * As ResizeBilinearField, of the cell at (i + offset) · scale, in float32 whose bits are given: rounded down, or where `rounds`
 * is 1 to the nearest.
 */
export enum ResizeNearestField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  inputView = 4,
  outputView = 11,
  batches = 18,
  inputBatchBytes = 19,
  outputBatchBytes = 20,
  scaleBitsY = 21,
  scaleBitsX = 22,
  offsetBits = 23,
  rounds = 24,
}

/** Rows [y0, y1) as in AddField: `length` bytes of a row become what the 256 at `weights`, in storage form, say of them. */
export enum LookupField {
  op = 0,
  words = 1,
  y0 = 2,
  y1 = 3,
  input = 4,
  output = 5,
  length = 6,
  weights = 7,
  inputRowBytes = 8,
  inputRingRows = 9,
  outputRowBytes = 10,
  outputRingRows = 11,
}

/** Loops as in MeanField: the largest value of those reduced, or where `sign` is −1 instead of 1 the least. */
export enum ReduceExtremeField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  sign = 4,
  n0 = 5,
  n1 = 6,
  n2 = 7,
  n3 = 8,
  stride0 = 9,
  stride1 = 10,
  stride2 = 11,
  stride3 = 12,
  r0 = 13,
  r1 = 14,
  r2 = 15,
  r3 = 16,
  reducedStride0 = 17,
  reducedStride1 = 18,
  reducedStride2 = 19,
  reducedStride3 = 20,
}

/** int32 index of the first largest (`sign` −1: least) of `size` values that lie `inner` apart, for each of outer × inner. */
export enum ArgExtremeField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  sign = 4,
  outer = 5,
  size = 6,
  inner = 7,
}

/** Inputs of an addN record. */
export const ADD_N_INPUTS = 15;

/** Sums of `length` elements of `count` (2 to ADD_N_INPUTS) inputs of one quantisation; the fields of further inputs mean nothing. */
export enum AddNField {
  op = 0,
  words = 1,
  output = 2,
  length = 3,
  count = 4,
  inputZeroPoint = 5,
  outputZeroPoint = 6,
  multiplier = 7,
  shift = 8,
  input0 = 9,
  input1 = 10,
  input2 = 11,
  input3 = 12,
  input4 = 13,
  input5 = 14,
  input6 = 15,
  input7 = 16,
  input8 = 17,
  input9 = 18,
  input10 = 19,
  input11 = 20,
  input12 = 21,
  input13 = 22,
  input14 = 23,
}

/** Sums along `size` values that lie `inner` apart, for each of outer × inner; `exclusive` and `reverse` are 0 or 1. */
export enum CumsumField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  outer = 4,
  size = 5,
  inner = 6,
  exclusive = 7,
  reverse = 8,
  inputZeroPoint = 9,
  outputZeroPoint = 10,
  multiplier = 11,
  shift = 12,
}

/** `rows` vectors of `depth` values, each divided by its length. */
export enum L2NormalizationField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  rows = 4,
  depth = 5,
  inputZeroPoint = 6,
}

/** `rows` independent logarithms of softmaxes over `depth` values. */
export enum LogSoftmaxField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  rows = 4,
  depth = 5,
  multiplier = 6,
  shift = 7,
  reverseMultiplier = 8,
  reverseShift = 9,
  diffMin = 10,
}

/** Element types of a cast. */
export enum CastType {
  int8 = 0,
  uint8 = 1,
  int16 = 2,
  int32 = 3,
  float32 = 4,
  bool = 5,
}

/** `length` elements of type `from` as type `to`. */
export enum CastField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  length = 4,
  from = 5,
  to = 6,
}

/**
 * For each of `batches` × `outer`, `count` slices of `sliceBytes` bytes, one behind the other in the output: the slice at
 * Σ index · stride, of `depth` int32 indices each (1 to 5), which are brought within [0, size). Indices are those of the batch,
 * `batchIndices` from one batch to the next.
 */
export enum GatherField {
  op = 0,
  words = 1,
  input = 2,
  indices = 3,
  output = 4,
  batches = 5,
  batchBytes = 6,
  batchIndices = 7,
  outer = 8,
  outerBytes = 9,
  count = 10,
  depth = 11,
  sliceBytes = 12,
  size0 = 13,
  size1 = 14,
  size2 = 15,
  size3 = 16,
  size4 = 17,
  stride0 = 18,
  stride1 = 19,
  stride2 = 20,
  stride3 = 21,
  stride4 = 22,
}

/** Dense output of sizes n0..n4 elements of `elementBytes`: `chosen` where the bool of `condition` is not 0, else `other`; strides in elements, 0 where repeated. */
export enum SelectField {
  op = 0,
  words = 1,
  condition = 2,
  chosen = 3,
  other = 4,
  output = 5,
  elementBytes = 6,
  n0 = 7,
  n1 = 8,
  n2 = 9,
  n3 = 10,
  n4 = 11,
  conditionStride0 = 12,
  conditionStride1 = 13,
  conditionStride2 = 14,
  conditionStride3 = 15,
  conditionStride4 = 16,
  chosenStride0 = 17,
  chosenStride1 = 18,
  chosenStride2 = 19,
  chosenStride3 = 20,
  chosenStride4 = 21,
  otherStride0 = 22,
  otherStride1 = 23,
  otherStride2 = 24,
  otherStride3 = 25,
  otherStride4 = 26,
}

/**
 * Products of matrices, for each of n0 × n1 × n2: `rows` × `depth` times `depth` × `columns`. Strides are in bytes, 0 where a matrix
 * is repeated: lhs goes on by `lhsRowStep` from row to row and by `lhsStep` along the depth, rhs by `rhsColumnStep` and `rhsStep`.
 * Elements have `elementBytes` (1: int8, 2: int16 with zero points 0, whose sums and their scaling are of 64 bits).
 */
export enum BatchMatmulField {
  op = 0,
  words = 1,
  lhs = 2,
  rhs = 3,
  output = 4,
  n0 = 5,
  n1 = 6,
  n2 = 7,
  lhsStride0 = 8,
  lhsStride1 = 9,
  lhsStride2 = 10,
  rhsStride0 = 11,
  rhsStride1 = 12,
  rhsStride2 = 13,
  rows = 14,
  columns = 15,
  depth = 16,
  lhsRowStep = 17,
  lhsStep = 18,
  rhsColumnStep = 19,
  rhsStep = 20,
  lhsZeroPoint = 21,
  rhsZeroPoint = 22,
  outputZeroPoint = 23,
  multiplier = 24,
  shift = 25,
  elementBytes = 26,
}

/**
 * `length` quantised or real values of CastType `from` in the quantisation of type `to`: whole numbers by `multiplier` and `shift`, a
 * float32 on either side by the bits of its scale. Results are clamped to `least` … `most`.
 */
export enum ConvertField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  length = 4,
  from = 5,
  to = 6,
  inputZeroPoint = 7,
  outputZeroPoint = 8,
  multiplier = 9,
  shift = 10,
  scaleBits = 11,
  least = 12,
  most = 13,
}

/**
 * A convolution of int16 over whole tensors: output channel c reads `depth` input channels from c / groupChannels · depth on. Per output
 * channel at `weights`, `channelBytes` apart: int64 bias, int32 multiplier and shift, int8 weights [kernelHeight, kernelWidth, depth]. With
 * `wide` 1 sums and their scaling are of 64 bits, else of 32. Windows see the input with `inputDilation` − 1 rows or columns of nothing
 * after each, which makes the convolution a transposed one.
 */
export enum Conv2dInt16Field {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  weights = 4,
  batches = 5,
  inputHeight = 6,
  inputWidth = 7,
  inputChannels = 8,
  outputHeight = 9,
  outputWidth = 10,
  outputChannels = 11,
  kernelHeight = 12,
  kernelWidth = 13,
  strideY = 14,
  strideX = 15,
  dilationY = 16,
  dilationX = 17,
  padTop = 18,
  padLeft = 19,
  depth = 20,
  groupChannels = 21,
  channelBytes = 22,
  wide = 23,
  activationMin = 24,
  activationMax = 25,
  inputDilationY = 26,
  inputDilationX = 27,
}

/** What `elementwiseInt16` computes. */
export enum Int16Operation {
  /** Both operands shifted left and scaled, and the sum scaled. */
  add = 0,
  subtract = 1,
  multiply = 2,
  minimum = 3,
  maximum = 4,
  /** Both operands scaled, and the square of their difference. */
  squaredDifference = 5,
  /** lhs scaled by lhsMultiplier, or below zero times rhs by outputMultiplier. */
  slope = 6,
}

/** As ElementwiseField of whole int16 tensors, strides and steps in bytes; `rhsBytes` 1 where rhs is int8. */
export enum ElementwiseInt16Field {
  op = 0,
  words = 1,
  lhs = 2,
  rhs = 3,
  output = 4,
  length = 5,
  lhsStep = 6,
  rhsStep = 7,
  n0 = 8,
  n1 = 9,
  n2 = 10,
  n3 = 11,
  lhsStride0 = 12,
  lhsStride1 = 13,
  lhsStride2 = 14,
  lhsStride3 = 15,
  rhsStride0 = 16,
  rhsStride1 = 17,
  rhsStride2 = 18,
  rhsStride3 = 19,
  operation = 20,
  leftShift = 21,
  rhsBytes = 22,
  rhsZeroPoint = 23,
  lhsMultiplier = 24,
  lhsShift = 25,
  rhsMultiplier = 26,
  rhsShift = 27,
  outputMultiplier = 28,
  outputShift = 29,
  activationMin = 30,
  activationMax = 31,
}

/** `length` int16, of their magnitudes where `absolute` is 1: scaled, below zero by another multiplier (negated where `negates` is 1), and clamped. */
export enum ScaleInt16Field {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  length = 4,
  absolute = 5,
  multiplier = 6,
  shift = 7,
  negativeMultiplier = 8,
  negativeShift = 9,
  negates = 10,
  activationMin = 11,
  activationMax = 12,
}

/** The logistic function of `length` int16, or tanh, by the table at `weights`: of (x · multiplier + half of 2^shift) / 2^shift. */
export enum SigmoidInt16Field {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  weights = 4,
  length = 5,
  multiplier = 6,
  shift = 7,
  isTanh = 8,
}

/** `rows` independent softmaxes over `depth` int16, by the two tables at `weights` (src/ops/softmax-table.ts). */
export enum SoftmaxInt16Field {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  weights = 4,
  rows = 5,
  depth = 6,
  multiplier = 7,
  shift = 8,
}

/** Average or maximum of windows over whole int16 tensors. */
export enum Pool2dInt16Field {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  batches = 4,
  inputHeight = 5,
  inputWidth = 6,
  channels = 7,
  outputHeight = 8,
  outputWidth = 9,
  kernelHeight = 10,
  kernelWidth = 11,
  strideY = 12,
  strideX = 13,
  padTop = 14,
  padLeft = 15,
  maximum = 16,
  activationMin = 17,
  activationMax = 18,
}
