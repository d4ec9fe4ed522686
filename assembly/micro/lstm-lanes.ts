/** mcu: gates of an LSTM's step. */
import { TWICE } from "../fixed-point.ts";
import { LANE_ROWS, laneBytes, laneDots, laneVectorBytes, stageLanes, SUM_BYTES } from "./lane-rows.ts";

const GATES = 4;
/** Rows of each gate's matrix in a block. */
const BLOCK_CELLS = LANE_ROWS / GATES;
/** Of one scale: int32 multiplier, left and right shift. LANE_SCALE_BYTES of src/plan/recurrent-packing.ts. */
const SCALE_BYTES: usize = 12;

/** Bytes of one gate of `cells` cells, int16, whole blocks. */
export function laneGateBytes(cells: i32): usize {
  return <usize>blocksOf(cells) * (2 * BLOCK_CELLS);
}

/** Bytes of the four matrices that are multiplied with a vector of `depth` elements. */
export function laneMatrixBytes(cells: i32, depth: i32): usize {
  return <usize>blocksOf(cells) * (SUM_BYTES + laneBytes(depth));
}

function blocksOf(cells: i32): i32 {
  return (cells + (BLOCK_CELLS - 1)) / BLOCK_CELLS;
}

/** Prepares the scales of the gates' two matrices, each a multiplier and a shift, int32, for gateLanes. */
export function prepareScales(scales: usize, staging: usize): void {
  for (const end = staging + 2 * GATES * SCALE_BYTES; staging < end; staging += SCALE_BYTES) {
    const shift = load<i32>(scales, 4);
    store<i32>(staging, load<i32>(scales));
    store<i32>(staging, max(shift, 0), 4);
    store<i32>(staging, 31 + max(-shift, 0), 8);
    scales += 8;
  }
}

/**
 *   gate[r] = clamp16(clamp16(requantize(b[r] + Wx[r] · x)) + clamp16(requantize(Wh[r] · h)))      four times `cells` int16, laneGateBytes apart
 *
 * No proof here: requantisation is in int64, exact for any accumulator and multiplier. `staging` has the scales, then room for the sums of two
 * blocks and for both vectors, as stageLanes leaves them.
 */
export function gateLanes(
  x: usize,
  depth: i32,
  inputMatrices: usize,
  hidden: usize,
  cells: i32,
  hiddenMatrices: usize,
  staging: usize,
  gates: usize,
): void {
  const gateBytes = laneGateBytes(cells);
  const sums = staging + 2 * GATES * SCALE_BYTES;
  const stagedInput = sums + 2 * SUM_BYTES;
  const stagedHidden = stagedInput + laneVectorBytes(depth);
  stageLanes(stagedInput, x, depth);
  stageLanes(stagedHidden, hidden, cells);
  for (const end = gates + gateBytes; gates < end; gates += 2 * BLOCK_CELLS) {
    laneDots(stagedInput, depth, inputMatrices, inputMatrices + SUM_BYTES, sums);
    laneDots(stagedHidden, cells, hiddenMatrices, hiddenMatrices + SUM_BYTES, sums + SUM_BYTES);
    inputMatrices += SUM_BYTES + laneBytes(depth);
    hiddenMatrices += SUM_BYTES + laneBytes(cells);
    let scale = staging;
    let gate = gates;
    let sum = sums;
    do {
      const inputMultiplier = <i64>load<i32>(scale);
      const inputLeft = load<i32>(scale, 4);
      const inputRight = <i64>load<i32>(scale, 8);
      const inputHalf = (<i64>1) << (inputRight - 1);
      const hiddenMultiplier = <i64>load<i32>(scale, GATES * SCALE_BYTES);
      const hiddenLeft = load<i32>(scale, GATES * SCALE_BYTES + 4);
      const hiddenRight = <i64>load<i32>(scale, GATES * SCALE_BYTES + 8);
      const hiddenHalf = (<i64>1) << (hiddenRight - 1);
      const row = sum + 4 * BLOCK_CELLS;
      do {
        // By names of int32, whose shifts wrap: within an expression of int64 the compiler loads an int64.
        const inputSum: i32 = load<i32>(sum);
        const hiddenSum: i32 = load<i32>(sum, SUM_BYTES);
        // Where TWICE does not hold, beyond 2^30, the result is beyond int16 as well.
        const scaledInput = (<i64>(inputSum << inputLeft) * inputMultiplier + (1 << 30)) >> 31;
        const ofInput = (scaledInput * TWICE + inputHalf) >> inputRight;
        const scaledHidden = (<i64>(hiddenSum << hiddenLeft) * hiddenMultiplier + (1 << 30)) >> 31;
        const ofHidden = (scaledHidden * TWICE + hiddenHalf) >> hiddenRight;
        const both = ofInput + ofHidden;
        store<i16>(gate, <i16>both);
        // One test for all three, and stored twice where it fails: a clamp of an int64 is four operations of an interpreter, and a local that a
        // branch changes two.
        if (<u64>((ofInput + 32768) | (ofHidden + 32768) | (both + 32768)) > 65535) {
          store<i16>(gate, <i16>clamp16(clamp16(ofInput) + clamp16(ofHidden)));
        }
        sum += 4;
        gate += 2;
      } while (sum < row);
      gate += gateBytes - 2 * BLOCK_CELLS;
      scale += SCALE_BYTES;
    } while (sum < sums + SUM_BYTES);
  }
}

function clamp16(value: i64): i64 {
  return min<i64>(max<i64>(value, -32768), 32767);
}
