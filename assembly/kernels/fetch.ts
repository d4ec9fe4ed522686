import { FetchField } from "../../src/plan/format.ts";
import { flash_read } from "../host.ts";
import { address } from "../record.ts";

/** Brings a tile of weights from flash into the arena. */
export function fetch(record: usize): void {
  flash_read(
    address(record, FetchField.destination),
    address(record, FetchField.source),
    address(record, FetchField.bytes),
  );
}
