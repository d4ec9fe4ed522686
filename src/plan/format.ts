/**
 * The plan format, defined once: compiled by tsc for the host and by asc for the kernels, so it must stay within what
 * both accept (integer constants and plain enums).
 *
 * A plan is a list of records of little-endian 32-bit words. Each record begins with the two words of `Head`; the enum
 * of its operator gives the word offset of every other field. A field whose name ends in `View` takes the seven words
 * of `View`.
 */

/** Raised whenever a record changes; the kernels answer it from `planVersion()`. */
export const PLAN_VERSION = 5;

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
  transpose = 12,
  quantize = 13,
  dequantize = 14,
  requantize = 15,
  stream = 16,
  stage = 17,
  input = 18,
  tiles = 19,
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
  /** As general, with biased accumulators and a fused multiply-add; relaxed only. */
  generalFused = 4,
  /** As relu, with biased accumulators and a fused multiply-add; relaxed only. */
  reluFused = 5,
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

/** Output rows [y0, y1), output channels [c0, c1); `weights` points at the block of channel c0. */
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
  requantization = 32,
  requantizationShift = 33,
  inputZeroPoint = 34,
  outputZeroPoint = 35,
  activationMin = 36,
  activationMax = 37,
  scratch = 38,
}

/** As Conv2dField; output channel c reads input channel c / depthMultiplier. */
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
  requantizationShift = 33,
  inputZeroPoint = 34,
  outputZeroPoint = 35,
  activationMin = 36,
  activationMax = 37,
  scratch = 38,
  depthMultiplier = 39,
  /**
   * Where the output takes the input's place: room for all rows of one block's channels, which are copied there before
   * the block's output is written; 0 otherwise. Whole tensors of one batch, depthMultiplier 1.
   */
  plane = 40,
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
 * Rows [y0, y1); row y of an operand begins `(y mod ringRows) * rowBytes` after it (a whole tensor is one row). A row is a
 * broadcast over four outer dimensions (sizes n0..n3, outermost first) and a run of `length` elements. Strides are in
 * bytes, 0 where the operand is broadcast; `lhsStep` and `rhsStep` (0 or 1) are the strides within the run. A row of the
 * output is dense.
 */
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
  lhsZeroPoint = 22,
  rhsZeroPoint = 23,
  outputZeroPoint = 24,
  lhsMultiplier = 25,
  lhsShift = 26,
  rhsMultiplier = 27,
  rhsShift = 28,
  outputMultiplier = 29,
  outputShift = 30,
  activationMin = 31,
  activationMax = 32,
  lhsRowBytes = 33,
  lhsRingRows = 34,
  rhsRowBytes = 35,
  rhsRingRows = 36,
  outputRowBytes = 37,
  outputRingRows = 38,
}

/** As AddField, with one multiplier for the product. */
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
  lhsZeroPoint = 22,
  rhsZeroPoint = 23,
  outputZeroPoint = 24,
  outputMultiplier = 25,
  outputShift = 26,
  activationMin = 27,
  activationMax = 28,
  lhsRowBytes = 29,
  lhsRingRows = 30,
  rhsRowBytes = 31,
  rhsRingRows = 32,
  outputRowBytes = 33,
  outputRingRows = 34,
}

/**
 * Mean over any set of axes, of rows [y0, y1) as in AddField: outer dimensions n0..n3 are kept (dense output in that order,
 * strides in bytes into the input), r0..r3 are reduced, and so are the rows where there are `accumulators`. `multiplier`,
 * `shift` have 1 / (r0·r1·r2·r3·rows) folded in.
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

/** `rows` independent softmaxes over `depth` values. */
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

/** Dense output of sizes n0..n4 (outermost first); stride0..4 are the input strides of those
 * dimensions in bytes. Elements are one byte. */
export enum TransposeField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  n0 = 4,
  n1 = 5,
  n2 = 6,
  n3 = 7,
  n4 = 8,
  stride0 = 9,
  stride1 = 10,
  stride2 = 11,
  stride3 = 12,
  stride4 = 13,
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
 * (-1: none) must have made its rows up to y · lhsStride + lhsOffset, or all it has; `rhs` likewise.
 */
export enum StageField {
  op = 0,
  words = 1,
  bytes = 2,
  rows = 3,
  rowsPerPull = 4,
  lhs = 5,
  lhsStride = 6,
  lhsOffset = 7,
  rhs = 8,
  rhsStride = 9,
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
