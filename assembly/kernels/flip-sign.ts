import { FlipSignField } from "../../src/plan/format.ts";
import { address } from "../record.ts";

/**
 *   x[i] ^= 0x80
 *
 * x  int8 [bytes] ↔ u8 = x + 128, the storage of the relaxed variant; in place, its own inverse.
 */
export function flipSign(record: usize): void {
  flipBytes(address(record, FlipSignField.address), address(record, FlipSignField.bytes));
}

export function flipBytes(start: usize, bytes: usize): void {
  const end = start + bytes;
  let at = start;
  for (; at + 8 <= end; at += 8) store<u64>(at, load<u64>(at) ^ 0x8080808080808080);
  for (; at < end; at++) store<u8>(at, load<u8>(at) ^ 0x80);
}
