import { expect, test } from "vitest";
import { trapCalls } from "../../src/mcu/instructions.ts";

const [UNREACHABLE, BLOCK, IF, ELSE, END, BR, CALL, GET, EMPTY] = [0, 2, 4, 5, 0x0b, 0x0c, 0x10, 0x20, 0x40];
const UNUSED = 5;
const USED = 6;

function body(...instructions: readonly number[]): Uint8Array {
  return Uint8Array.of(0, ...instructions, END);
}

test.each([
  ["what only calls used functions stays as it is", [GET, 0, CALL, USED], [GET, 0, CALL, USED]],
  [
    "the call, its operands and what follows go, up to the end of the block",
    [BLOCK, EMPTY, CALL, USED, GET, 0, GET, 1, CALL, UNUSED, GET, 0, CALL, USED, END, GET, 0, CALL, USED],
    [BLOCK, EMPTY, CALL, USED, UNREACHABLE, END, GET, 0, CALL, USED],
  ],
  [
    "blocks in what follows go whole",
    [
      GET,
      0,
      IF,
      EMPTY,
      CALL,
      UNUSED,
      BLOCK,
      EMPTY,
      GET,
      0,
      IF,
      EMPTY,
      BR,
      1,
      ELSE,
      BR,
      1,
      END,
      END,
      BR,
      1,
      END,
    ],
    [GET, 0, IF, EMPTY, UNREACHABLE, END],
  ],
  [
    "the other branch stays",
    [GET, 0, IF, EMPTY, CALL, UNUSED, BR, 0, ELSE, GET, 0, CALL, USED, END],
    [GET, 0, IF, EMPTY, UNREACHABLE, ELSE, GET, 0, CALL, USED, END],
  ],
  [
    "locals got for another call stay",
    [GET, 0, CALL, USED, CALL, UNUSED, CALL, USED],
    [GET, 0, CALL, USED, UNREACHABLE],
  ],
])("a trap in place of calls: %s", (_, before, after) => {
  expect(trapCalls(body(...before), new Set([UNUSED]))).toEqual(body(...after));
});
