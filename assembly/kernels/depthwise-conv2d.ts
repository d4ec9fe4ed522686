import { DepthwiseConv2dField, Requantization, View } from "../../src/plan/format.ts";
import { fitsLanes, rowWords } from "../micro/depthwise-slide.ts";
import { blockChannels, depthwiseRows, rowGroup, storeZeroRow } from "../micro/depthwise-strip.ts";
import { blockHeadBytes, epilogueBytes } from "../micro/epilogue.ts";
import { address, field, rowAddress } from "../record.ts";
import { prepareRequantization, requantizationOf } from "./requantization.ts";

/** As in src/plan/packing.ts. */
const BAND_COLUMNS = 32;
const MAX_PAIRS = 4;

/**
 *   out[n, y, x, c] = clamp(zOut + requantize(bias[c] +
 *       Σ_ky Σ_kx (in[n, y·sy + ky·dy − padTop, x·sx + kx·dx − padLeft, c / m] − zIn) · w[ky, kx, c]))
 *
 * in    int8 [batches, height, width, inDepth]      taps outside contribute nothing
 * w     int8 [kh, kw, outDepth]                     m = outDepth / inDepth; zero point 0, packed in blocks of channels
 * bias  int32 [outDepth]                            the packer has folded −zIn · Σw in
 * out   int8 [batches, outHeight, outWidth, outDepth], rows [y0, y1) and channels [c0, c1) of it
 *
 * Overflow and rounding as in conv2d. Reference: TFLite reference/integer_ops/depthwise_conv.h.
 */
export function depthwiseConv2d(record: usize, y0: i32, y1: i32): void {
  prepareRequantization(record);
  const c0 = field(record, DepthwiseConv2dField.c0);
  const c1 = field(record, DepthwiseConv2dField.c1);
  const bytes = blockBytes(record);
  const plane = address(record, DepthwiseConv2dField.plane);
  const batches = field(record, DepthwiseConv2dField.batches);
  // A plane, of one batch, holds a block of channels at a time.
  const channels = plane === 0 ? c1 - c0 : blockChannels();
  for (let n = 0; n < batches; n++) {
    const inputBatch = <usize>n * address(record, DepthwiseConv2dField.inputBatchBytes);
    const outputBatch = <usize>n * address(record, DepthwiseConv2dField.outputBatchBytes);
    let block = address(record, DepthwiseConv2dField.weights);
    for (let c = c0; c < c1; c += channels) {
      const end = min(c + channels, c1);
      if (plane !== 0) copyPlane(record, c, plane);
      outputRows(record, y0, y1, inputBatch, outputBatch, c, end, block, bytes, plane);
      block += bytes;
    }
  }
}

/** Copies the block of channels that begins with c from the input to `plane`, pixels blockChannels() bytes apart. */
function copyPlane(record: usize, c: i32, plane: usize): void {
  const input = record + (DepthwiseConv2dField.inputView << 2);
  const pixelBytes = address(input, View.pixelBytes);
  const width = field(input, View.width);
  const height = field(input, View.height);
  for (let y = 0; y < height; y++) {
    let from = rowAddress(input, y, 0) + <usize>c;
    for (let x = 0; x < width; x++) {
      // What a short last block copies beyond its channels is the next pixel, or slack.
      if (blockChannels() === 8) store<u64>(plane, load<u64>(from));
      else store<u8>(plane, load<u8>(from));
      from += pixelBytes;
      plane += <usize>blockChannels();
    }
  }
}

/** Bytes before the weights of a block. */
function headBytes(record: usize): usize {
  return blockHeadBytes(ASC_FEATURE_SIMD ? requantizationOf(record) : 0);
}

/** Bytes of one block of weights: depthwiseBlockBytes in src/plan/packing.ts. */
function blockBytes(record: usize): usize {
  const kernelHeight = field(record, DepthwiseConv2dField.kernelHeight);
  const kernelWidth = field(record, DepthwiseConv2dField.kernelWidth);
  let taps: i32;
  if (ASC_FEATURE_SIMD) {
    const groups = (kernelHeight + rowGroup() - 1) / rowGroup();
    taps = (kernelWidth * groups * rowsAtOnce(record)) << 5;
  } else {
    const strideX = field(record, DepthwiseConv2dField.strideX);
    taps =
      requantizationOf(record) === Requantization.single &&
      fitsLanes(kernelHeight, kernelWidth, strideX, field(record, DepthwiseConv2dField.dilationX))
        ? (kernelHeight * rowWords(kernelWidth, strideX)) << 2
        : (kernelHeight * kernelWidth + 3) & ~3;
  }
  return headBytes(record) + <usize>taps;
}

/** Output rows that the weights are packed for: depthwiseRowsAtOnce in src/plan/packing.ts. */
function rowsAtOnce(record: usize): i32 {
  if (ASC_FEATURE_SIMD) {
    const kernelHeight = field(record, DepthwiseConv2dField.kernelHeight);
    const rows = ((kernelHeight + rowGroup() - 1) / rowGroup()) * rowGroup();
    const last = kernelHeight + field(record, DepthwiseConv2dField.strideY);
    return field(record, DepthwiseConv2dField.dilationY) === 1 && last <= rows ? 2 : 1;
  }
  return 1;
}

/** Pairs of output rows that are made together: depthwisePairs in src/plan/packing.ts. */
function pairsAtOnce(record: usize, columns: i32): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 1;
  const isThree =
    field(record, DepthwiseConv2dField.kernelWidth) === 3 &&
    field(record, DepthwiseConv2dField.strideX) === 1 &&
    field(record, DepthwiseConv2dField.dilationX) === 1;
  const isRelu =
    field(record, DepthwiseConv2dField.activationMin) >= field(record, DepthwiseConv2dField.outputZeroPoint);
  const isOneGroup = field(record, DepthwiseConv2dField.kernelHeight) <= rowGroup();
  if (!isThree || !isRelu || !isOneGroup || rowsAtOnce(record) === 1) return 1;
  return min(max(BAND_COLUMNS / columns, 1), MAX_PAIRS);
}

/**
 * Output rows [y0, y1) and channels [c0, c1), whose weights begin at `weights`, `bytes` for each block. With `plane` the input lies there, pixels
 * blockChannels() bytes apart.
 */
function outputRows(
  record: usize,
  y0: i32,
  y1: i32,
  inputBatch: usize,
  outputBatch: usize,
  c0: i32,
  c1: i32,
  weights: usize,
  bytes: usize,
  plane: usize,
): void {
  const input = record + (DepthwiseConv2dField.inputView << 2);
  const output = record + (DepthwiseConv2dField.outputView << 2);
  const kernelHeight = field(record, DepthwiseConv2dField.kernelHeight);
  const kernelWidth = field(record, DepthwiseConv2dField.kernelWidth);
  const strideX = field(record, DepthwiseConv2dField.strideX);
  const strideY = field(record, DepthwiseConv2dField.strideY);
  const dilationX = field(record, DepthwiseConv2dField.dilationX);
  const dilationY = field(record, DepthwiseConv2dField.dilationY);
  const padTop = field(record, DepthwiseConv2dField.padTop);
  const zeroPoint = field(record, DepthwiseConv2dField.inputZeroPoint);
  const multiplier = field(record, DepthwiseConv2dField.depthMultiplier);
  const height = field(input, View.height);
  const head = headBytes(record);
  const packedRows = rowsAtOnce(record);
  const width = field(output, View.width);
  const outStep = address(output, View.pixelBytes);
  const constants = address(record, DepthwiseConv2dField.scratch);
  const columns = (width - 1) * strideX + (kernelWidth - 1) * dilationX + 1;
  const pairs = pairsAtOnce(record, columns);
  const pairRows = packedRows * strideY;
  const listed = ((kernelHeight + rowGroup() - 1) / rowGroup()) * rowGroup() + (pairs - 1) * pairRows;
  const zeroRow = constants + epilogueBytes();
  const table = zeroRow + 16;
  const tableEnd = table + <usize>(listed * 12);
  const strip = (tableEnd + 15) & ~15;

  const pixelBytes = plane === 0 ? field(input, View.pixelBytes) : blockChannels();
  const planeRow = <usize>(field(input, View.width) * blockChannels());
  const padLeft = min(field(record, DepthwiseConv2dField.padLeft), columns);
  const inside = max(min(field(input, View.width), columns - padLeft), 0);
  storeZeroRow(zeroRow, zeroPoint);
  const together = packedRows * pairs;
  for (let y = y0; y < y1;) {
    let count = ASC_FEATURE_SIMD ? min(together, y1 - y) : 1;
    if (ASC_FEATURE_RELAXED_SIMD && pairs > 1) {
      // Pairs lie at one distance from row to row: not across the end of a ring.
      const ringRows = field(output, View.ringRows);
      count = min(min(count, together - ((y - y0) % together)), ringRows - (y % ringRows));
    }
    let row = y * strideY - padTop;
    // What is packed for two rows, of which there is one, has more rows than that sees, and so have more pairs than there are.
    const needed = row + (kernelHeight - 1) * dilationY + (count - 1) * strideY;
    for (let entry = table; entry < tableEnd; entry += 12) {
      const isInside = (!ASC_FEATURE_SIMD || row <= needed) && row >= 0 && row < height;
      const at = plane === 0 ? rowAddress(input, row, inputBatch) : plane + <usize>row * planeRow - <usize>c0;
      store<u32>(entry, <u32>(isInside ? at : zeroRow));
      store<u32>(entry, isInside ? pixelBytes : 0, 4);
      store<i32>(entry, isInside ? -1 : 0, 8);
      row += dilationY;
    }
    const out = rowAddress(output, y, outputBatch);
    // Rings may put the second row below the first; the difference then wraps, and so does its sum.
    const outRowStep = ASC_FEATURE_SIMD && count > 1 ? rowAddress(output, y + 1, outputBatch) - out : 0;
    depthwiseRows(
      table,
      kernelHeight,
      strip,
      padLeft,
      inside,
      columns - padLeft - inside,
      c0,
      c1,
      multiplier,
      kernelWidth,
      strideX,
      dilationX,
      weights,
      bytes,
      head,
      packedRows,
      count,
      <usize>(pairRows * 12),
      zeroPoint,
      <usize>pixelBytes,
      constants,
      out,
      outStep,
      outRowStep,
      width,
    );
    y += count;
  }
}
