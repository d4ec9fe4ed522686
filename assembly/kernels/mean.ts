import { MeanField } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { loadEight, splatStored, storeEight } from "../micro/eight.ts";
import { scale4 } from "../micro/scale.ts";
import { address, field, ringRow } from "../record.ts";
import { loadActivation, storeActivation, storedActivation } from "../storage.ts";
import { loopOffset } from "./loops.ts";

/** Of bytes, signed or not: 128 · 255 < 2^15. */
const INT16_TERMS = 128;

/**
 *   out[y, n0, n1, n2, n3] = clamp(zOut + requantize(Σ in[y, n·stride + r·reducedStride] − count · zIn))
 *
 * in    int8 or int16, rows y in a ring, any strides within a row; r runs over r0 × r1 × r2 × r3 values
 * out   of the same type, rows dense
 *
 * With accumulators the sum also runs over all rows: each row's sums are added as it comes, the last makes the output.
 * The multiplier carries 1 / count. No overflow while count · (128 + |zIn|) ≤ 2^31, of int16 count · (32768 + |zIn|).
 * Rounding: double, docs/numerics.md. Reference: TFLite reference/reduce.h, QuantizedMeanOrSum.
 */
export function mean(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) meanRow(record, y, 1);
}

export function meanInt16(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) meanRow(record, y, 2);
}

/** A row of elements of so many bytes. */
function meanRow(record: usize, y: i32, bytes: usize): void {
  const input = ringRow(record, MeanField.input, MeanField.inputRowBytes, y);
  const channels = field(record, MeanField.n3);
  const stride = field(record, MeanField.stride3);
  const outer = field(record, MeanField.n0) * field(record, MeanField.n1) * field(record, MeanField.n2);

  const sums = address(record, MeanField.accumulators);
  if (sums !== 0 && y === 0) memory.fill(sums, 0, (<usize>(outer * channels)) << 2);
  let out = ringRow(record, MeanField.output, MeanField.outputRowBytes, sums === 0 ? y : 0);
  for (let i = 0; i < outer; i++) {
    const base = input + loopOffset(record, i * channels, MeanField.n0, MeanField.stride0);
    const first = i * channels;
    let c = 0;
    if (ASC_FEATURE_SIMD && stride === 1 && bytes === 1) {
      for (; c + 8 <= channels; c += 8)
        meanOf8(record, base + <usize>c, y, sumAt(sums, first + c), out + <usize>c);
    } else if (stride === 1 && bytes === 1) {
      for (; c + 4 <= channels; c += 4)
        meanOf4(record, base + <usize>c, y, sumAt(sums, first + c), out + <usize>c);
    }
    for (; c < channels; c++)
      meanOf1(record, base + <usize>(c * stride), y, sumAt(sums, first + c), out + <usize>c * bytes, bytes);
    out += <usize>channels * bytes;
  }
}

/** One output, from the values that begin at `base`. */
function meanOf1(record: usize, base: usize, y: i32, kept: usize, out: usize, bytes: usize): void {
  const length = field(record, MeanField.r3);
  const stride = address(record, MeanField.reducedStride3);
  const runs = field(record, MeanField.r0) * field(record, MeanField.r1) * field(record, MeanField.r2);
  let sum = 0;
  for (let run = 0; run < runs; run++) {
    let at = base + loopOffset(record, run * length, MeanField.r0, MeanField.reducedStride0);
    for (let i = 0; i < length; i++) {
      sum += bytes === 2 ? <i32>load<i16>(at) : loadActivation(at);
      at += stride;
    }
  }
  keepOrStore(record, y, kept, out, sum, bytes);
}

/** Four neighbouring int8 outputs whose inputs are neighbours too: each input row is walked once for all of them. */
function meanOf4(record: usize, base: usize, y: i32, kept: usize, out: usize): void {
  const length = field(record, MeanField.r3);
  const stride = address(record, MeanField.reducedStride3);
  const runs = field(record, MeanField.r0) * field(record, MeanField.r1) * field(record, MeanField.r2);
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (let run = 0; run < runs; run++) {
    let at = base + loopOffset(record, run * length, MeanField.r0, MeanField.reducedStride0);
    for (let i = 0; i < length; i++) {
      sum0 += loadActivation(at);
      sum1 += loadActivation(at + 1);
      sum2 += loadActivation(at + 2);
      sum3 += loadActivation(at + 3);
      at += stride;
    }
  }
  keepOrStore(record, y, kept, out, sum0, 1);
  keepOrStore(record, y, sumAt(kept, 1), out + 1, sum1, 1);
  keepOrStore(record, y, sumAt(kept, 2), out + 2, sum2, 1);
  keepOrStore(record, y, sumAt(kept, 3), out + 3, sum3, 1);
}

/**
 * As meanOf4, of eight outputs, with sums in storage form. Requantisation in int64 is exact for any sum: docs/numerics.md. Beyond int16 the sum with the zero point
 * saturates, and so does the output.
 */
function meanOf8(record: usize, base: usize, y: i32, kept: usize, out: usize): void {
  const length = field(record, MeanField.r3);
  const stride = address(record, MeanField.reducedStride3);
  const runs = field(record, MeanField.r0) * field(record, MeanField.r1) * field(record, MeanField.r2);
  let low = i32x4.splat(0);
  let high = low;
  for (let run = 0; run < runs; run++) {
    let at = base;
    // Most have one run; the offset takes as long as a short one.
    if (run > 0) at += loopOffset(record, run * length, MeanField.r0, MeanField.reducedStride0);
    // In int16 as many as are below 2^15 whatever they are: half the work of int32.
    for (let left = length; left > 0; left -= INT16_TERMS) {
      let sum = i16x8.splat(0);
      for (let i = min(left, INT16_TERMS); i > 0; i--) {
        sum = i16x8.add(sum, loadEight(at));
        at += stride;
      }
      low = i32x4.add(low, i32x4.extend_low_i16x8_s(sum));
      high = i32x4.add(high, i32x4.extend_high_i16x8_s(sum));
    }
  }
  if (kept !== 0) {
    low = i32x4.add(low, v128.load(kept));
    high = i32x4.add(high, v128.load(kept, 16));
    v128.store(kept, low);
    v128.store(kept, high, 16);
    if (y + 1 < field(record, MeanField.rows)) return;
  }
  const zeroPoints = i32x4.splat(countOf(record) * storedActivation(field(record, MeanField.inputZeroPoint)));
  const multiplier = field(record, MeanField.multiplier);
  const shift = field(record, MeanField.shift);
  const left = max(shift, 0);
  const values = i16x8.narrow_i32x4_s(
    scale4(i32x4.sub(low, zeroPoints), multiplier, left, left - shift),
    scale4(i32x4.sub(high, zeroPoints), multiplier, left, left - shift),
  );
  const zeroPoint = splatStored(field(record, MeanField.outputZeroPoint));
  storeEight(out, i16x8.add_sat_s(values, zeroPoint), splatStored(-128), splatStored(127));
}

/** Values that a sum is of. */
function countOf(record: usize): i32 {
  return (
    field(record, MeanField.rows) *
    field(record, MeanField.r0) *
    field(record, MeanField.r1) *
    field(record, MeanField.r2) *
    field(record, MeanField.r3)
  );
}

/** The accumulator of output `index`; 0 where there are none. */
function sumAt(sums: usize, index: i32): usize {
  return sums === 0 ? 0 : sums + ((<usize>index) << 2);
}

/** Adds a row's sum to the accumulator at `kept` (0: none), and stores the mean unless more rows are to come. */
function keepOrStore(record: usize, y: i32, kept: usize, out: usize, sum: i32, bytes: usize): void {
  const rows = field(record, MeanField.rows);
  if (kept !== 0) {
    sum += load<i32>(kept);
    store<i32>(kept, sum);
    if (y + 1 < rows) return;
  }
  const scaled = multiplyByQuantizedMultiplier(
    sum - countOf(record) * field(record, MeanField.inputZeroPoint),
    field(record, MeanField.multiplier),
    field(record, MeanField.shift),
  );
  const value = scaled + field(record, MeanField.outputZeroPoint);
  if (bytes === 2) store<i16>(out, <i16>clamp(value, -32768, 32767));
  else storeActivation(out, clamp(value, -128, 127));
}
