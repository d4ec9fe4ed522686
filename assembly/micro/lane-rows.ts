/** mcu: a matrix times one vector, three rows to an int64: recurrent layers, and fully connected ones. */
import { addLanes } from "./add-lanes.ts";
import { BYTE_LANES, LANE_ZERO, ONES } from "./lanes.ts";

/** Rows that are multiplied together: LANE_ROWS of src/plan/lane-rows.ts. */
export const LANE_ROWS = 12;
/** Bytes of their sums. */
export const SUM_BYTES: usize = 4 * LANE_ROWS;
/** Elements whose weights lie together, 16 bytes for three rows. */
const GROUP_ELEMENTS = 4;
const GROUP_BYTES: usize = 64;
/** Bytes of as many elements as stageLanes leaves them. */
const STAGED_BYTES: usize = 12;
/** The last word is loaded with a byte that is behind it. */
const TAIL_BYTES: usize = 4;
/** Elements that lanes hold the sums of, whatever they are: CHUNK_ELEMENTS there. */
const CHUNK_ELEMENTS = 64;

/** Bytes of twelve rows: laneBytes there. */
export function laneBytes(depth: i32): usize {
  return <usize>groupsOf(depth) * GROUP_BYTES + TAIL_BYTES;
}

/** Bytes of what stageLanes writes: laneVectorBytes there. */
export function laneVectorBytes(depth: i32): usize {
  const chunks = (depth + (CHUNK_ELEMENTS - 1)) / CHUNK_ELEMENTS;
  return (<usize>groupsOf(depth) * STAGED_BYTES + <usize>(8 * chunks) + 7) & ~7;
}

function groupsOf(depth: i32): i32 {
  return (depth + (GROUP_ELEMENTS - 1)) / GROUP_ELEMENTS;
}

/**
 * Prepares a vector of `depth` int8 for laneDots: of each chunk what its lanes begin at, int64, then its elements, zeros up to whole groups. Of two
 * elements x and y, whose words of weights lie in one int64, y's 8 bits further up, y is kept as y − 256·x: the int64 times x has y's word times
 * 256·x too, and need not be masked. Of four: x and the next x, int16, then both others, int32.
 */
export function stageLanes(staging: usize, vector: usize, depth: i32): void {
  do {
    const count = min(depth, CHUNK_ELEMENTS);
    const groups = groupsOf(count);
    let q = staging + 8;
    const end = q + <usize>groups * STAGED_BYTES;
    // Each is read before it is written over.
    let from = end - <usize>(groups * GROUP_ELEMENTS);
    memory.copy(from, vector, count);
    memory.fill(from + count, 0, groups * GROUP_ELEMENTS - count);
    let total = 0;
    for (; q < end; q += STAGED_BYTES) {
      const x0 = <i32>load<i8>(from);
      const x1 = <i32>load<i8>(from, 1);
      const x2 = <i32>load<i8>(from, 2);
      const x3 = <i32>load<i8>(from, 3);
      total += x0 + x1 + x2 + x3;
      store<i16>(q, <i16>x0);
      store<i16>(q, <i16>x2, 2);
      store<i32>(q, x1 - (x0 << 8), 4);
      store<i32>(q, x3 - (x2 << 8), 8);
      from += GROUP_ELEMENTS;
    }
    store<i64>(staging, (LANE_ZERO - 128 * <i64>total) * ONES);
    staging = end;
    vector += count;
    depth -= CHUNK_ELEMENTS;
  } while (depth > 0);
}

/** What a sum of `depth` products carries more than it would, unless it begins at less: laneZeros there. */
export function laneZeros(depth: i32): i32 {
  return <i32>LANE_ZERO * ((depth + (CHUNK_ELEMENTS - 1)) / CHUNK_ELEMENTS);
}

/**
 *   sums[r] = begins[r] + laneZeros(depth) + Σ_i vector[i] · w[r, i]      int32, for twelve rows
 *
 * Weights are as src/plan/lane-rows.ts packs them, each with 128 added, which come off at the start of the lanes, in each at once; the vector as
 * stageLanes left it. Sums wrap as the reference's do.
 */
export function laneDots(staging: usize, depth: i32, begins: usize, weights: usize, sums: usize): void {
  let q = staging;
  let w = weights;
  do {
    let a = load<i64>(q);
    let b = a;
    let c = a;
    let d = a;
    q += 8;
    const end = q + <usize>groupsOf(min(depth, CHUNK_ELEMENTS)) * STAGED_BYTES;
    do {
      const x0 = <i64>load<i16>(q);
      const x2 = <i64>load<i16>(q, 2);
      const y1 = <i64>load<i32>(q, 4);
      const y3 = <i64>load<i32>(q, 8);
      a +=
        load<i64>(w) * x0 +
        (load<i64>(w, 1) & BYTE_LANES) * y1 +
        load<i64>(w, 8) * x2 +
        (load<i64>(w, 9) & BYTE_LANES) * y3;
      b +=
        load<i64>(w, 16) * x0 +
        (load<i64>(w, 17) & BYTE_LANES) * y1 +
        load<i64>(w, 24) * x2 +
        (load<i64>(w, 25) & BYTE_LANES) * y3;
      c +=
        load<i64>(w, 32) * x0 +
        (load<i64>(w, 33) & BYTE_LANES) * y1 +
        load<i64>(w, 40) * x2 +
        (load<i64>(w, 41) & BYTE_LANES) * y3;
      d +=
        load<i64>(w, 48) * x0 +
        (load<i64>(w, 49) & BYTE_LANES) * y1 +
        load<i64>(w, 56) * x2 +
        (load<i64>(w, 57) & BYTE_LANES) * y3;
      q += STAGED_BYTES;
      w += GROUP_BYTES;
    } while (q < end);
    addLanes(sums, begins, a);
    addLanes(sums + 12, begins + 12, b);
    addLanes(sums + 24, begins + 24, c);
    addLanes(sums + 36, begins + 36, d);
    begins = sums;
    depth -= CHUNK_ELEMENTS;
  } while (depth > 0);
}
