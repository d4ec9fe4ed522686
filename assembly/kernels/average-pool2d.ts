import { AveragePool2dField, View } from "../../src/plan/format.ts";
import { clamp } from "../fixed-point.ts";
import { averages, MAX_CELLS } from "../micro/average.ts";
import { loadValues, splatStored, storeEight } from "../micro/eight.ts";
import { address, field, rowAddress } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";
import { pool2d } from "./pool2d.ts";

/**
 *   out[n, y, x, c] = clamp((s ± count / 2) / count)   s = Σ_ky Σ_kx in[n, y·sy + ky − padTop, x·sx + kx − padLeft, c]
 *
 * over the `count` cells that lie in the input; the sign is that of s, divisions truncate: half away from zero. Input
 * and output share scale and zero point. No overflow while count ≤ 2^23.
 * With accumulators the one window is the whole input, and rows [y0, y1) are the input's: each is added as it comes, the
 * last makes the output.
 *
 * Reference: TFLite reference/integer_ops/pooling.h, AveragePool.
 */
export function averagePool2d(record: usize, y0: i32, y1: i32): void {
  const sums = address(record, AveragePool2dField.accumulators);
  if (sums === 0) pool2d(record, y0, y1, false);
  else accumulateRows(record, sums, y0, y1);
}

/** By accumulators, int32 [channels] at `sums`. */
export function accumulateRows(record: usize, sums: usize, y0: i32, y1: i32): void {
  const input = record + (AveragePool2dField.inputView << 2);
  const height = field(input, View.height);
  const channels = field(input, View.channels);
  if (y0 === 0) memory.fill(sums, 0, (<usize>channels) << 2);
  for (let y = y0; y < y1; y++) addRow(sums, input, y, channels);
  if (y1 === height) storeAverages(record, sums, height * field(input, View.width), channels);
}

function addRow(sums: usize, input: usize, y: i32, channels: i32): void {
  const pixelBytes = address(input, View.pixelBytes);
  const end = sums + ((<usize>channels) << 2);
  let pixel = rowAddress(input, y, 0);
  for (let x = field(input, View.width); x > 0; x--) {
    let at = pixel;
    let sum = sums;
    if (ASC_FEATURE_SIMD) {
      for (; sum + 32 <= end; sum += 32) {
        const values = loadValues(at);
        v128.store(sum, i32x4.add(v128.load(sum), i32x4.extend_low_i16x8_s(values)));
        v128.store(sum, i32x4.add(v128.load(sum, 16), i32x4.extend_high_i16x8_s(values)), 16);
        at += 8;
      }
    }
    for (; sum < end; sum += 4) store<i32>(sum, load<i32>(sum) + loadActivation(at++));
    pixel += pixelBytes;
  }
}

function storeAverages(record: usize, sums: usize, count: i32, channels: i32): void {
  const out = rowAddress(record + (AveragePool2dField.outputView << 2), 0, 0);
  const half = count >> 1;
  const activationMin = field(record, AveragePool2dField.activationMin);
  const activationMax = field(record, AveragePool2dField.activationMax);
  let c = 0;
  if (ASC_FEATURE_SIMD && count <= MAX_CELLS) {
    for (; c + 8 <= channels; c += 8) {
      const at = sums + ((<usize>c) << 2);
      const values = averages(v128.load(at), v128.load(at, 16), count);
      storeEight(out + <usize>c, values, splatStored(activationMin), splatStored(activationMax));
    }
  }
  for (; c < channels; c++) {
    const sum = load<i32>(sums + ((<usize>c) << 2));
    const average = (sum > 0 ? sum + half : sum - half) / count;
    storeActivation(out + <usize>c, clamp(average, activationMin, activationMax));
  }
}
