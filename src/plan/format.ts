/**
 * The plan format, defined once: compiled by tsc for the host and by asc for the kernels, so it must stay within what
 * both accept (integer constants and plain enums).
 *
 * A plan is a list of records of little-endian 32-bit words. Each record begins with the two words of `Head`; the enum
 * of its operator gives the word offset of every other field. A field whose name ends in `View` takes the seven words
 * of `View`.
 */

/** Raised whenever a record changes; the kernels answer it from `planVersion()`. */
export const PLAN_VERSION = 1;

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
}

export enum Head {
  op = 0,
  words = 1,
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
  inputView = 2,
  outputView = 9,
  y0 = 16,
  y1 = 17,
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
  inputView = 2,
  outputView = 9,
  y0 = 16,
  y1 = 17,
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
}

/** Output rows [y0, y1), channels [c0, c1). */
export enum AveragePool2dField {
  op = 0,
  words = 1,
  inputView = 2,
  outputView = 9,
  y0 = 16,
  y1 = 17,
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

/** As AveragePool2dField. */
export enum MaxPool2dField {
  op = 0,
  words = 1,
  inputView = 2,
  outputView = 9,
  y0 = 16,
  y1 = 17,
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
 * Broadcast over four outer dimensions (sizes n0..n3, outermost first) and a run of `length` elements. Strides are in
 * bytes, 0 where the operand is broadcast; `lhsStep` and `rhsStep` (0 or 1) are the strides within the run. The output
 * is dense.
 */
export enum AddField {
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
  lhsZeroPoint = 20,
  rhsZeroPoint = 21,
  outputZeroPoint = 22,
  lhsMultiplier = 23,
  lhsShift = 24,
  rhsMultiplier = 25,
  rhsShift = 26,
  outputMultiplier = 27,
  outputShift = 28,
  activationMin = 29,
  activationMax = 30,
}

/** As AddField, with one multiplier for the product. */
export enum MulField {
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
  lhsZeroPoint = 20,
  rhsZeroPoint = 21,
  outputZeroPoint = 22,
  outputMultiplier = 23,
  outputShift = 24,
  activationMin = 25,
  activationMax = 26,
}

/**
 * Mean over any set of axes: outer dimensions n0..n3 are kept (dense output in that order, strides in bytes into the
 * input), r0..r3 are reduced. `multiplier`, `shift` have 1 / (r0·r1·r2·r3) folded in.
 */
export enum MeanField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  n0 = 4,
  n1 = 5,
  n2 = 6,
  n3 = 7,
  stride0 = 8,
  stride1 = 9,
  stride2 = 10,
  stride3 = 11,
  r0 = 12,
  r1 = 13,
  r2 = 14,
  r3 = 15,
  reducedStride0 = 16,
  reducedStride1 = 17,
  reducedStride2 = 18,
  reducedStride3 = 19,
  inputZeroPoint = 20,
  outputZeroPoint = 21,
  multiplier = 22,
  shift = 23,
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
 * Dense input of sizes n0..n4 (bytes; n4 innermost) copied into a dense output with before0..4 and after0..4 elements of
 * `value` (int8) around it.
 */
export enum PadField {
  op = 0,
  words = 1,
  input = 2,
  output = 3,
  n0 = 4,
  n1 = 5,
  n2 = 6,
  n3 = 7,
  n4 = 8,
  before0 = 9,
  before1 = 10,
  before2 = 11,
  before3 = 12,
  before4 = 13,
  after0 = 14,
  after1 = 15,
  after2 = 16,
  after3 = 17,
  after4 = 18,
  value = 19,
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
