import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import type { Image, Variant } from "../../src/index.ts";
import { compile, ExecutionError, load, provesVariant, VARIANTS, verifyImage } from "../../src/index.ts";
import { planToVerify } from "../../src/emit/image.ts";
import { Header, Op, StageField, StreamField } from "../../src/plan/format.ts";
import type { RecordOf, RecordOp } from "../../src/plan/record.ts";
import { planRecords, decodeRecord, recordBytes } from "../../src/plan/record.ts";
import type { PlanToVerify } from "../../src/plan/verify.ts";
import { verifyPlan } from "../../src/plan/verify.ts";
import { findBreak } from "./oracle.ts";
import type { PlanStep } from "./write-plan.ts";
import { ARENA, writePlan } from "./write-plan.ts";

const image = compile(depthwiseNet(3), {
  schedule: "minimum",
  sram: "unbounded",
  input: "streamed",
});

interface Place {
  readonly op: RecordOp;
  /** Word of its first field. */
  readonly at: number;
}

/** Every record of the plan, and where it is. */
function placesIn({ sram }: Image): Place[] {
  return [...planRecords(sram)].map(({ address, record }) => ({ op: record.op, at: address / 4 }));
}

function withWord(of: Image, at: number, change: (old: number) => number): Image {
  const sram = of.sram.slice();
  const words = new Int32Array(sram.buffer, 0, sram.length >> 2);
  words[at] = change(words[at] ?? 0);
  return { ...of, sram };
}

function codeOf(of: Image): string | undefined {
  return refusal(() => {
    verifyImage(of);
  });
}

function refusal(check: () => void): string | undefined {
  try {
    check();
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
    ["another stride", second + StageField.lhsRate, (n) => n + 1, ["plan-overlap"]],
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

/** A stream written by hand: stages with the records of each. */
interface WrittenStage {
  readonly rows: number;
  readonly rowsPerPull?: number;
  readonly lhs?: number;
  readonly lhsStride?: number;
  readonly lhsOffset?: number;
  readonly steps: readonly PlanStep[];
}

function streamOfStages(state: number, stages: readonly WrittenStage[]): PlanStep[] {
  return [
    { record: { op: "stream", stages: stages.length, state }, ids: [] },
    ...stages.flatMap(({ rows, rowsPerPull = 1, lhs = -1, lhsStride = 1, lhsOffset = 0, steps }) => [
      {
        record: {
          op: "stage",
          bytes: steps.reduce((sum, { record }) => sum + recordBytes(record.op), 0),
          rows,
          rowsPerPull,
          lhs,
          lhsRate: lhsStride + (1 << 16),
          lhsOffset,
          rhs: -1,
          rhsRate: 1 << 16,
          rhsOffset: 0,
        } as const,
        ids: [],
      },
      ...steps,
    ]),
  ];
}

const ROW = 6;
const STATE = ARENA + 1024;

/** lhs + rhs, rows of ROW bytes; `rhs` has one row, which is repeated. */
function addRows(
  lhs: { address: number; ringRows: number },
  output: { address: number; ringRows: number },
  rhs: number,
): RecordOf<"add"> {
  return {
    op: "add",
    y0: 0,
    y1: 1,
    lhs: lhs.address,
    rhs,
    output: output.address,
    length: ROW,
    lhsStep: 1,
    rhsStep: 1,
    n0: 1,
    n1: 1,
    n2: 1,
    n3: 1,
    lhsStride0: 0,
    lhsStride1: 0,
    lhsStride2: 0,
    lhsStride3: 0,
    rhsStride0: 0,
    rhsStride1: 0,
    rhsStride2: 0,
    rhsStride3: 0,
    lhsZeroPoint: 0,
    rhsZeroPoint: 0,
    outputZeroPoint: 0,
    lhsMultiplier: 2 ** 30,
    lhsShift: 0,
    rhsMultiplier: 2 ** 30,
    rhsShift: 0,
    outputMultiplier: 2 ** 30,
    outputShift: -18,
    activationMin: -128,
    activationMax: 127,
    lhsRowBytes: ROW,
    lhsRingRows: lhs.ringRows,
    rhsRowBytes: 0,
    rhsRingRows: 1,
    outputRowBytes: ROW,
    outputRingRows: output.ringRows,
  };
}

describe("an operand whose place is taken row by row", () => {
  const RHS = ARENA + 512;

  /** Adds a repeated row to a whole value of `rows` rows at ARENA + 64, into a ring anywhere. */
  function plan(
    rows: number,
    rowsPerPull: number,
    output: { address: number; ringRows: number },
  ): PlanToVerify {
    const input = { address: ARENA + 64, ringRows: rows };
    return writePlan({
      steps: streamOfStages(STATE, [
        {
          rows,
          rowsPerPull,
          steps: [{ record: addRows(input, output, RHS), ids: [0, 1, 2] }],
        },
      ]),
      arenaBytes: 2048,
      initial: [
        { id: 0, address: input.address, bytes: rows * ROW },
        { id: 1, address: RHS, bytes: ROW },
      ],
    });
  }

  test.each<[string, number, number, string | undefined]>([
    ["into a ring of one row at its beginning", 64, 1, undefined],
    ["into a ring of two rows at its beginning", 64, 2, undefined],
    ["into a ring of one row just below", 64 - ROW, 1, undefined],
    ["as a whole, at its beginning", 64, 4, undefined],
    ["as a whole, below", 61, 4, undefined],
    ["as a whole, a byte above", 65, 4, "plan-overlap"],
    ["into a ring of one row, a byte above", 65, 1, "plan-overlap"],
    ["into a ring of two rows, of which the second is needed", 64 + ROW, 2, "plan-overlap"],
    ["into a ring over its last row", 64 + 3 * ROW, 1, "plan-overlap"],
  ])("%s", (_, at, ringRows, code) => {
    const written = plan(4, 1, { address: ARENA + at, ringRows });
    expect(
      refusal(() => {
        verifyPlan(written);
      }),
    ).toBe(code);
    expect(findBreak(written) === undefined).toBe(code === undefined);
  });

  test("is refused just where the oracle finds a row overwritten", () => {
    const seen = { sound: 0, broken: 0 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 6 }),
        fc.oneof(
          fc.integer({ min: 0, max: 64 + 8 * ROW }),
          fc.integer({ min: 0, max: 8 }).map((n) => 64 + n * ROW),
        ),
        (rows, rowsPerPull, ringRows, at) => {
          fc.pre(Math.min(rowsPerPull, rows) <= ringRows);
          const written = plan(rows, rowsPerPull, {
            address: ARENA + at,
            ringRows,
          });
          const isBroken = findBreak(written) !== undefined;
          expect(
            refusal(() => {
              verifyPlan(written);
            }),
          ).toBe(isBroken ? "plan-overlap" : undefined);
          if (isBroken) seen.broken++;
          else seen.sound++;
        },
      ),
      { numRuns: 600 },
    );
    expect(seen.sound).toBeGreaterThan(60);
    expect(seen.broken).toBeGreaterThan(60);
  });
});

test("a stream within a stage, and a stage that ends the plan, are refused", () => {
  const RHS = ARENA + 512;
  const record = addRows({ address: ARENA, ringRows: 4 }, { address: ARENA + 64, ringRows: 4 }, RHS);
  const inner = { record, ids: [0, 1, 2] };
  const initial = [
    { id: 0, address: ARENA, bytes: 4 * ROW },
    { id: 1, address: RHS, bytes: ROW },
  ];
  const codeFor = (steps: readonly PlanStep[]): string | undefined =>
    refusal(() => {
      verifyPlan(writePlan({ steps, arenaBytes: 2048, initial }));
    });
  const alone = streamOfStages(STATE, [{ rows: 4, steps: [inner] }]);
  expect(codeFor(alone)).toBeUndefined();
  expect(codeFor(streamOfStages(STATE + 64, [{ rows: 4, steps: alone }]))).toBe("plan-field");
  expect(codeFor(alone.slice(1))).toBe("plan-field");
  expect(
    codeFor([...streamOfStages(STATE, [{ rows: 4, steps: [{ record: { op: "end" }, ids: [] }] }])]),
  ).toBe("plan-field");
});

test.each<[string, number, string | undefined]>([
  ["beside all", STATE, undefined],
  ["on the output", ARENA + 64, "plan-overlap"],
  ["on the input", ARENA + 16, "plan-overlap"],
  ["on what is repeated", ARENA + 512, "plan-overlap"],
  ["between words", STATE + 1, "plan-field"],
  ["half behind the arena", ARENA + 2044, "plan-bounds"],
])("a stream's state %s", (_, state, code) => {
  const record = addRows({ address: ARENA, ringRows: 4 }, { address: ARENA + 64, ringRows: 4 }, ARENA + 512);
  const written = writePlan({
    steps: streamOfStages(state, [{ rows: 4, steps: [{ record, ids: [0, 1, 2] }] }]),
    arenaBytes: 2048,
    initial: [
      { id: 0, address: ARENA, bytes: 4 * ROW },
      { id: 1, address: ARENA + 512, bytes: ROW },
    ],
    final: [{ id: 2, address: ARENA + 64, bytes: 4 * ROW }],
  });
  expect(
    refusal(() => {
      verifyPlan(written);
    }),
  ).toBe(code);
  if (code !== "plan-field") expect(findBreak(written) === undefined).toBe(code === undefined);
});

describe("work that a plan of few bytes asks for", () => {
  /** A row that is made `rows` times of two that repeat, in a ring of one row. */
  const plan = (rows: number): PlanToVerify => {
    const [lhs, rhs] = [
      { address: ARENA, ringRows: 1 },
      { address: ARENA + 512, ringRows: 1 },
    ];
    const record = { ...addRows(lhs, { address: ARENA + 64, ringRows: 1 }, rhs.address), lhsRowBytes: 0 };
    return writePlan({
      steps: streamOfStages(STATE, [{ rows, steps: [{ record, ids: [0, 1, 2] }] }]),
      arenaBytes: 2048,
      initial: [
        { id: 0, address: lhs.address, bytes: ROW },
        { id: 1, address: rhs.address, bytes: ROW },
      ],
    });
  };
  const codeFor = (rows: number, maxWork: number): string | undefined =>
    refusal(() => {
      verifyPlan(plan(rows), maxWork);
    });

  test("is refused before it is begun", () => {
    const start = performance.now();
    expect(codeFor(2 ** 31 - 1, 2 ** 20)).toBe("plan-work");
    expect(codeFor(2 ** 20, 2 ** 20)).toBe("plan-work");
    // It took seconds; the machine may be busy.
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("is done where the bound allows it", () => {
    expect(codeFor(1000, 2 ** 20)).toBeUndefined();
    expect(codeFor(1000, Infinity)).toBeUndefined();
    expect(codeFor(1000, 1000)).toBe("plan-work");
  });
});

describe("rows of input", () => {
  const plan = (change: Partial<RecordOf<"input">>, rows = 5): string | undefined => {
    const record = {
      op: "input",
      y0: 0,
      y1: 5,
      input: 0,
      output: ARENA,
      rowBytes: 8,
      ringRows: 2,
      isInt8: 1,
      ...change,
    } as const;
    const written = writePlan({
      steps: streamOfStages(STATE, [{ rows, steps: [{ record, ids: [0] }] }]),
      arenaBytes: 2048,
      inputRows: [{ rows: 5, rowBytes: 8 }, undefined],
    });
    return refusal(() => {
      verifyPlan(written);
    });
  };

  test.each<[string, Partial<RecordOf<"input">>, number, string | undefined]>([
    ["as the port has them", {}, 5, undefined],
    ["fewer", {}, 4, undefined],
    ["one more", {}, 6, "plan-field"],
    ["longer", { rowBytes: 9 }, 5, "plan-field"],
    ["shorter", { rowBytes: 7 }, 5, "plan-field"],
    ["of an input that lies in memory", { input: 1 }, 5, "plan-field"],
    ["of an input that there is not", { input: 2 }, 5, "plan-field"],
    ["of a negative input", { input: -1 }, 5, "plan-field"],
    ["of floats", { isInt8: 0 }, 5, undefined],
    ["of neither int8 nor floats", { isInt8: 2 }, 5, "plan-field"],
    ["into no ring", { ringRows: 0 }, 5, "plan-field"],
    ["into a ring behind the arena", { output: ARENA + 2040 }, 5, "plan-bounds"],
    ["into the constants", { output: ARENA - 8 }, 5, "plan-bounds"],
    ["into the stream's state", { output: STATE - 8 }, 5, "plan-overlap"],
  ])("%s", (_, change, rows, code) => {
    expect(plan(change, rows)).toBe(code);
  });
});
