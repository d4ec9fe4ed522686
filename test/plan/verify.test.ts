import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExecutionError } from "../../src/errors.ts";
import { Header, PLAN_VERSION } from "../../src/plan/format.ts";
import type { PlanRecord, RecordOf, ViewWords } from "../../src/plan/record.ts";
import { planRecords, recordBytes } from "../../src/plan/record.ts";
import type { PlanToVerify } from "../../src/plan/verify.ts";
import { verifyPlan } from "../../src/plan/verify.ts";
import { provedKernels } from "../kernel-harness.ts";
import { drawChain, extentOf, layOut, pickFrom, picks, planOf } from "./chains.ts";
import { expectHarmless } from "./harmless.ts";
import { findBreak } from "./oracle.ts";
import { ARENA, CONSTANTS, writePlan } from "./write-plan.ts";

/** The error's code; undefined for a plan that is accepted. */
function refusal(plan: PlanToVerify): string | undefined {
  try {
    verifyPlan(plan);
    return undefined;
  } catch (error) {
    if (!(error instanceof ExecutionError)) throw error;
    return error.code;
  }
}

describe("random plans over all operators", () => {
  test("are accepted as they are laid out, also in place", () => {
    let inPlace = 0;
    fc.assert(
      fc.property(picks, (numbers) => {
        const pick = pickFrom(numbers);
        const chain = drawChain(pick);
        const begins = layOut(chain, pick);
        const plan = planOf(chain, begins, extentOf(chain, begins));
        expect(findBreak(plan)).toBeUndefined();
        expect(refusal(plan)).toBeUndefined();
        for (const { id, bytes, above } of chain.items) {
          const [own = 0, other = 0] = [begins.get(id), begins.get(above?.id ?? -1)];
          if (above !== undefined && own < other + 1 && own + bytes > other) inPlace++;
        }
      }),
      { numRuns: 500 },
    );
    expect(inPlace).toBeGreaterThan(100);
  });

  test("are refused wherever an item is moved onto what is still needed", () => {
    let broken = 0;
    fc.assert(
      fc.property(
        picks,
        fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 8, maxLength: 8 }),
        (numbers, distances) => {
          const pick = pickFrom(numbers);
          const chain = drawChain(pick);
          const begins = layOut(chain, pick);
          const arenaBytes = extentOf(chain, begins) + 256;
          for (const distance of distances) {
            const item = chain.items[pick(chain.items.length)];
            if (item === undefined) continue;
            const step = item.id >= 1000 ? 16 : 4;
            const moved = new Map(begins).set(item.id, (begins.get(item.id) ?? ARENA) + step * distance);
            const plan = planOf(chain, moved, arenaBytes);
            const found = findBreak(plan);
            if (found === undefined) continue;
            broken++;
            expect(refusal(plan), found).toBeDefined();
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(broken).toBeGreaterThan(1000);
  });

  const word = fc.oneof(
    fc.integer({ min: -4, max: 64 }),
    fc.integer(),
    fc.constantFrom(0x7fffffff, -0x80000000, 0x10000, 0x40000000),
  );

  test("with words changed are refused, or do no harm in the oracle and in the kernels", () => {
    const kernels = provedKernels();
    let accepted = 0;
    fc.assert(
      fc.property(
        picks,
        fc.array(fc.tuple(fc.noBias(fc.nat(2 ** 30)), word, fc.boolean()), { minLength: 12, maxLength: 12 }),
        (numbers, changes) => {
          const pick = pickFrom(numbers);
          const chain = drawChain(pick);
          const begins = layOut(chain, pick);
          const plan = planOf(chain, begins, extentOf(chain, begins));
          const end = endOf(plan);
          for (const [at, value, add] of changes) {
            const sram = plan.sram.slice();
            const words = new Int32Array(sram.buffer);
            const index = Header.words + (at % (end - Header.words));
            words[index] = add ? (words[index] ?? 0) + value : value;
            const changed = { ...plan, sram };
            if (refusal(changed) !== undefined) continue;
            accepted++;
            expect(findBreak(changed)).toBeUndefined();
            for (const instance of kernels) {
              if (instance.variant === plan.variant) expectHarmless(instance, changed);
            }
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(accepted).toBeGreaterThan(200);
  });
});

/** Word of the end record. */
function endOf({ sram }: PlanToVerify): number {
  return ([...planRecords(sram)].at(-1)?.address ?? NaN) / 4;
}

describe("rings", () => {
  const WIDTH = 4;
  const view = (address: number, height: number, ringRows: number): ViewWords => ({
    address,
    pixelBytes: 1,
    rowBytes: WIDTH,
    ringRows,
    height,
    width: WIDTH,
    channels: 1,
  });
  /** Rows [y0, y1) of a 3×3 pool without padding. */
  const pool = (input: ViewWords, output: ViewWords, y0: number, y1: number): RecordOf<"maxPool2d"> => ({
    op: "maxPool2d",
    inputView: input,
    outputView: { ...output, width: WIDTH - 2 },
    y0,
    y1,
    c0: 0,
    c1: 1,
    batches: 1,
    inputBatchBytes: 0,
    outputBatchBytes: 0,
    kernelHeight: 3,
    kernelWidth: 3,
    strideY: 1,
    strideX: 1,
    padTop: 0,
    padLeft: 0,
    activationMin: -128,
    activationMax: 127,
  });
  /** 10 rows → 8 in a ring → 6: rows of the middle one are made as they are needed. */
  const INPUT = ARENA;
  const MIDDLE = ARENA + 64;
  const OUTPUT = ARENA + 128;

  function streamed(
    ringRows: number,
    order: readonly (readonly ["make" | "use", number, number])[],
  ): PlanToVerify {
    const middle = view(MIDDLE, 8, ringRows);
    const steps = order.map(([what, y0, y1]) => {
      const record: PlanRecord =
        what === "make"
          ? pool(view(INPUT, 10, 10), middle, y0, y1)
          : pool({ ...middle, width: WIDTH - 2 }, view(OUTPUT, 6, 6), y0, y1);
      // The second pool is two columns wide, of which its window takes one.
      const narrow =
        what === "make"
          ? record
          : { ...record, kernelWidth: 2, outputView: { ...view(OUTPUT, 6, 6), width: 1 } };
      return { record: narrow, ids: what === "make" ? [0, 1] : [1, 2] };
    });
    return writePlan({
      steps,
      arenaBytes: 192,
      initial: [{ id: 0, address: INPUT, bytes: 40 }],
      final: [],
    });
  }

  const rowByRow = Array.from({ length: 6 }, (_, y) => [
    ["make", y + 2, y + 3] as const,
    ["use", y, y + 1] as const,
  ]).flat();

  test("of as many rows as the window are enough where rows are made one by one", () => {
    const plan = streamed(3, [["make", 0, 2], ...rowByRow]);
    expect(findBreak(plan)).toBeUndefined();
    expect(refusal(plan)).toBeUndefined();
  });

  test("of more rows than the window, by several rows at a time", () => {
    const plan = streamed(4, [
      ["make", 0, 4],
      ["use", 0, 2],
      ["make", 4, 6],
      ["use", 2, 4],
      ["make", 6, 8],
      ["use", 4, 6],
    ]);
    expect(refusal(plan)).toBeUndefined();
  });

  test.each<[string, number, readonly (readonly ["make" | "use", number, number])[], string]>([
    ["fewer rows than the window", 2, [["make", 0, 2], ...rowByRow], "plan-field"],
    [
      "more rows made than the ring has",
      3,
      [
        ["make", 0, 4],
        ["use", 0, 1],
      ],
      "plan-field",
    ],
    [
      "a row overwritten before its last use",
      3,
      [
        ["make", 0, 3],
        ["make", 3, 4],
        ["use", 0, 1],
      ],
      "plan-overlap",
    ],
    [
      "a row used before it is made",
      3,
      [
        ["make", 0, 2],
        ["use", 0, 1],
      ],
      "plan-overlap",
    ],
    [
      "a row of the lap before taken for this one's",
      3,
      [
        ["make", 0, 3],
        ["use", 0, 1],
        ["use", 1, 2],
      ],
      "plan-overlap",
    ],
    [
      "a row of the next lap taken for this one's",
      3,
      [
        ["make", 0, 3],
        ["make", 3, 6],
        ["use", 0, 1],
      ],
      "plan-overlap",
    ],
    ["no rows", 0, [["make", 0, 1]], "plan-field"],
    ["a negative number of rows", -3, [["make", 0, 1]], "plan-field"],
  ])("%s", (_, ringRows, order, code) => {
    expect(refusal(streamed(ringRows, order))).toBe(code);
  });
});

describe("headers and tables", () => {
  const steps = [
    {
      record: {
        op: "softmax",
        input: ARENA,
        output: ARENA + 16,
        rows: 1,
        depth: 16,
        multiplier: 2 ** 30,
        shift: 20,
        diffMin: -100,
      },
      ids: [0, 1],
    },
  ] as const;
  const plan = writePlan({
    steps,
    arenaBytes: 32,
    initial: [{ id: 0, address: ARENA, bytes: 16 }],
    final: [{ id: 1, address: ARENA + 16, bytes: 16 }],
  });

  function withWord(index: number, value: number): PlanToVerify {
    const sram = plan.sram.slice();
    new DataView(sram.buffer).setInt32(4 * index, value, true);
    return { ...plan, sram };
  }

  test("a sound one is accepted, wherever its bytes lie", () => {
    expect(refusal(plan)).toBeUndefined();
    const larger = new Uint8Array(plan.sram.length + 8);
    larger.set(plan.sram, 3);
    expect(refusal({ ...plan, sram: larger.subarray(3, 3 + plan.sram.length) })).toBeUndefined();
  });

  test.each<[string, number, number]>([
    ["magic", Header.magic, 0],
    ["version", Header.version, PLAN_VERSION + 1],
    ["variant", Header.variant, 0],
    ["unknown variant", Header.variant, 9],
    ["entry", Header.entry, 36],
    ["entry outside", Header.entry, 0x7ffffffc],
    ["plan bytes", Header.planBytes, 8],
    ["plan bytes beyond", Header.planBytes, 0x7ffffffc],
    ["odd plan bytes", Header.planBytes, 4097],
    ["weights", Header.residentWeightBytes, 0],
    ["negative weights", Header.residentWeightBytes, -1],
    ["arena within the weights", Header.arenaAddress, CONSTANTS],
    ["arena between vectors", Header.arenaAddress, ARENA + 4],
    ["arena beyond", Header.arenaAddress, 0x7ffffff0],
    ["ram without slack", Header.ramBytes, ARENA],
    ["ram of 2^31", Header.ramBytes, -0x80000000],
  ])("%s", (_, index, value) => {
    expect(refusal(withWord(index, value))).toBe("plan-header");
  });

  test("cut short", () => {
    for (const length of [0, 4, 31, 32, 100]) {
      expect(refusal({ ...plan, sram: plan.sram.slice(0, length) })).toBe("plan-header");
    }
  });

  test("no end, an unknown record, a record of another length", () => {
    const record = Header.words;
    expect(refusal(withWord(record, 99))).toBe("plan-unterminated");
    expect(refusal(withWord(record + 1, 8))).toBe("plan-unterminated");
    expect(refusal(withWord(record + recordBytes("softmax") / 4, -1))).toBe("plan-unterminated");
  });

  test.each<[string, readonly number[]]>([
    ["too short", [0]],
    ["empty", []],
    ["too long", [0, 1, 2]],
    ["an id below −1", [0, -2]],
    ["one value in and out", [0, 0]],
    ["a constant written", [0, -1]],
  ])("a table of operands: %s", (_, operands) => {
    expect(refusal({ ...plan, operands: Int32Array.from(operands) })).toBe("plan-operands");
  });

  test("values that are not where they should be", () => {
    const at = (address: number, bytes = 16): { id: number; address: number; bytes: number }[] => [
      { id: 0, address, bytes },
    ];
    expect(refusal({ ...plan, initial: at(ARENA - 16) })).toBe("plan-bounds");
    expect(refusal({ ...plan, initial: at(ARENA + 32) })).toBe("plan-bounds");
    expect(refusal({ ...plan, initial: at(ARENA, 15) })).toBe("plan-overlap");
    expect(refusal({ ...plan, initial: [] })).toBe("plan-overlap");
    expect(refusal({ ...plan, final: at(ARENA + 16) })).toBe("plan-overlap");
    expect(refusal({ ...plan, final: [{ id: -1, address: ARENA, bytes: 1 }] })).toBe("plan-operands");
  });

  test("weights that change while the plan runs are no weights", () => {
    const record = { ...steps[0].record, output: CONSTANTS } as const;
    expect(
      refusal(writePlan({ steps: [{ record, ids: [0, 1] }], arenaBytes: 32, initial: plan.initial })),
    ).toBe("plan-bounds");
  });
});
