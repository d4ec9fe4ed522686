/** mcu: gates of an LSTM's step. */
import { storeGate } from "./gate-scalar.ts";
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

/** Prepares the scales of the gates' two matrices, each a multiplier and a shift, int32, for gateLanes. Returns whether one shifts left. */
export function prepareScales(scales: usize, staging: usize): bool {
  let left = 0;
  for (const end = staging + 2 * GATES * SCALE_BYTES; staging < end; staging += SCALE_BYTES) {
    const shift = load<i32>(scales, 4);
    store<i32>(staging, load<i32>(scales));
    left |= max(shift, 0);
    store<i32>(staging, max(shift, 0), 4);
    store<i32>(staging, 31 + max(-shift, 0), 8);
    scales += 8;
  }
  return left !== 0;
}

/** The left shifts of a block's sums, which wrap at 32 bits, as the reference's do. Few models have any. */
function shiftLeft(sums: usize, scale: usize): void {
  for (let gate = 0; gate < GATES; gate++) {
    const left = load<i32>(scale, 4);
    for (const end = sums + 4 * BLOCK_CELLS; sums < end; sums += 4) {
      const shifted: i32 = load<i32>(sums) << left;
      store<i32>(sums, shifted);
    }
    scale += SCALE_BYTES;
  }
}

/**
 *   gate[r] = clamp16(clamp16(requantize(b[r] + Wx[r] · x)) + clamp16(requantize(Wh[r] · h)))      four times `cells` int16, laneGateBytes apart
 *
 * `shiftsLeft` is what prepareScales returned. No proof here: requantisation is in int64, exact for any accumulator and multiplier. `staging` has
 * the scales, then room for the sums of two blocks, of x and of h, and for both as stageLanes leaves them.
 */
export function gateLanes(
  shiftsLeft: bool,
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
  const inputBlock = SUM_BYTES + laneBytes(depth);
  const hiddenBlock = SUM_BYTES + laneBytes(cells);
  const hiddenSums = staging + 2 * GATES * SCALE_BYTES;
  const sums = hiddenSums + SUM_BYTES;
  const stagedInput = sums + SUM_BYTES;
  const stagedHidden = stagedInput + laneVectorBytes(depth);
  stageLanes(stagedInput, x, depth);
  stageLanes(stagedHidden, hidden, cells);
  for (const end = gates + gateBytes; gates < end; gates += 2 * BLOCK_CELLS) {
    laneDots(stagedInput, depth, inputMatrices, inputMatrices + SUM_BYTES, sums);
    laneDots(stagedHidden, cells, hiddenMatrices, hiddenMatrices + SUM_BYTES, hiddenSums);
    inputMatrices += inputBlock;
    hiddenMatrices += hiddenBlock;
    if (shiftsLeft) {
      shiftLeft(sums, staging);
      shiftLeft(hiddenSums, staging + GATES * SCALE_BYTES);
    }
    let scale = staging;
    let gate = gates;
    let sum = sums;
    let hiddenSum = hiddenSums;
    do {
      const inputMultiplier = <i64>load<i32>(scale);
      const inputRight = <i64>load<i32>(scale, 8);
      const inputHalf = (<i64>1) << (inputRight - 1);
      const hiddenMultiplier = <i64>load<i32>(scale, GATES * SCALE_BYTES);
      const hiddenRight = <i64>load<i32>(scale, GATES * SCALE_BYTES + 8);
      const hiddenHalf = (<i64>1) << (hiddenRight - 1);
      // Three, BLOCK_CELLS, written out: a loop takes an interpreter five operations a turn.
      storeGate(
        gate,
        <i64>load<i32>(sum),
        <i64>load<i32>(hiddenSum),
        inputMultiplier,
        inputRight,
        inputHalf,
        hiddenMultiplier,
        hiddenRight,
        hiddenHalf,
      );
      storeGate(
        gate + 2,
        <i64>load<i32>(sum, 4),
        <i64>load<i32>(hiddenSum, 4),
        inputMultiplier,
        inputRight,
        inputHalf,
        hiddenMultiplier,
        hiddenRight,
        hiddenHalf,
      );
      storeGate(
        gate + 4,
        <i64>load<i32>(sum, 8),
        <i64>load<i32>(hiddenSum, 8),
        inputMultiplier,
        inputRight,
        inputHalf,
        hiddenMultiplier,
        hiddenRight,
        hiddenHalf,
      );
      sum += 4 * BLOCK_CELLS;
      hiddenSum += 4 * BLOCK_CELLS;
      gate += gateBytes;
      scale += SCALE_BYTES;
    } while (hiddenSum < hiddenSums + SUM_BYTES);
  }
}
