import { fitsLanes, slideRows, slideThree, slideThreeHalved, slideWide } from "./depthwise-slide.ts";
import { oneRow, twoRows } from "./depthwise-tile.ts";
import * as octet from "./depthwise-octet.ts";
import { gatherBuffer, isReluFusedSingle, isWholeRange } from "./epilogue.ts";
import { isSingle, SCALAR_HEAD, storeScalar, twiceMask } from "./epilogue-scalar.ts";
import { interleave, interleaveSixteen, interleaveTwoGroups, padColumns } from "./depthwise-interleave.ts";
import { COLUMN_BYTES, threeColumns, threeTaps, threeTapsTwice } from "./weight-stationary.ts";
import { storedActivation } from "../storage.ts";

/**
 * Depthwise strips: one or two output rows, in relaxed up to eight, 8 channels at a time.
 *
 *   out[x, c] = clamp(zOut + requantize(bias[c] + Σ_ky Σ_kx in[ky, x·strideX + kx·dilationX, c] · w[ky, kx, c]))
 *
 * The kernel's input rows are interleaved column by column, so that one dot product covers several kernel rows of 4
 * channels and a column serves every tap that meets it:
 *
 *   strip    [column][row group][2 halves of 4 channels][channel][row in group]     32 bytes per column and group
 *   weights  [kx][row group][output row][2 halves][channel][row in group], 0 where the kernel has no row
 *
 * Where the groups hold the input of two output rows (3×3 at stride 1: rows w0 w1 w2 0 and 0 w0 w1 w2), both are computed
 * from one strip. Three dot products of a pixel have loops of their own (weight-stationary.ts). relaxed interleaves 16 channels together where there are more than 8, to two
 * strips one behind the other (depthwiseStrips in src/plan/packing.ts), and several pairs of rows where threeTapsTwice
 * loads the weights of a block once for all (depthwisePairs).
 *
 * A row group is 4 rows of u8 (relaxed) or 2 rows of int16 (simd). `rows` lists, per kernel row, an address, the bytes
 * from pixel to pixel and a mask for the channel offset: a row of padding is one vector of zero points with step and
 * mask 0. The bias has −z · Σw folded in, z the zero point in storage form. mcu slides instead: depthwise-slide.ts.
 */

/** Channels of a block: blockChannels in src/plan/packing.ts. */
export function blockChannels(): i32 {
  return ASC_FEATURE_SIMD ? 8 : 1;
}

/** Strips that `channels` output channels have: depthwiseStrips in src/plan/packing.ts. */
function strips(channels: i32, depthMultiplier: i32): i32 {
  return ASC_FEATURE_RELAXED_SIMD && depthMultiplier === 1 && channels > blockChannels() ? 2 : 1;
}

/** Kernel rows per row group. */
export function rowGroup(): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) return 4;
  return ASC_FEATURE_SIMD ? 2 : 1;
}

/** A vector (in mcu one) of the int8 value `zeroPoint` in storage form, for the rows of padding. */
export function storeZeroRow(at: usize, zeroPoint: i32): void {
  if (ASC_FEATURE_SIMD) {
    v128.store(at, i8x16.splat(<i8>storedActivation(zeroPoint)));
  } else {
    store<i8>(at, <i8>zeroPoint);
  }
}

/** threeTapsTwice of both halves of a block, of which `count` channels are stored. */
function bothHalves(
  strip: usize,
  pairBytes: usize,
  block: usize,
  head: usize,
  count: i32,
  constants: usize,
  halves: usize,
  out: usize,
  outStep: usize,
  outRowStep: usize,
  width: i32,
  rows: i32,
): void {
  threeTapsTwice<i8>(
    strip,
    pairBytes,
    block,
    head,
    count,
    constants,
    halves,
    out,
    outStep,
    outRowStep,
    width,
    rows,
  );
  if (isWholeRange(constants)) {
    threeTapsTwice<i16>(
      strip,
      pairBytes,
      block,
      head,
      count,
      constants,
      halves,
      out,
      outStep,
      outRowStep,
      width,
      rows,
    );
  } else {
    threeTapsTwice<i32>(
      strip,
      pairBytes,
      block,
      head,
      count,
      constants,
      halves,
      out,
      outStep,
      outRowStep,
      width,
      rows,
    );
  }
}

/**
 * `outputRows` output rows of `width` pixels, output channels c0 … c1 − 1, to `out` (of channel 0), pixels `outStep`
 * and rows `outRowStep` bytes apart: up to `packedRows`, or in relaxed several such pairs, whose rows are listed `pairStep` bytes apart and whose strips lie
 * one behind the other. The strip's columns are `padLeft` of padding, `inside` of input, `padRight` of padding.
 * Weights are packed for `packedRows` output rows, in blocks of `blockBytes`.
 */
export function depthwiseRows(
  rows: usize,
  kernelHeight: i32,
  strip: usize,
  padLeft: i32,
  inside: i32,
  padRight: i32,
  c0: i32,
  c1: i32,
  depthMultiplier: i32,
  kernelWidth: i32,
  strideX: i32,
  dilationX: i32,
  block: usize,
  blockBytes: usize,
  head: usize,
  packedRows: i32,
  outputRows: i32,
  pairStep: usize,
  inputZeroPoint: i32,
  pixelBytes: usize,
  constants: usize,
  out: usize,
  outStep: usize,
  outRowStep: usize,
  width: i32,
): void {
  const groups = (kernelHeight + rowGroup() - 1) / rowGroup();
  const isThree = kernelHeight === 3 && kernelWidth === 3 && dilationX === 1;
  if (ASC_FEATURE_RELAXED_SIMD && isThree && strideX === 2 && packedRows === 1) {
    const p = <usize>load<u32>(rows);
    const q = <usize>load<u32>(rows, 12);
    const r = <usize>load<u32>(rows, 24);
    const areInside = (load<i32>(rows, 8) & load<i32>(rows, 20) & load<i32>(rows, 32)) !== 0;
    if (areInside && depthMultiplier === 1 && padLeft < 2) {
      const isWhole = isWholeRange(constants);
      while (isReluFusedSingle(block, constants)) {
        if (isWhole) {
          threeColumns<i8>(
            p + c0,
            q + c0,
            r + c0,
            pixelBytes,
            padLeft,
            inside,
            inputZeroPoint,
            strip,
            block,
            head,
            c1 - c0,
            constants,
            out + c0,
            outStep,
            width,
          );
        } else {
          threeColumns<i16>(
            p + c0,
            q + c0,
            r + c0,
            pixelBytes,
            padLeft,
            inside,
            inputZeroPoint,
            strip,
            block,
            head,
            c1 - c0,
            constants,
            out + c0,
            outStep,
            width,
          );
        }
        block += blockBytes;
        c0 += 8;
        if (c0 >= c1) return;
      }
    }
  }
  if (ASC_FEATURE_SIMD) {
    const columnBytes = (<usize>groups) << 5;
    const inner = strip + <usize>padLeft * columnBytes;
    const pixelBytes = <usize>strideX * columnBytes;
    const tapJump = <usize>(dilationX - 1) * columnBytes;
    // Row groups of neighbouring taps follow each other: one loop takes less time than two.
    const runs = dilationX === 1 ? 1 : kernelWidth;
    const steps = dilationX === 1 ? groups * kernelWidth : groups;
    // To the second strip, if there is one, and to the next pair's.
    const stripBytes = <usize>(padLeft + inside + padRight) * columnBytes;
    const toSecond = strips(c1 - c0, depthMultiplier) > 1 ? stripBytes : 0;
    const pairBytes = stripBytes + toSecond;
    const pairs = ASC_FEATURE_RELAXED_SIMD ? (outputRows + packedRows - 1) / packedRows : 1;
    // The same for every channel: a column of padding is zero points throughout.
    for (let i = 0, at = strip; i < pairs; i++) {
      const right = at + <usize>(padLeft + inside) * columnBytes;
      padColumns(at, columnBytes, inputZeroPoint, padLeft);
      padColumns(right, columnBytes, inputZeroPoint, padRight);
      if (toSecond) {
        padColumns(at + toSecond, columnBytes, inputZeroPoint, padLeft);
        padColumns(right + toSecond, columnBytes, inputZeroPoint, padRight);
      }
      at += pairBytes;
    }
    for (let c = c0; c < c1; c += 8) {
      let filled = strip;
      if (!ASC_FEATURE_RELAXED_SIMD) {
        let g = 0;
        if (depthMultiplier === 1) {
          for (; g + 1 < groups; g += 2) {
            const groupRows = rows + <usize>(g * rowGroup() * 12);
            interleaveTwoGroups(inner + ((<usize>g) << 5), columnBytes, groupRows, inside, c);
          }
        }
        for (; g < groups; g++) {
          interleave(
            inner + ((<usize>g) << 5),
            columnBytes,
            rows + <usize>(g * rowGroup() * 12),
            inside,
            c,
            depthMultiplier,
            gatherBuffer(constants),
          );
        }
      } else if (toSecond && (c - c0) & 8) {
        filled += toSecond;
      } else {
        let at = inner;
        let pairRows = rows;
        for (let i = 0; i < pairs; i++) {
          for (let g = 0; g < groups; g++) {
            const groupRows = pairRows + <usize>(g * rowGroup() * 12);
            const group = at + ((<usize>g) << 5);
            if (toSecond && c1 - c > 8) {
              interleaveSixteen(group, toSecond, columnBytes, groupRows, inside, c);
            } else {
              interleave(group, columnBytes, groupRows, inside, c, depthMultiplier, gatherBuffer(constants));
            }
          }
          at += pairBytes;
          pairRows += pairStep;
        }
      }
      if (ASC_FEATURE_RELAXED_SIMD) {
        const isShort = runs === 1 && steps === 3 && width > 1;
        if (
          isShort &&
          packedRows === 2 &&
          pixelBytes === COLUMN_BYTES &&
          isReluFusedSingle(block, constants)
        ) {
          const to = out + c;
          const halves = strip + <usize>pairs * pairBytes;
          bothHalves(
            filled,
            pairBytes,
            block,
            head,
            c1 - c,
            constants,
            halves,
            to,
            outStep,
            outRowStep,
            width,
            outputRows,
          );
          block += blockBytes;
          continue;
        }
        let to = out + c;
        for (let left = outputRows; left > 0; left -= packedRows) {
          if (isShort && packedRows === 1 && isReluFusedSingle(block, constants)) {
            threeTaps(filled, pixelBytes, block, head, c1 - c, constants, to, outStep, width);
          } else if (
            left > 1 &&
            packedRows === 2 &&
            runs === 1 &&
            width > 4 &&
            octet.fitsTwoRowsByFives(width) &&
            isReluFusedSingle(block, constants)
          ) {
            if (isWholeRange(constants)) {
              octet.twoRowsByFives<i8>(
                filled,
                pixelBytes,
                steps,
                block,
                head,
                c1 - c,
                constants,
                to,
                outStep,
                outRowStep,
                width,
              );
            } else {
              octet.twoRowsByFives<i16>(
                filled,
                pixelBytes,
                steps,
                block,
                head,
                c1 - c,
                constants,
                to,
                outStep,
                outRowStep,
                width,
              );
            }
          } else if (left > 1 && packedRows === 2 && runs === 1 && width > 2) {
            octet.twoRows(
              filled,
              pixelBytes,
              steps,
              block,
              head,
              c1 - c,
              constants,
              to,
              outStep,
              outRowStep,
              width,
            );
          } else if (
            (left === 1 || packedRows === 1) &&
            runs === 1 &&
            octet.fitsFives(width) &&
            isReluFusedSingle(block, constants)
          ) {
            octet.oneRowByFives(
              filled,
              pixelBytes,
              steps,
              block,
              head,
              (<usize>packedRows) << 5,
              c1 - c,
              constants,
              to,
              outStep,
              width,
            );
          } else {
            octet.oneRow(
              filled,
              pixelBytes,
              tapJump,
              steps,
              runs,
              block,
              head,
              (<usize>packedRows) << 5,
              c1 - c,
              constants,
              to,
              outStep,
              width,
            );
            // Called twice, not in a loop: with one call the build inlines it here, and kws_dscnn takes 1.1 times as long.
            if (left > 1 && packedRows === 2) {
              octet.oneRow(
                filled,
                pixelBytes,
                tapJump,
                steps,
                runs,
                block,
                head + 32,
                (<usize>packedRows) << 5,
                c1 - c,
                constants,
                to + outRowStep,
                outStep,
                width,
              );
            }
          }
          filled += pairBytes;
          to += outRowStep << 1;
        }
        block += blockBytes;
        continue;
      }
      for (let half: usize = 0; half < 2; half++) {
        const left = c1 - c - ((<i32>half) << 2);
        if (left <= 0) break;
        const halfStrip = strip + (half << 4);
        const to = out + c + (half << 2);
        if (outputRows === 2) {
          twoRows(
            halfStrip,
            pixelBytes,
            tapJump,
            steps,
            runs,
            block,
            half,
            head,
            left,
            constants,
            to,
            outStep,
            outRowStep,
            width,
          );
        } else {
          oneRow(
            halfStrip,
            pixelBytes,
            tapJump,
            steps,
            runs,
            block,
            half,
            head,
            (<usize>packedRows) << 5,
            left,
            constants,
            to,
            outStep,
            width,
          );
        }
      }
      block += blockBytes;
    }
  } else {
    const slides = isSingle(constants) && fitsLanes(groups, kernelWidth, strideX, dilationX);
    // slideOf in src/plan/packing.ts.
    if (
      slides &&
      twiceMask(constants) === 0 &&
      depthMultiplier === 1 &&
      groups === kernelWidth &&
      strideX < 3
    ) {
      if (kernelWidth === 3 && padLeft < 2) {
        if (strideX === 1) {
          slideThree(
            rows,
            padLeft,
            inside,
            c0,
            c1,
            block,
            blockBytes,
            inputZeroPoint,
            constants,
            out,
            outStep,
            width,
          );
        } else {
          slideThreeHalved(
            rows,
            padLeft,
            inside,
            c0,
            c1,
            block,
            blockBytes,
            inputZeroPoint,
            constants,
            out,
            outStep,
            width,
          );
        }
        return;
      }
      if (kernelWidth === 5 || kernelWidth === 7) {
        slideWide(
          rows,
          kernelWidth,
          strideX,
          padLeft,
          inside,
          c0,
          c1,
          block,
          blockBytes,
          inputZeroPoint,
          constants,
          out,
          outStep,
          width,
        );
        return;
      }
    }
    if (slides) {
      slideRows(
        rows,
        groups,
        kernelWidth,
        strideX,
        padLeft,
        inside,
        c0,
        c1,
        depthMultiplier,
        pixelBytes,
        strip,
        block,
        blockBytes,
        inputZeroPoint,
        constants,
        out,
        outStep,
        width,
      );
    } else {
      scalarPixels(
        rows,
        groups,
        padLeft,
        inside,
        c0,
        c1,
        depthMultiplier,
        kernelWidth,
        strideX,
        dilationX,
        block,
        blockBytes,
        inputZeroPoint,
        constants,
        out,
        outStep,
        width,
      );
    }
  }
}

/** Plain, for what does not slide: `width` pixels of channels [c0, c1). Weights [ky][kx] behind the head. */
export function scalarPixels(
  rows: usize,
  kernelHeight: i32,
  padLeft: i32,
  inside: i32,
  c0: i32,
  c1: i32,
  depthMultiplier: i32,
  kernelWidth: i32,
  strideX: i32,
  dilationX: i32,
  block: usize,
  blockBytes: usize,
  zeroPoint: i32,
  constants: usize,
  out: usize,
  outStep: usize,
  width: i32,
): void {
  for (let c = c0; c < c1; c++) {
    const channel = c / depthMultiplier;
    const weights = block + SCALAR_HEAD;
    let to = out + c;
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let ky = 0; ky < kernelHeight; ky++) {
        const row = rows + <usize>(ky * 12);
        const pixels = <usize>load<u32>(row) + (channel & load<i32>(row, 8));
        const step = <usize>load<u32>(row, 4);
        for (let kx = 0; kx < kernelWidth; kx++) {
          const column = x * strideX + kx * dilationX - padLeft;
          const isInside = <u32>column < <u32>inside;
          const value = isInside ? <i32>load<i8>(pixels + <usize>column * step) : zeroPoint;
          sum += value * <i32>load<i8>(weights + (ky * kernelWidth + kx));
        }
      }
      storeScalar(sum, block, constants, to);
      to += outStep;
    }
    block += blockBytes;
  }
}
