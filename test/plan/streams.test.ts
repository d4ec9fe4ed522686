import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../../examples/node/model.ts";
import type { Image, Variant } from "../../src/index.ts";
import { compile, ExecutionError, load, provesVariant, VARIANTS, verifyImage } from "../../src/index.ts";
import { planToVerify } from "../../src/emit/image.ts";
import { Header, Op, StageField, StreamField } from "../../src/plan/format.ts";
import type { RecordOp } from "../../src/plan/record.ts";
import { decodeRecord, recordBytes } from "../../src/plan/record.ts";
import { findBreak } from "./oracle.ts";

const image = compile(depthwiseNet(3), { schedule: "minimum", sram: "unbounded", input: "streamed" });

interface Place {
  readonly op: RecordOp;
  /** Word of its first field. */
  readonly at: number;
}

/** Every record of the plan, and where it is. */
function placesIn({ sram }: Image): Place[] {
  const words = new Int32Array(sram.slice().buffer, 0, sram.length >> 2);
  const places: Place[] = [];
  for (let at: number = Header.words; ;) {
    const record = decodeRecord(words, at);
    if (record === undefined) throw new Error("a record is cut");
    places.push({ op: record.op, at });
    if (record.op === "end") return places;
    at += recordBytes(record.op) / 4;
  }
}

function withWord(of: Image, at: number, change: (old: number) => number): Image {
  const sram = of.sram.slice();
  const words = new Int32Array(sram.buffer, 0, sram.length >> 2);
  words[at] = change(words[at] ?? 0);
  return { ...of, sram };
}

function codeOf(of: Image): string | undefined {
  try {
    verifyImage(of);
    return undefined;
  } catch (error) {
    if (error instanceof ExecutionError) return error.code;
    throw error;
  }
}

const places = placesIn(image);
const stream = places.find(({ op }) => op === "stream")?.at ?? NaN;
const stages = places.filter(({ op }) => op === "stage").map(({ at }) => at);
const [first = NaN, second = NaN] = stages;

test("the plan of these tests is a stream, and is accepted", () => {
  expect(stages.length).toBeGreaterThan(3);
  expect(codeOf(image)).toBeUndefined();
  expect(findBreak(planToVerify(image))).toBeUndefined();
});

describe("a damaged stream is refused", () => {
  test.each<[string, number, (old: number) => number, string[]]>([
    ["no stages", stream + StreamField.stages, () => 0, ["plan-field"]],
    ["a stage less", stream + StreamField.stages, (n) => n - 1, ["plan-field"]],
    ["a stage more", stream + StreamField.stages, (n) => n + 1, ["plan-field"]],
    ["very many stages", stream + StreamField.stages, () => 0x7fffffff, ["plan-field"]],
    ["a state outside the arena", stream + StreamField.state, () => 64, ["plan-bounds"]],
    ["a state between words", stream + StreamField.state, (n) => n + 2, ["plan-field"]],
    ["a state in the scratch", stream + StreamField.state, (n) => n + 8 * stages.length, ["plan-overlap"]],
    ["a stage that ends within a record", first + StageField.bytes, (n) => n - 4, ["plan-field"]],
    [
      "a stage of all records",
      first + StageField.bytes,
      () => 0x7ffffffc,
      ["plan-field", "plan-unterminated"],
    ],
    ["no rows", first + StageField.rows, () => 0, ["plan-field"]],
    ["a row less", first + StageField.rows, (n) => n - 1, ["plan-overlap"]],
    ["a row more", first + StageField.rows, (n) => n + 1, ["plan-field"]],
    ["very many rows", second + StageField.rows, () => 0x7fffffff, ["plan-field"]],
    ["no rows per pull", first + StageField.rowsPerPull, () => 0, ["plan-field"]],
    ["more rows per pull than the ring has", second + StageField.rowsPerPull, () => 9, ["plan-field"]],
    ["a stage that needs itself", second + StageField.lhs, () => 1, ["plan-field"]],
    ["a stage that needs a later one", second + StageField.lhs, () => 2, ["plan-field"]],
    ["a stage that needs nothing", second + StageField.lhs, () => -1, ["plan-overlap"]],
    ["rows that come too late", second + StageField.lhsOffset, (n) => n - 1, ["plan-overlap"]],
    ["another stride", second + StageField.lhsStride, (n) => n + 1, ["plan-overlap"]],
    ["a stage outside of a stream", stream, () => Op.stage, ["plan-unterminated", "plan-field"]],
  ])("%s", (_, at, change, codes) => {
    expect(codes).toContain(codeOf(withWord(image, at, change)));
  });

  test("rings a row too small, every one of them", () => {
    const words = new Int32Array(image.sram.slice().buffer, 0, image.sram.length >> 2);
    let shrunk = 0;
    for (const { op, at } of places) {
      const record = decodeRecord(words, at);
      if (record === undefined || !("outputView" in record)) continue;
      const { ringRows, height } = record.outputView;
      // The ring of a whole output is its height.
      if (ringRows >= height || ringRows < 2) continue;
      shrunk++;
      const smaller = withWord(image, at + 11 + 3, (n) => n - 1);
      expect(["plan-overlap", "plan-field"], `${op} at ${4 * at}`).toContain(codeOf(smaller));
    }
    expect(shrunk).toBeGreaterThan(0);
  });
});

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

test.each(proved)(
  "any word of a stream changed: refused, or no harm in the oracle and in the kernels (%s)",
  async (variant) => {
    const of = compile(depthwiseNet(4), {
      variant,
      schedule: "minimum",
      sram: "unbounded",
      input: "streamed",
    });
    const end = placesIn(of).at(-1)?.at ?? 0;
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.noBias(fc.integer({ min: Header.words, max: end })),
        fc.oneof(fc.integer({ min: -8, max: 8 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 0x10000)),
        async (at, by) => {
          const changed = withWord(of, at, (old) => old + by);
          if (codeOf(changed) !== undefined) return;
          accepted++;
          expect(findBreak(planToVerify(changed))).toBeUndefined();
          const model = await load(changed);
          model.run((row, into) => into.fill(row));
        },
      ),
      { numRuns: 400 },
    );
    expect(accepted).toBeGreaterThan(5);
  },
);
