import { LANE_BITS, LANE_MASK } from "./lanes.ts";

/**
 *   sums[i] = begins[i] + lane_i      three int32
 *
 * Inlined, because a call costs an interpreter more than this. Formatter and linter do not parse the decorator.
 */
@inline
export function addLanes(sums: usize, begins: usize, lanes: i64): void {
  store<i32>(sums, <i32>(<i64>load<i32>(begins) + (lanes & LANE_MASK)));
  store<i32>(sums, <i32>(<i64>load<i32>(begins, 4) + ((lanes >> LANE_BITS) & LANE_MASK)), 4);
  store<i32>(sums, <i32>(<i64>load<i32>(begins, 8) + (lanes >> (2 * LANE_BITS))), 8);
}
