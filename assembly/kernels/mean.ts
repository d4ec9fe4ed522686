import { MeanField } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { address, field, loadActivation, storeActivation } from "../record.ts";
import { loopOffset } from "./loops.ts";

/**
 *   out[n0, n1, n2, n3] = clamp(zOut + requantize(Σ in[n·stride + r·reducedStride] − count · zIn))
 *
 * in    int8, any strides; r runs over r0 × r1 × r2 × r3 = count values
 * out   int8, dense
 *
 * The multiplier carries 1 / count. No overflow while count ≤ 2^23: |Σ| + count · 128 ≤ 2^31.
 * Rounding: double, docs/numerics.md. Reference: TFLite reference/reduce.h, QuantizedMeanOrSum.
 */
export function mean(record: usize): void {
  const input = address(record, MeanField.input);
  const channels = field(record, MeanField.n3);
  const stride = field(record, MeanField.stride3);
  const outer = field(record, MeanField.n0) * field(record, MeanField.n1) * field(record, MeanField.n2);

  let out = address(record, MeanField.output);
  for (let i = 0; i < outer; i++) {
    const base = input + loopOffset(record, i * channels, MeanField.n0, MeanField.stride0);
    let c = 0;
    if (stride === 1) {
      for (; c + 4 <= channels; c += 4) meanOf4(record, base + <usize>c, out + <usize>c);
    }
    for (; c < channels; c++) meanOf1(record, base + <usize>(c * stride), out + <usize>c);
    out += <usize>channels;
  }
}

/** One output, from the values that begin at `base`. */
function meanOf1(record: usize, base: usize, out: usize): void {
  const length = field(record, MeanField.r3);
  const stride = address(record, MeanField.reducedStride3);
  const runs = field(record, MeanField.r0) * field(record, MeanField.r1) * field(record, MeanField.r2);
  let sum = 0;
  for (let run = 0; run < runs; run++) {
    let at = base + loopOffset(record, run * length, MeanField.r0, MeanField.reducedStride0);
    for (let i = 0; i < length; i++) {
      sum += loadActivation(at);
      at += stride;
    }
  }
  storeMean(record, out, sum);
}

/** Four neighbouring outputs whose inputs are neighbours too: each input row is walked once for all of them. */
function meanOf4(record: usize, base: usize, out: usize): void {
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
  storeMean(record, out, sum0);
  storeMean(record, out + 1, sum1);
  storeMean(record, out + 2, sum2);
  storeMean(record, out + 3, sum3);
}

function storeMean(record: usize, out: usize, sum: i32): void {
  const count =
    field(record, MeanField.r0) *
    field(record, MeanField.r1) *
    field(record, MeanField.r2) *
    field(record, MeanField.r3);
  const scaled = multiplyByQuantizedMultiplier(
    sum - count * field(record, MeanField.inputZeroPoint),
    field(record, MeanField.multiplier),
    field(record, MeanField.shift),
  );
  storeActivation(out, clamp(scaled + field(record, MeanField.outputZeroPoint), -128, 127));
}
