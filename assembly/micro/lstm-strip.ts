import { TWICE } from "../fixed-point.ts";
import { scale4 } from "./scale.ts";
import { sigmoidByTable, tanhByTable } from "./sigmoid-scalar.ts";
import { sigmoid4, tanh4 } from "./sigmoid-table.ts";
import { UNSIGNED, storeActivation } from "../storage.ts";

/** MultiplyByQuantizedMultiplier's form of 2^-15: forget gate · cell state → cell state. */
const FORGET_MULTIPLIER = 1 << 30;
const FORGET_SHIFT = -14;
/** The same by TWICE, of half the product. */
const FORGET_RIGHT: i64 = 45;
const FORGET_HALF: i64 = 1 << 44;

/**
 * One step of `cells` cells from their gates before activation, int16, forget, input, cell, output, `gateBytes` apart:
 *
 *   c = clip(clamp16(clamp16(f · c) + clamp16(i · g)))      h = clamp(zeroPoint + tanh(c) · o)
 *
 * `cell` is read and written, h goes to `hidden` and `out`, of `elementBytes`. `left` (negative: right) shifts c to Q3.12.
 * The formulas and their rounding: kernels/unidirectional-sequence-lstm.ts.
 */
export function updateCells(
  table: usize,
  gates: usize,
  gateBytes: usize,
  cell: usize,
  hidden: usize,
  out: usize,
  cells: i32,
  elementBytes: i32,
  left: i32,
  clip: i32,
  updateMultiplier: i32,
  updateShift: i32,
  hiddenMultiplier: i32,
  hiddenShift: i32,
  zeroPoint: i32,
): void {
  const factor = left > 0 ? 3 << left : 3;
  const right = left < 0 ? -left : 0;
  const half = (1 << right) >> 1;
  const updateLeft = max(updateShift, 0);
  const hiddenLeft = max(hiddenShift, 0);
  const low = max(-clip, -32768);
  const high = min(clip, 32767);
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 4 <= cells; i += 4) {
      const forget = sigmoid4(times3(gates), table);
      const input = sigmoid4(times3(gates + gateBytes), table);
      const fresh = tanh4(times3(gates + 2 * gateBytes), table);
      const output = sigmoid4(times3(gates + 3 * gateBytes), table);
      const before = i32x4.mul(forget, v128.load_ext<i16>(cell));
      const kept = scale4(before, FORGET_MULTIPLIER, 0, -FORGET_SHIFT);
      const product = i32x4.mul(input, fresh);
      const added = scale4(product, updateMultiplier, updateLeft, updateLeft - updateShift);
      // Narrowing and adding clamp to int16.
      const sum = i16x8.add_sat_s(i16x8.narrow_i32x4_s(kept, kept), i16x8.narrow_i32x4_s(added, added));
      const state = i16x8.min_s(i16x8.max_s(sum, i16x8.splat(<i16>low)), i16x8.splat(<i16>high));
      v128.store_lane<i64>(cell, state, 0);
      const wide = i32x4.mul(i32x4.extend_low_i16x8_s(state), i32x4.splat(factor));
      const activated = tanh4(i32x4.shr_s(i32x4.add(wide, i32x4.splat(half)), right), table);
      const emitted = i32x4.mul(activated, output);
      const scaled = scale4(emitted, hiddenMultiplier, hiddenLeft, hiddenLeft - hiddenShift);
      storeFour(hidden, out, i32x4.add(scaled, i32x4.splat(zeroPoint)), elementBytes);
      gates += 8;
      cell += 8;
      hidden += (<usize>elementBytes) << 2;
      out += (<usize>elementBytes) << 2;
    }
  }
  const updateRight = <i64>(31 + updateLeft - updateShift);
  const updateHalf = (<i64>1) << (updateRight - 1);
  const hiddenRight = <i64>(31 + hiddenLeft - hiddenShift);
  const hiddenHalf = (<i64>1) << (hiddenRight - 1);
  const range = <u32>(high - low);
  // Products are scaled as sums in lstm-lanes.ts. A multiplier made of float32 scales is 2^31 − 256 at most, so that adding the zero point does
  // not wrap.
  for (; i < cells; i++) {
    // 3 · 2^15 < SIGMOID_LIMIT.
    const forget = sigmoidByTable(3 * load<i16>(gates), table);
    const input = sigmoidByTable(3 * load<i16>(gates + gateBytes), table);
    const fresh = tanhByTable(3 * load<i16>(gates + 2 * gateBytes), table);
    const output = sigmoidByTable(3 * load<i16>(gates + 3 * gateBytes), table);
    // Within int16, as the forget gate is below 2^15.
    const kept = <i32>((<i64>((forget * load<i16>(cell) + 1) >> 1) * TWICE + FORGET_HALF) >> FORGET_RIGHT);
    const product = (<i64>((input * fresh) << updateLeft) * updateMultiplier + (1 << 30)) >> 31;
    const added = <i32>((product * TWICE + updateHalf) >> updateRight);
    // Clamps where a test says so: one of an interpreter's numbers is a dozen operations.
    let state = kept + added;
    if (<u32>(added + 32768) > 65535 || <u32>(state - low) > range) {
      state = min(max(kept + min(max(added, -32768), 32767), low), high);
    }
    store<i16>(cell, <i16>state);
    const activated = tanhByTable((state * factor + half) >> right, table);
    const emitted = (<i64>((activated * output) << hiddenLeft) * hiddenMultiplier + (1 << 30)) >> 31;
    let value = <i32>((emitted * TWICE + hiddenHalf) >> hiddenRight) + zeroPoint;
    if (elementBytes === 1) {
      if (<u32>(value + 128) > 255) value = min(max(value, -128), 127);
      storeActivation(hidden, value);
      storeActivation(out, value);
    } else {
      if (<u32>(value + 32768) > 65535) value = min(max(value, -32768), 32767);
      store<i16>(hidden, <i16>value);
      store<i16>(out, <i16>value);
    }
    gates += 2;
    cell += 2;
    hidden += elementBytes;
    out += elementBytes;
  }
}

/** Four int16, times 3. */
function times3(at: usize): v128 {
  return i32x4.mul(v128.load_ext<i16>(at), i32x4.splat(3));
}

/** Four values, clamped, in storage form. */
function storeFour(hidden: usize, out: usize, values: v128, elementBytes: i32): void {
  if (elementBytes === 2) {
    const narrow = i16x8.narrow_i32x4_s(values, values);
    v128.store_lane<i64>(hidden, narrow, 0);
    v128.store_lane<i64>(out, narrow, 0);
    return;
  }
  const narrow = i16x8.narrow_i32x4_s(values, values);
  const bytes = UNSIGNED
    ? i8x16.narrow_i16x8_u(i16x8.add_sat_s(narrow, i16x8.splat(128)), narrow)
    : i8x16.narrow_i16x8_s(narrow, narrow);
  v128.store_lane<i32>(hidden, bytes, 0);
  v128.store_lane<i32>(out, bytes, 0);
}
