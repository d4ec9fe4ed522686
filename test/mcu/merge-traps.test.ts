import fc from "fast-check";
import { expect, test } from "vitest";
import { instructions } from "../../src/mcu/instructions.ts";
import { mergeTraps } from "../../src/mcu/merge-traps.ts";
import { writeModule } from "../../src/mcu/wasm-module.ts";

const [UNREACHABLE, BLOCK, END, BR, BR_IF, BR_TABLE] = [0, 2, 0x0b, 0x0c, 0x0d, 0x0e];
const [GET, SET, CONST, EMPTY, I32] = [0x20, 0x21, 0x41, 0x40, 0x7f];

/** What a case of a switch does: nothing but a trap, or a number, perhaps after it has gone on to another case. */
type Case = "trap" | { readonly goesTo?: number };

/** The body of (n) → what case n makes; `labels` are the cases of n, the last for all beyond. */
function switchOf(cases: readonly Case[], labels: readonly number[]): Uint8Array {
  const count = cases.length;
  const code = [1, 1, I32, ...new Array<number[]>(count + 1).fill([BLOCK, EMPTY]).flat()];
  code.push(GET, 0, BR_TABLE, labels.length - 1, ...labels);
  for (const [k, what] of cases.entries()) {
    code.push(END);
    if (what === "trap") {
      code.push(UNREACHABLE);
      continue;
    }
    const { goesTo } = what;
    if (goesTo !== undefined && goesTo > k) code.push(GET, 0, BR_IF, goesTo - k - 1);
    code.push(CONST, k, SET, 1, BR, count - 1 - k);
  }
  return Uint8Array.from([...code, END, GET, 1, END]);
}

function answersOf(body: Uint8Array, most: number): (number | "trap")[] {
  const bytes = writeModule({
    types: [{ parameters: [I32], results: [I32] }],
    imports: [],
    functions: [{ type: 0, body }],
    pages: 1,
    exports: new Map([["answer", 0]]),
    data: [],
    custom: [],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const answer = exports["answer"] as (n: number) => number;
  return Array.from({ length: most }, (_, n) => {
    try {
      return answer(n);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) return "trap";
      throw error;
    }
  });
}

function count(body: Uint8Array, wanted: number): number {
  return [...instructions(body)].filter(({ opcode }) => opcode === wanted).length;
}

const MOST = 12;
const cases = fc.array(
  fc.oneof(
    fc.constant("trap" as const),
    fc.record({ goesTo: fc.integer({ min: 0, max: MOST }) }, { requiredKeys: [] }),
  ),
  { minLength: 1, maxLength: MOST },
);

test("a switch answers and traps as before, with one trap", () => {
  let fewer = 0;
  fc.assert(
    fc.property(cases, fc.array(fc.nat(MOST), { minLength: 1, maxLength: 20 }), (drawn, labels) => {
      const inner = (label: number): number => label % drawn.length;
      const whole = drawn.map((what) =>
        what === "trap" || what.goesTo === undefined ? what : { goesTo: inner(what.goesTo) },
      );
      const before = switchOf(whole, labels.map(inner));
      const after = mergeTraps(before);
      expect(answersOf(after, labels.length + 2)).toEqual(answersOf(before, labels.length + 2));
      const traps = whole.filter((what) => what === "trap").length;
      const left = count(after, UNREACHABLE);
      expect(left).toBeLessThanOrEqual(1);
      expect(count(after, BLOCK)).toBe(count(before, BLOCK) - (traps - left));
      expect(mergeTraps(after)).toEqual(after);
      if (traps > 1) fewer++;
    }),
    { numRuns: 300 },
  );
  expect(fewer).toBeGreaterThan(50);
});

test("what falls into a trap stays, and loops and blocks with a value too", () => {
  const LOOP = 3;
  for (const body of [
    [0, BLOCK, EMPTY, GET, 0, BR_IF, 0, END, UNREACHABLE, END],
    [0, BLOCK, EMPTY, CONST, 1, SET, 0, END, UNREACHABLE, END],
    [0, LOOP, EMPTY, BR, 0, END, UNREACHABLE, END],
    [0, BLOCK, I32, CONST, 1, BR, 0, END, UNREACHABLE, END],
    [0, GET, 0, END],
  ]) {
    expect([...mergeTraps(Uint8Array.from(body))]).toEqual(body);
  }
});
