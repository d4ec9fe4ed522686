import fc from "fast-check";
import { expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import { disassemble } from "../../src/plan/disassemble.ts";
import { Head, Header, Op, View } from "../../src/plan/format.ts";
import type { PlanRecord, RecordOp } from "../../src/plan/record.ts";
import { decodeRecord, encodeRecord, FIELDS, recordBytes } from "../../src/plan/record.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
import { writeModel } from "../model-writer.ts";
import { RESIDUAL } from "../written-models.ts";

const OPS = Object.keys(FIELDS) as RecordOp[];
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

function names(members: object): string[] {
  return Object.keys(members).filter((key) => Number.isNaN(Number(key)) && key !== "op" && key !== "words");
}

/** A record of `op` with any words. */
function anyRecord(op: RecordOp): fc.Arbitrary<PlanRecord> {
  const view = fc.record(Object.fromEntries(names(View).map((name) => [name, word])));
  const fields = names(FIELDS[op]).map((name) => [name, name.endsWith("View") ? view : word] as const);
  return fc.record(Object.fromEntries(fields)).map((values) => ({ op, ...values }) as unknown as PlanRecord);
}

test.each(OPS)("%s is read as it was written, at any place", (op) => {
  fc.assert(
    fc.property(anyRecord(op), fc.nat(9), (record, at) => {
      const encoded = encodeRecord(record);
      expect(encoded.length).toBe(recordBytes(op) / 4);
      expect([encoded[Head.op], encoded[Head.words]]).toEqual([Op[op], encoded.length]);
      const words = new Int32Array(at + encoded.length + 3).fill(-7);
      words.set(encoded, at);
      expect(decodeRecord(words, at)).toEqual(record);
    }),
    { numRuns: 50 },
  );
});

test.each(OPS)("every word of %s belongs to one field", (op) => {
  const members = FIELDS[op] as unknown as Record<string, number>;
  const owners = Array<number>(recordBytes(op) / 4).fill(0);
  for (const name of ["op", "words", ...names(FIELDS[op])]) {
    const length: number = name.endsWith("View") ? View.words : 1;
    for (let i = 0; i < length; i++) {
      const at = (members[name] ?? 0) + i;
      owners[at] = (owners[at] ?? NaN) + 1;
    }
  }
  expect(owners).toEqual(owners.map(() => 1));
});

test("what is no record is none: unknown operators, wrong lengths, records cut short", () => {
  for (const op of OPS) {
    const words = new Int32Array(recordBytes(op) / 4);
    words[Head.op] = Op[op];
    words[Head.words] = words.length;
    expect(decodeRecord(words, 0)?.op).toBe(op);
    expect(decodeRecord(words.subarray(0, -1), 0)).toBeUndefined();
    expect(decodeRecord(words, 1)).toBeUndefined();
    words[Head.words] = words.length + 1;
    expect(decodeRecord(words, 0)).toBeUndefined();
  }
  for (const op of [-1, OPS.length, 2 ** 31 - 1])
    expect(decodeRecord(Int32Array.of(op, 2), 0)).toBeUndefined();
  expect(decodeRecord(new Int32Array(0), 0)).toBeUndefined();
});

test.each(VARIANTS)("a plan is printed whole, a line per record (%s)", (variant) => {
  const { sram } = compile(writeModel(RESIDUAL), { variant });
  const words = new Int32Array(sram.slice().buffer, 0, sram.length >> 2);
  const expected: { address: number; op: RecordOp }[] = [];
  for (let at: number = Header.words; ; at += words[at + Head.words] ?? 0) {
    const op = decodeRecord(words, at)?.op ?? "end";
    expected.push({ address: 4 * at, op });
    if (op === "end") break;
  }
  const lines = disassemble(sram).split("\n");
  expect(lines.map((line) => line.split(/\s+/).slice(0, 2))).toEqual(
    expected.map(({ address, op }) => [address.toString(16).padStart(6, "0"), op]),
  );
  expect(lines.find((line) => line.includes("conv2d"))).toMatch(
    /y0=0 y1=8 input=@\d+ 8×8×3 output=@\d+ 8×8×8/,
  );
});

test("every record has its fields in print, rings and strides among them", () => {
  for (const op of OPS) {
    fc.assert(
      fc.property(anyRecord(op), (record) => {
        const words = new Int32Array(Header.words + recordBytes(op) / 4 + 2);
        words[Header.entry] = 4 * Header.words;
        words.set(encodeRecord(record), Header.words);
        words.set(encodeRecord({ op: "end" }), words.length - 2);
        const [line = ""] = disassemble(new Uint8Array(words.buffer)).split("\n");
        for (const name of names(FIELDS[op])) expect(line).toContain(` ${name.replace(/View$/, "")}=`);
      }),
      { numRuns: 5 },
    );
  }
});

test("a damaged plan is printed up to the damage", () => {
  const { sram } = compile(writeModel(RESIDUAL));
  const copy = sram.slice();
  new DataView(copy.buffer).setInt32(4 * Header.words, 77, true);
  expect(disassemble(copy)).toBe("000020  unknown record");
  new DataView(copy.buffer).setInt32(4 * Header.entry, 0x7ffffff0, true);
  expect(disassemble(copy)).toBe("7ffffff0  unknown record");
  expect(disassemble(new Uint8Array(0))).toBe("000000  unknown record");
});
