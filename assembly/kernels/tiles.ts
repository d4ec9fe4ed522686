import { Channels, Head, Rows, TilesField } from "../../src/plan/format.ts";
import { execute } from "../execute.ts";
import { flash_read } from "../host.ts";
import { address, field } from "../record.ts";

/**
 * The operator that follows, its weights brought from flash tile by tile. Its channels are set anew for each tile, so that
 * nothing is left over from a run that the host broke off, and are all again at the end. Returns the address behind the
 * operator's record, or `record` where it is unknown.
 */
export function tiles(record: usize): usize {
  const operator = record + (address(record, Head.words) << 2);
  const bytes = address(record, TilesField.bytes);
  const tileBytes = address(record, TilesField.tileBytes);
  const channels = field(record, TilesField.channels);
  let c0 = 0;
  for (let done: usize = 0; done < bytes; done += tileBytes) {
    const c1 = min(c0 + field(record, TilesField.tileChannels), channels);
    store<i32>(operator + ((<usize>Channels.c0) << 2), c0);
    store<i32>(operator + ((<usize>Channels.c1) << 2), c1);
    flash_read(
      address(record, TilesField.destination),
      address(record, TilesField.source) + done,
      min(tileBytes, bytes - done),
    );
    if (!execute(operator, field(operator, Rows.y0), field(operator, Rows.y1))) return record;
    c0 = c1;
  }
  store<i32>(operator + ((<usize>Channels.c0) << 2), 0);
  return operator + (address(operator, Head.words) << 2);
}
