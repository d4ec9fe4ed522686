import { SvdfField as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier } from "../fixed-point.ts";
import { stage, stagedElementBytes } from "../micro/staging.ts";
import { LANE_ROWS, laneBytes, laneDots, stageLanes, SUM_BYTES } from "../micro/lane-rows.ts";
import { matrixRows } from "../micro/matrix-strip.ts";
import { address, field } from "../record.ts";
import { loadActivation, storeActivation } from "../storage.ts";

/**
 *   s[b, f] moves on by one, and its last becomes zs + clamp(requantize(Σ_i wf[f, i] · (in[b, i] − zIn)))
 *   out[b, u] = clamp(zOut + requantize(bias[u] + Σ_r Σ_m wt[u · rank + r, m] · (s[b, u · rank + r, m] − zs)))
 *
 * in    int8 [batch, inDepth]             wf    int8 [filters, inDepth], zIn folded into its bias
 * s     int8 or int16 [batch, filters, memory], lives on after the record
 * wt    of the state's type [filters, memory]     bias  int32 [filters / rank]
 * out   int8 [batch, filters / rank]; a fused activation is not applied
 *
 * The whole state moves, so that the oldest value of a filter becomes the last of the one before, which is overwritten. The
 * state's zero point is added after the clamp, and wraps; sums wrap beyond 2^31: both as in the reference, TFLM svdf_common.cc.
 */
export function svdf(record: usize): void {
  const batches = field(record, Field.batches);
  const inputDepth = field(record, Field.inputDepth);
  const filters = field(record, Field.filters);
  const units = filters / field(record, Field.rank);
  const rank = field(record, Field.rank);
  const memory = field(record, Field.memory);
  const stateBytes = field(record, Field.stateBytes);
  const features = address(record, Field.scratch);
  const staging = features + featureBytes(filters);
  const bias = address(record, Field.weights);
  const time = bias + ((((<usize>units) << 2) + 15) & ~15);
  const filterBytes = <usize>(memory * stateBytes);
  const matrix = time + ((<usize>filters * filterBytes + 15) & ~15);
  let state = address(record, Field.state);
  let input = address(record, Field.input);
  let output = address(record, Field.output);
  shiftState(state, <usize>batches * <usize>filters * filterBytes, stateBytes);
  for (let n = 0; n < batches; n++) {
    featureRows(record, input, inputDepth, matrix, filters, features, staging);
    storeFeatures(record, features, state + filterBytes - <usize>stateBytes, filters, filterBytes);
    let weights = time;
    for (let u = 0; u < units; u++) {
      const sum = load<i32>(bias + ((<usize>u) << 2)) + remembered(record, weights, state, rank * memory);
      const scaled = multiplyByQuantizedMultiplier(
        sum,
        field(record, Field.outputMultiplier),
        field(record, Field.outputShift),
      );
      storeActivation(output + u, clamp(scaled + field(record, Field.outputZeroPoint), -128, 127));
      weights += <usize>rank * filterBytes;
      state += <usize>rank * filterBytes;
    }
    input += inputDepth;
    output += units;
  }
}

/** Bytes of one batch's features. */
function featureBytes(filters: i32): usize {
  return ASC_FEATURE_SIMD
    ? ((<usize>filters + 7) & ~7) << 1
    : <usize>((filters + (LANE_ROWS - 1)) / LANE_ROWS) * (2 * LANE_ROWS);
}

/** All filters' products with one batch's input. */
function featureRows(
  record: usize,
  vector: usize,
  depth: i32,
  matrix: usize,
  filters: i32,
  features: usize,
  staging: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    if (stagedElementBytes() > 1) {
      stage(staging, vector, depth);
      vector = staging;
    }
    const multiplier = field(record, Field.featureMultiplier);
    matrixRows(
      vector,
      depth,
      matrix,
      filters,
      multiplier,
      field(record, Field.featureShift),
      features,
      false,
    );
  } else {
    laneFeatures(record, vector, depth, matrix, features, staging);
  }
}

/** mcu: the same, twelve at a time; their sums are behind all features. */
function laneFeatures(
  record: usize,
  vector: usize,
  depth: i32,
  block: usize,
  features: usize,
  sums: usize,
): void {
  const staging = sums + SUM_BYTES;
  stageLanes(staging, vector, depth);
  while (features < sums) {
    laneDots(staging, depth, block, block + SUM_BYTES, sums);
    for (let sum = sums; sum < staging; sum += 4) {
      const scaled = multiplyByQuantizedMultiplier(
        load<i32>(sum),
        field(record, Field.featureMultiplier),
        field(record, Field.featureShift),
      );
      store<i16>(features, <i16>clamp(scaled, -32768, 32767));
      features += 2;
    }
    block += SUM_BYTES + laneBytes(depth);
  }
}

function shiftState(state: usize, bytes: usize, elementBytes: i32): void {
  memory.copy(state, state + elementBytes, bytes - elementBytes);
}

/** Each filter's feature, as the newest value of its state. */
function storeFeatures(
  record: usize,
  features: usize,
  newest: usize,
  filters: i32,
  filterBytes: usize,
): void {
  const zeroPoint = field(record, Field.stateZeroPoint);
  const isInt8 = field(record, Field.stateBytes) === 1;
  for (let f = 0; f < filters; f++) {
    const feature = <i32>load<i16>(features);
    if (isInt8) storeActivation(newest, <i32>(<i8>(clamp(feature, -128, 127) + zeroPoint)));
    else store<i16>(newest, <i16>(feature + zeroPoint));
    features += 2;
    newest += filterBytes;
  }
}

/** Σ w[i] · (s[i] − zs). */
function remembered(record: usize, weights: usize, state: usize, count: i32): i32 {
  const zeroPoint = field(record, Field.stateZeroPoint);
  let sum = 0;
  if (field(record, Field.stateBytes) === 1) {
    for (let i = 0; i < count; i++) {
      sum += <i32>load<i8>(weights + i) * (loadActivation(state + i) - zeroPoint);
    }
  } else {
    for (let i = 0; i < count; i++) {
      const at = (<usize>i) << 1;
      sum += <i32>load<i16>(weights + at) * (<i32>load<i16>(state + at) - zeroPoint);
    }
  }
  return sum;
}
