import { Conv2dField, View } from "../../src/plan/format.ts";
import { convRow, segmentSteps } from "../micro/conv-strip.ts";
import { stepBytes } from "../micro/dot.ts";
import { blockHeadBytes, epilogueBytes } from "../micro/epilogue.ts";
import { address, field, rowAddress } from "../record.ts";
import { storedActivation } from "../storage.ts";
import { requantizationOf } from "./requantization.ts";

/** Bytes that are moved at a time: a kernel row has no more. */
const VECTOR = 16;

/** Whether the weights of three kernel rows lie one behind the other: isGathered in src/plan/packing.ts. */
export function isGathered(record: usize): bool {
  if (!ASC_FEATURE_RELAXED_SIMD) return false;
  const depth = field(record + (Conv2dField.inputView << 2), View.channels);
  const length = field(record, Conv2dField.kernelWidth) * depth;
  return (
    field(record, Conv2dField.kernelHeight) === 3 &&
    field(record, Conv2dField.dilationX) === 1 &&
    length <= VECTOR &&
    segmentSteps(3 * length) < 3 * segmentSteps(length)
  );
}

/**
 * relaxed: what each pixel of an output row reads is brought together, so that sums run on from one kernel row to the next: three rows of nine bytes are
 * 27, seven steps, where each for itself has three. Rows are moved as whole vectors, from left to right: what one has too much of is overwritten.
 */
export function gathered(record: usize, y0: i32, y1: i32, inputBatch: usize, outputBatch: usize): void {
  const input = record + (Conv2dField.inputView << 2);
  const output = record + (Conv2dField.outputView << 2);
  const depth = field(input, View.channels);
  const height = field(input, View.height);
  const inputWidth = field(input, View.width);
  const pixelBytes = field(input, View.pixelBytes);
  const width = field(output, View.width);
  const c0 = field(record, Conv2dField.c0);
  const kernelWidth = field(record, Conv2dField.kernelWidth);
  const strideX = field(record, Conv2dField.strideX);
  const padLeft = field(record, Conv2dField.padLeft);
  const dilationY = field(record, Conv2dField.dilationY);
  const constants = address(record, Conv2dField.scratch);
  const head = blockHeadBytes(requantizationOf(record));
  const length = kernelWidth * depth;
  const steps = segmentSteps(3 * length);
  const patchBytes = (<usize>steps) << 2;
  const padding = constants + epilogueBytes();
  const patches = padding + VECTOR;
  v128.store(padding, i8x16.splat(<i8>storedActivation(field(record, Conv2dField.inputZeroPoint))));

  // Pixels [first, end) read columns that are all inside, and side by side.
  const first = min((padLeft + strideX - 1) / strideX, width);
  const room = inputWidth + padLeft - kernelWidth;
  const end = pixelBytes === depth && room >= 0 ? max(min(room / strideX + 1, width), first) : first;
  const whole = <usize>(end - first);
  const firstColumn = <usize>(first * strideX - padLeft);
  for (let y = y0; y < y1; y++) {
    const row = y * field(record, Conv2dField.strideY) - field(record, Conv2dField.padTop);
    // A row of padding is one vector, however many columns it has.
    let p = padding;
    let q = padding;
    let r = padding;
    let stepP: usize = 0;
    let stepQ: usize = 0;
    let stepR: usize = 0;
    if (<u32>row < <u32>height) {
      p = rowAddress(input, row, inputBatch);
      stepP = pixelBytes;
    }
    if (<u32>(row + dilationY) < <u32>height) {
      q = rowAddress(input, row + dilationY, inputBatch);
      stepQ = pixelBytes;
    }
    if (<u32>(row + 2 * dilationY) < <u32>height) {
      r = rowAddress(input, row + 2 * dilationY, inputBatch);
      stepR = pixelBytes;
    }
    let to = patches;
    for (let x = 0; x < width; x++) {
      if (x === first && whole > 0) {
        gatherWhole(
          to,
          patchBytes,
          length,
          whole,
          p + firstColumn * stepP,
          q + firstColumn * stepQ,
          r + firstColumn * stepR,
          stepP * strideX,
          stepQ * strideX,
          stepR * strideX,
        );
        to += whole * patchBytes;
        x = end - 1;
        continue;
      }
      const column = x * strideX - padLeft;
      gatherTaps(to, p, stepP, column, kernelWidth, inputWidth, depth, padding);
      gatherTaps(to + length, q, stepQ, column, kernelWidth, inputWidth, depth, padding);
      gatherTaps(to + 2 * length, r, stepR, column, kernelWidth, inputWidth, depth, padding);
      to += patchBytes;
    }
    convRow(
      patches,
      patchBytes,
      width,
      1,
      0,
      steps,
      address(record, Conv2dField.weights),
      head + <usize>steps * stepBytes(),
      head,
      field(record, Conv2dField.c1) - c0,
      constants,
      rowAddress(output, y, outputBatch) + c0,
      address(output, View.pixelBytes),
      0,
    );
  }
}

/** Patches of `count` pixels, from where the first one's rows begin, at p, q and r. */
function gatherWhole(
  to: usize,
  patchBytes: usize,
  length: usize,
  count: usize,
  p: usize,
  q: usize,
  r: usize,
  stepP: usize,
  stepQ: usize,
  stepR: usize,
): void {
  for (const end = to + count * patchBytes; to < end; to += patchBytes) {
    const toQ = to + length;
    v128.store(to, v128.load(p));
    v128.store(toQ, v128.load(q));
    v128.store(toQ + length, v128.load(r));
    p += stepP;
    q += stepQ;
    r += stepR;
  }
}

/** One kernel row of one pixel, tap by tap: `column` and those that follow it of the row at `row`, or padding. */
function gatherTaps(
  to: usize,
  row: usize,
  step: usize,
  column: i32,
  kernelWidth: i32,
  inputWidth: i32,
  depth: usize,
  padding: usize,
): void {
  for (let kx = 0; kx < kernelWidth; kx++) {
    v128.store(to, v128.load(<u32>column < <u32>inputWidth ? row + <usize>column * step : padding));
    to += depth;
    column++;
  }
}
