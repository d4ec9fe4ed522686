import { Conv2dField, Requantization, View } from "../../src/plan/format.ts";
import { convRow, segmentSteps } from "../micro/conv-strip.ts";
import { onePixel as oneScalarPixel, PACKED_PIXELS, threePixels } from "../micro/conv-strip-scalar.ts";
import { stepBytes } from "../micro/dot.ts";
import { blockHeadBytes, epilogueBytes, isUniform } from "../micro/epilogue.ts";
import { SCALAR_HEAD } from "../micro/epilogue-scalar.ts";
import { pack } from "../micro/lanes.ts";
import { onePixel } from "../micro/one-pixel.ts";
import { moveStaged, stage, stagedElementBytes } from "../micro/staging.ts";
import { address, field, rowAddress } from "../record.ts";
import { gathered, isGathered } from "./conv2d-gathered.ts";
import { prepareRequantization, requantizationOf } from "./requantization.ts";
import { stageRow } from "./stage-row.ts";

/**
 *   out[n, y, x, o] = clamp(zOut + requantize(bias[o] +
 *       Σ_ky Σ_kx Σ_i (in[n, y·sy + ky·dy − padTop, x·sx + kx·dx − padLeft, i] − zIn) · w[o, ky, kx, i]))
 *
 * in    int8 [batches, height, width, inDepth]    taps outside contribute nothing
 * w     int8 [outDepth, kh, kw, inDepth]          zero point 0, packed in blocks of channels: src/plan/packing.ts
 * bias  int32 [outDepth]                          the packer has folded −zIn · Σw in, so border taps are fed zIn
 * out   int8 [batches, outHeight, outWidth, outDepth], rows [y0, y1) and channels [c0, c1) of it
 *
 * No overflow while |bias| + Σ|w|·255 < 2^31; beyond, sums wrap as the reference's do. Rounding: docs/numerics.md.
 * Reference: TFLite reference/integer_ops/conv.h.
 */
export function conv2d(record: usize, y0: i32, y1: i32): void {
  prepareRequantization(record);
  const padTop = field(record, Conv2dField.padTop);
  const padLeft = field(record, Conv2dField.padLeft);
  const oneTap = field(record, Conv2dField.kernelHeight) * field(record, Conv2dField.kernelWidth) === 1;
  const batches = field(record, Conv2dField.batches);
  if (ASC_FEATURE_SIMD && isUniform(address(record, Conv2dField.scratch))) {
    if (oneTap && (padTop | padLeft) === 0 && batches === 1) {
      vector(record);
      return;
    }
  }
  const input = record + (Conv2dField.inputView << 2);
  const output = record + (Conv2dField.outputView << 2);
  const inside =
    (padTop | padLeft) === 0 &&
    (field(output, View.height) - 1) * field(record, Conv2dField.strideY) < field(input, View.height) &&
    (field(output, View.width) - 1) * field(record, Conv2dField.strideX) < field(input, View.width);
  for (let n = 0; n < batches; n++) {
    const inputBatch = <usize>n * address(record, Conv2dField.inputBatchBytes);
    const outputBatch = <usize>n * address(record, Conv2dField.outputBatchBytes);
    if (oneTap && inside) {
      pointwise(record, y0, y1, inputBatch, outputBatch);
    } else if (!ASC_FEATURE_SIMD && requantizationOf(record) === Requantization.singleColumns) {
      slideColumns(record, y0, y1, inputBatch, outputBatch);
    } else if (ASC_FEATURE_RELAXED_SIMD && isGathered(record)) {
      gathered(record, y0, y1, inputBatch, outputBatch);
    } else {
      spatial(record, y0, y1, inputBatch, outputBatch);
    }
  }
}

/** Bytes of one block of weights with `head` bytes before them: convBlockBytes in src/plan/packing.ts. */
function blockBytes(head: usize, segments: i32, steps: i32): usize {
  const weights = <usize>(segments * steps);
  if (ASC_FEATURE_SIMD) return head + weights * stepBytes();
  return (head + weights + 3) & ~3;
}

/**
 * One pixel and one multiplier, as a fully connected layer has them. Looks at nothing else: a small one runs in the time that it takes to read a
 * convolution's geometry.
 */
function vector(record: usize): void {
  const input = record + (Conv2dField.inputView << 2);
  const output = record + (Conv2dField.outputView << 2);
  const depth = field(input, View.channels);
  const c0 = field(record, Conv2dField.c0);
  const constants = address(record, Conv2dField.scratch);
  const head = blockHeadBytes(Requantization.uniformRelu);
  const steps = segmentSteps(depth);
  let pixel = address(input, View.address);
  if (stagedElementBytes() > 1) {
    const staging = constants + epilogueBytes();
    stage(staging, pixel, depth);
    pixel = staging;
  }
  onePixel(
    pixel,
    1,
    steps,
    4,
    0,
    address(record, Conv2dField.weights),
    blockBytes(head, 1, steps),
    head,
    field(record, Conv2dField.c1) - c0,
    constants,
    address(output, View.address) + <usize>c0,
  );
}

/**
 * 1×1 kernels: pixels are taken as they lie. Dense rows run on into each other, so that short rows fill strips too. Where
 * operands are staged, four pixels at a time are.
 */
function pointwise(record: usize, y0: i32, y1: i32, inputBatch: usize, outputBatch: usize): void {
  const input = record + (Conv2dField.inputView << 2);
  const output = record + (Conv2dField.outputView << 2);
  const inDepth = field(input, View.channels);
  const width = field(output, View.width);
  const c0 = field(record, Conv2dField.c0);
  const channels = field(record, Conv2dField.c1) - c0;
  const head = blockHeadBytes(requantizationOf(record));
  const constants = address(record, Conv2dField.scratch);
  const block = address(record, Conv2dField.weights);
  const steps = segmentSteps(inDepth);
  const bytes = blockBytes(head, 1, steps);
  const strideY = field(record, Conv2dField.strideY);
  const pixelStep = address(input, View.pixelBytes) * address(record, Conv2dField.strideX);
  const outputStep = address(output, View.pixelBytes);
  const inputRing = field(input, View.ringRows);
  const outputRing = field(output, View.ringRows);
  const dense =
    y1 - y0 > 1 &&
    address(input, View.rowBytes) * <usize>strideY === pixelStep * <usize>width &&
    address(output, View.rowBytes) === outputStep * <usize>width &&
    ((y0 * strideY) % inputRing) + (y1 - 1 - y0) * strideY < inputRing &&
    (y0 % outputRing) + y1 - y0 <= outputRing;
  const rows = dense ? y1 - y0 : 1;
  const staging = constants + epilogueBytes();
  // Neighbours are staged at once; others begin apart, because staging writes up to 15 elements too many.
  const stagedStep =
    pixelStep === <usize>inDepth
      ? <usize>inDepth * stagedElementBytes()
      : ((<usize>inDepth * stagedElementBytes() + 15) & ~15) + 16;

  for (let y = y0; y < y1; y += rows) {
    let from = rowAddress(input, y * strideY, inputBatch);
    let to = rowAddress(output, y, outputBatch) + c0;
    const pixels = rows * width;
    if (stagedElementBytes() === 1) {
      convRow(
        from,
        pixelStep,
        pixels,
        1,
        0,
        steps,
        block,
        bytes,
        head,
        channels,
        constants,
        to,
        outputStep,
        staging,
      );
      continue;
    }
    for (let left = pixels; left > 0; left -= 4) {
      const count = min(left, 4);
      if (pixelStep === <usize>inDepth) {
        stage(staging, from, count * inDepth);
      } else {
        for (let i = 0; i < count; i++)
          stage(staging + <usize>i * stagedStep, from + <usize>i * pixelStep, inDepth);
      }
      from += pixelStep << 2;
      convRow(
        staging,
        stagedStep,
        count,
        1,
        0,
        steps,
        block,
        bytes,
        head,
        channels,
        constants,
        to,
        outputStep,
        0,
      );
      to += outputStep << 2;
    }
  }
}

/**
 * mcu, method `singleColumns`: columns of three outputs go down together, and what they have packed goes with them, so that a pixel is packed once for
 * all rows that read it. No output may lie on the input: columns further right are still to be read.
 */
export function slideColumns(record: usize, y0: i32, y1: i32, inputBatch: usize, outputBatch: usize): void {
  const input = record + (Conv2dField.inputView << 2);
  const output = record + (Conv2dField.outputView << 2);
  const inDepth = field(input, View.channels);
  const width = field(output, View.width);
  const c0 = field(record, Conv2dField.c0);
  const channels = field(record, Conv2dField.c1) - c0;
  const constants = address(record, Conv2dField.scratch);
  const kernelHeight = field(record, Conv2dField.kernelHeight);
  const kernelWidth = field(record, Conv2dField.kernelWidth);
  const strideX = field(record, Conv2dField.strideX);
  const strideY = field(record, Conv2dField.strideY);
  const steps = kernelWidth * inDepth;
  const pixels = min(width, PACKED_PIXELS);
  const columns = (pixels - 1) * strideX + kernelWidth;
  const segmentBytes = <usize>(columns * inDepth);
  const outputStep = address(output, View.pixelBytes);
  const pixelStep = <usize>(strideX * inDepth);
  const block = address(record, Conv2dField.weights);
  const bytes = blockBytes(SCALAR_HEAD, kernelHeight, steps);
  const staging = constants + epilogueBytes();
  const padTop = field(record, Conv2dField.padTop);
  const padLeft = field(record, Conv2dField.padLeft);
  const zeroPoint = field(record, Conv2dField.inputZeroPoint);
  const kept = kernelHeight - strideY;
  const keptBytes = <usize>kept * segmentBytes;
  const newBytes = <usize>strideY * segmentBytes;
  const newPacked = (<usize>(strideY * steps)) << 3;
  const packed = (staging + <usize>kernelHeight * segmentBytes + 7) & ~7;

  for (let x = 0; x < width; x += pixels) {
    const count = min(pixels, width - x);
    const third = <usize>(count - 1) * outputStep;
    for (let y = y0; y < y1; y++) {
      let ky = 0;
      if (y > y0) {
        memory.copy(staging, staging + newBytes, keptBytes);
        ky = kept;
      }
      const packedRows = ky;
      for (; ky < kernelHeight; ky++) {
        stageRow(
          staging + <usize>ky * segmentBytes,
          input,
          inputBatch,
          y * strideY + ky - padTop,
          x * strideX - padLeft,
          columns,
          zeroPoint,
        );
      }
      const out = rowAddress(output, y, outputBatch) + <usize>x * outputStep + c0;
      if (count === 1) {
        oneScalarPixel(
          staging,
          kernelHeight,
          segmentBytes,
          steps,
          block,
          bytes,
          channels,
          constants,
          out,
          packed,
        );
        continue;
      }
      const packedBytes = (<usize>(packedRows * steps)) << 3;
      memory.copy(packed, packed + newPacked, packedBytes);
      pack(
        staging + <usize>packedRows * segmentBytes,
        pixelStep,
        <usize>(count - 1) * pixelStep,
        kernelHeight - packedRows,
        segmentBytes,
        steps,
        packed + packedBytes,
      );
      threePixels(packed, kernelHeight * steps, block, bytes, channels, constants, out, outputStep, third);
    }
  }
}

/**
 * Any kernel: the input rows of one output row are staged with their borders, a segment per kernel row (per tap where
 * dilated), so that a pixel's operands begin at fixed distances.
 */
function spatial(record: usize, y0: i32, y1: i32, inputBatch: usize, outputBatch: usize): void {
  const input = record + (Conv2dField.inputView << 2);
  const output = record + (Conv2dField.outputView << 2);
  const inDepth = field(input, View.channels);
  const width = field(output, View.width);
  const c0 = field(record, Conv2dField.c0);
  const channels = field(record, Conv2dField.c1) - c0;
  const head = blockHeadBytes(requantizationOf(record));
  const constants = address(record, Conv2dField.scratch);
  const block = address(record, Conv2dField.weights);
  const kernelHeight = field(record, Conv2dField.kernelHeight);
  const kernelWidth = field(record, Conv2dField.kernelWidth);
  const dilationX = field(record, Conv2dField.dilationX);
  const strideX = field(record, Conv2dField.strideX);
  const taps = dilationX === 1 ? kernelWidth : 1;
  const segmentsPerRow = dilationX === 1 ? 1 : kernelWidth;
  const segments = kernelHeight * segmentsPerRow;
  const steps = segmentSteps(taps * inDepth);
  const bytes = blockBytes(head, segments, steps);
  const columns = (width - 1) * strideX + taps;
  const segmentBytes = ((<usize>(columns * inDepth) * stagedElementBytes() + 15) & ~15) + 16;
  const pixelStep = <usize>(strideX * inDepth) * stagedElementBytes();
  const outputStep = address(output, View.pixelBytes);
  const staging = constants + epilogueBytes();

  const strideY = field(record, Conv2dField.strideY);
  const dilationY = field(record, Conv2dField.dilationY);
  // Kernel rows that the next output row has again, further up: they are moved there, which takes less than to stage them. (Not in mcu, where all
  // that a model calls is to stay below 8 KB, and staging takes little.)
  const kept = ASC_FEATURE_SIMD && dilationY === 1 ? max(kernelHeight - strideY, 0) : 0;
  const keptBytes = <usize>(kept * segmentsPerRow) * segmentBytes;
  const leftBytes = <usize>(strideY * segmentsPerRow) * segmentBytes;
  const packed = staging + <usize>segments * segmentBytes;

  for (let y = y0; y < y1; y++) {
    let segment = staging;
    let ky = 0;
    if (y > y0 && kept > 0) {
      moveStaged(staging, staging + leftBytes, keptBytes);
      segment += keptBytes;
      ky = kept;
    }
    for (; ky < kernelHeight; ky++) {
      const row = y * strideY + ky * dilationY - field(record, Conv2dField.padTop);
      for (let kx = 0; kx < segmentsPerRow; kx++) {
        const firstColumn = kx * dilationX - field(record, Conv2dField.padLeft);
        stageRow(
          segment,
          input,
          inputBatch,
          row,
          firstColumn,
          columns,
          field(record, Conv2dField.inputZeroPoint),
        );
        segment += segmentBytes;
      }
    }

    const to = rowAddress(output, y, outputBatch) + c0;
    convRow(
      staging,
      pixelStep,
      width,
      segments,
      segmentBytes,
      steps,
      block,
      bytes,
      head,
      channels,
      constants,
      to,
      outputStep,
      packed,
    );
  }
}
