import { Head, StageField, StreamField } from "../../src/plan/format.ts";
import { execute } from "../execute.ts";
import { address, field } from "../record.ts";

/**
 * Operators row by row: every stage keeps only the rows that are still needed, in a ring. The last is asked for rows from the
 * first to the last; each asks those before it for what its window needs, and no more. Stages whose whole output is kept
 * and not all asked for are completed at the end. No row is made twice.
 *
 * Returns the address behind the stream's records.
 */
export function stream(record: usize): usize {
  const stages = field(record, StreamField.stages);
  const state = address(record, StreamField.state);
  let next = record + (address(record, Head.words) << 2);
  for (let i = 0; i < stages; i++) {
    const entry = stateOf(state, i);
    store<u32>(entry, <u32>next);
    store<i32>(entry, 0, 4);
    next += (address(next, Head.words) << 2) + address(next, StageField.bytes);
  }
  for (let i = stages - 1; i >= 0; i--) pull(state, i, i32.MAX_VALUE);
  return next;
}

/** Stage `index`'s two words: the address of its record, and how many rows it has made. */
function stateOf(state: usize, index: i32): usize {
  return state + ((<usize>index) << 3);
}

/** Makes the rows of a stage up to `end`, or all it has. */
function pull(state: usize, index: i32, end: i32): void {
  const entry = stateOf(state, index);
  const stage = <usize>load<u32>(entry);
  const rows = field(stage, StageField.rows);
  const rowsPerPull = field(stage, StageField.rowsPerPull);
  end = min(end, rows);
  let y0 = load<i32>(entry, 4);
  while (y0 < end) {
    const y1 = min(y0 + rowsPerPull, rows);
    pullFor(state, stage, StageField.lhs, y1);
    pullFor(state, stage, StageField.rhs, y1);
    const first = stage + (address(stage, Head.words) << 2);
    const last = first + address(stage, StageField.bytes);
    for (let record = first; record < last; record += address(record, Head.words) << 2) {
      execute(record, y0, y1);
    }
    store<i32>(entry, y1, 4);
    y0 = y1;
  }
}

/** What the rows of `stage` up to `y1` need of the stage named at word `producer`, followed by its rate and offset. */
function pullFor(state: usize, stage: usize, producer: i32, y1: i32): void {
  const index = field(stage, producer);
  if (index < 0) return;
  const rate = field(stage, producer + 1);
  pull(state, index, (y1 * (rate & 0xffff) + field(stage, producer + 2)) / (rate >> 16));
}
