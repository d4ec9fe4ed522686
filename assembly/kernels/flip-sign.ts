import { FlipSignField } from "../../src/plan/format.ts";
import { flipBytes } from "../micro/flip-bytes.ts";
import { address } from "../record.ts";

/**
 *   x[i] ^= 0x80
 *
 * x  int8 [bytes] ↔ u8 = x + 128, the storage of the relaxed variant; in place, its own inverse.
 */
export function flipSign(record: usize): void {
  flipBytes(address(record, FlipSignField.address), address(record, FlipSignField.bytes));
}
