import { UnidirectionalSequenceLstmField as Field } from "../../src/plan/format.ts";
import { stage, stagedElementBytes } from "../micro/staging.ts";
import { gateLanes, laneGateBytes, laneMatrixBytes, prepareScales } from "../micro/lstm-lanes.ts";
import { updateCells } from "../micro/lstm-strip.ts";
import { matrixBytes, matrixInt16RowBytes, matrixRows, matrixRowsInt16 } from "../micro/matrix-strip.ts";
import { address, field } from "../record.ts";

/** SIGMOID_TABLE_BYTES and GATE_SCALE_BYTES in src/plan/recurrent-packing.ts. */
const TABLE_BYTES: usize = 512;
const SCALES_BYTES: usize = 64;
const GATES = 4;

/**
 * For every batch and step t, g one of forget, input, cell, output:
 *
 *   a_g = clamp16(clamp16(requantize(b_g + Wx_g · (x[t] − zx))) + clamp16(requantize(Wh_g · (h − zh))))       Q3.12
 *   f, i, o = sigmoid(a)   g = tanh(a)                                                                        Q0.15
 *   c = clip(clamp16(clamp16(requantize(f · c)) + clamp16(requantize(i · g))))
 *   out[t] = h = clamp(zh + requantize(tanh(c) · o))
 *
 * x     int8 or int16 [batch, time, inDepth], or time first       out, h  the same type, [batch, time, cells] and [batch, cells]
 * Wx    int8 [cells, inDepth]    Wh  int8 [cells, cells]    b  int32, int64 with int16; zero points are folded in
 * c     int16 [batch, cells], scale a power of two
 *
 * h and c live on after the record. Sums of int8 wrap as the reference's do beyond 2^31. Reference: TFLM lstm_eval.h.
 */
export function unidirectionalSequenceLstm(record: usize): void {
  const batches = field(record, Field.batches);
  const steps = field(record, Field.steps);
  const cells = field(record, Field.cells);
  const elementBytes = field(record, Field.elementBytes);
  const inputDepth = field(record, Field.inputDepth);
  const weights = address(record, Field.weights);
  const scales = weights + TABLE_BYTES;
  const inputMatrices = scales + SCALES_BYTES;
  const hiddenMatrices = inputMatrices + matricesBytes(cells, inputDepth, elementBytes);
  const gateBytes = gateRowBytes(cells);
  const gates = address(record, Field.scratch);
  const staging = gates + <usize>GATES * gateBytes;
  const isInLanes = !ASC_FEATURE_SIMD && elementBytes === 1;
  const shiftsLeft = isInLanes && prepareScales(scales, staging);
  for (let n = 0; n < batches; n++) {
    const hidden = address(record, Field.hidden) + <usize>(n * cells * elementBytes);
    const cell = address(record, Field.cell) + <usize>(n * cells * 2);
    let x = address(record, Field.input) + <usize>n * address(record, Field.inputBatchBytes);
    let out = address(record, Field.output) + <usize>n * address(record, Field.outputBatchBytes);
    for (let t = 0; t < steps; t++) {
      if (isInLanes) {
        gateLanes(shiftsLeft, x, inputDepth, inputMatrices, hidden, cells, hiddenMatrices, staging, gates);
      } else {
        gateRows(x, inputDepth, elementBytes, inputMatrices, scales, cells, staging, gates, false);
        gateRows(hidden, cells, elementBytes, hiddenMatrices, scales + 32, cells, staging, gates, true);
      }
      updateCells(
        weights,
        gates,
        gateBytes,
        cell,
        hidden,
        out,
        cells,
        elementBytes,
        field(record, Field.cellLeftShift),
        field(record, Field.cellClip),
        field(record, Field.updateMultiplier),
        field(record, Field.updateShift),
        field(record, Field.hiddenMultiplier),
        field(record, Field.hiddenShift),
        field(record, Field.hiddenZeroPoint),
      );
      x += address(record, Field.inputStepBytes);
      out += address(record, Field.outputStepBytes);
    }
  }
}

/** Bytes of one gate of a step. */
function gateRowBytes(cells: i32): usize {
  return ASC_FEATURE_SIMD ? ((<usize>cells + 7) & ~7) << 1 : laneGateBytes(cells);
}

/** Bytes of the matrices of all gates that are multiplied with a vector of `depth` elements. */
function matricesBytes(cells: i32, depth: i32, elementBytes: i32): usize {
  if (elementBytes !== 1) return <usize>(GATES * cells) * matrixInt16RowBytes(depth);
  return ASC_FEATURE_SIMD ? <usize>GATES * matrixBytes(cells, depth) : laneMatrixBytes(cells, depth);
}

/** All gates' products with one vector, stored or added. */
function gateRows(
  vector: usize,
  depth: i32,
  elementBytes: i32,
  matrix: usize,
  scales: usize,
  cells: i32,
  staging: usize,
  gates: usize,
  adds: bool,
): void {
  if (elementBytes === 1 && stagedElementBytes() > 1) {
    stage(staging, vector, depth);
    vector = staging;
  }
  const bytes = matricesBytes(cells, depth, elementBytes) / GATES;
  for (let gate = 0; gate < GATES; gate++) {
    const multiplier = load<i32>(scales);
    const shift = load<i32>(scales, 4);
    if (ASC_FEATURE_SIMD && elementBytes === 1) {
      matrixRows(vector, depth, matrix, cells, multiplier, shift, gates, adds);
    } else {
      matrixRowsInt16(vector, depth, matrix, cells, multiplier, shift, gates, adds);
    }
    matrix += bytes;
    scales += 8;
    gates += gateRowBytes(cells);
  }
}
