import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/index.ts";
import { PASSES, runPasses } from "../../src/passes/index.ts";
import type { Aim, Measure } from "../../src/schedule/choose.ts";
import { bestWithin, leastPeak } from "../../src/schedule/choose.ts";
import type { Segments } from "../../src/schedule/segments.ts";
import { withWays } from "../../src/schedule/segments.ts";
import type { Step } from "../../src/schedule/layers.ts";
import type { Program } from "../../src/schedule/program.ts";
import { programOf } from "../../src/schedule/program.ts";
import type { Stream } from "../../src/schedule/stream.ts";
import { chainOf, runChain } from "../../src/schedule/stream.ts";
import { importModel } from "../../src/tflite/import.ts";
import { BUILTIN, options, SAME, VALID, writeModel } from "../model-writer.ts";
import { bias, int32, int8, named, weights } from "../written-models.ts";
import { blockModel } from "./block-model.ts";
import type { Cut } from "./slow-stream.ts";
import { SlowStream } from "./slow-stream.ts";

/** A network, and which run of its operations is to be a stream. */
const drawn = fc.record({
  model: blockModel(),
  isStreamed: fc.boolean(),
  begin: fc.nat(),
  length: fc.nat(),
  rowsAtOnce: fc.constantFrom(1, 1, 2, 3, 4),
});

type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

function cutOf({ model, isStreamed, begin, length, rowsAtOnce }: Drawn): Cut {
  const program = programOf(runPasses(importModel(writeModel(model)), PASSES), isStreamed);
  const operations = program.operations.length;
  const first = begin % Math.max(1, operations - 1);
  return {
    program,
    begin: first,
    end: Math.min(first + 2 + (length % 12), operations),
    rowsAtOnce,
  };
}

function streamOf(program: Program, begin: number, end: number, rowsAtOnce: number): Stream | undefined {
  const chain = chainOf(program, begin, end);
  return chain === undefined ? undefined : runChain(chain, rowsAtOnce);
}

describe("a stream in thought", () => {
  test("keeps just the rows that are still needed, and makes each once, in order", () => {
    const seen = { streams: 0, rings: 0, inPlace: 0 };
    fc.assert(
      fc.property(drawn, (chosen) => {
        const cut = cutOf(chosen);
        const { program, begin, end, rowsAtOnce } = cut;
        const stream = streamOf(program, begin, end, rowsAtOnce);
        if (stream === undefined) {
          // What does not fit together does not with more operations.
          if (end < program.operations.length)
            expect(streamOf(program, begin, end + 1, rowsAtOnce)).toBeUndefined();
          return;
        }
        seen.streams++;
        seen.inPlace += stream.inPlaceOf.size;
        const slow = new SlowStream(cut, stream);
        const { made, pulls } = slow.run();
        expect(made).toEqual(stream.rows.map((rows) => Array.from({ length: rows }, (_, y) => y)));
        expect(pulls).toBe(stream.pulls);
        for (const [id, rows] of stream.ringRows) {
          // What is accumulated has one row, and so has the ring of what it takes the place of.
          if (rows === 1) continue;
          seen.rings++;
          expect(() => slow.run(new Map([[id, rows - 1]])), `ring of ${id} with ${rows - 1} rows`).toThrow(
            /holds/,
          );
        }
      }),
      { numRuns: 400 },
    );
    expect(seen.streams).toBeGreaterThan(100);
    expect(seen.rings).toBeGreaterThan(60);
    expect(seen.inPlace).toBeGreaterThan(40);
  });

  test("lets its output share bytes with what dies in it, just as far as that is safe", () => {
    let shared = 0;
    fc.assert(
      fc.property(drawn, (chosen) => {
        const cut = cutOf(chosen);
        const stream = streamOf(cut.program, cut.begin, cut.end, cut.rowsAtOnce);
        if (stream === undefined) return;
        const slow = new SlowStream(cut, stream);
        for (const [id, distance] of stream.overlapDistance) {
          slow.runOver(id, distance);
          if (distance === 0 || slow.accumulates) continue;
          shared++;
          expect(
            () => {
              slow.runOver(id, distance - 1);
            },
            `${distance - 1} bytes below ${id}`,
          ).toThrow(/overwritten/);
        }
      }),
      { numRuns: 400 },
    );
    expect(shared).toBeGreaterThan(30);
  });
});

/** A squeeze in two steps, whose second takes the place of what the first makes. */
const SQUEEZE = named(
  {
    in: int8([1, 6, 5, 4]),
    columns: int32([2]),
    a: int8([1, 6, 1, 4]),
    rows: int32([1]),
    b: int8([1, 1, 1, 4]),
    w: weights([3, 1, 1, 4]),
    bias: bias(3),
    out: int8([1, 1, 1, 3], 0.4),
  },
  [
    { builtin: BUILTIN.mean, inputs: ["in", "columns"], output: "a", options: options.mean(true) },
    { builtin: BUILTIN.mean, inputs: ["a", "rows"], output: "b", options: options.mean(true) },
    { builtin: BUILTIN.conv2d, inputs: ["b", "w", "bias"], output: "out", options: options.conv2d(SAME, 1) },
  ],
  ["in"],
  ["out"],
);

/** Two readers of the input, which one of them sees in rows of half the bytes. */
const TWO_SHAPES = named(
  {
    in: int8([1, 16, 8, 4]),
    w: weights([6, 1, 1, 4]),
    bias: bias(6),
    a: int8([1, 16, 8, 6], 0.4),
    wide: weights([1, 5, 5, 6], 3),
    b: int8([1, 16, 8, 6], 0.4),
    shape: int32([1, 32, 4, 4]),
    reshaped: int8([1, 32, 4, 4]),
    narrow: weights([6, 1, 4, 4]),
    c: int8([1, 16, 1, 6], 0.4),
    out: int8([1, 16, 8, 6], 0.9),
  },
  [
    { builtin: BUILTIN.conv2d, inputs: ["in", "w", "bias"], output: "a", options: options.conv2d(SAME, 1) },
    {
      builtin: BUILTIN.depthwiseConv2d,
      inputs: ["a", "wide", "bias"],
      output: "b",
      options: options.depthwiseConv2d(SAME, 1, 1),
    },
    { builtin: BUILTIN.reshape, inputs: ["in", "shape"], output: "reshaped" },
    {
      builtin: BUILTIN.conv2d,
      inputs: ["reshaped", "narrow", "bias"],
      output: "c",
      options: [{ byte: VALID }, { int: 4 }, { int: 2 }, { byte: 0 }, { int: 1 }, { int: 1 }],
    },
    { builtin: BUILTIN.mul, inputs: ["b", "c"], output: "out", options: options.elementwise() },
  ],
  ["in"],
  ["out"],
);

test("one row is kept of what is accumulated in the place of its operand", () => {
  const program = programOf(runPasses(importModel(writeModel(SQUEEZE)), PASSES), false);
  const stream = streamOf(program, 0, 3, 1);
  const [, sum] = program.operations;
  expect(stream?.inPlaceOf.size).toBe(1);
  expect(stream?.ringRows.get(sum?.writes[0] ?? -1)).toBe(1);
});

test("an input that is seen under two shapes is kept until both have read it", () => {
  const { report } = compile(writeModel(TWO_SHAPES), {
    variant: "mcu",
    schedule: "minimum",
    sram: "unbounded",
  });
  expect(report.steps.map(({ op }) => op)).toEqual(["stream"]);
});

type Segment = Segments["from"][number][number];
type Side = "bottom" | "top";

/** Segments of random sizes over a few operations; that of each operator alone is always there. */
const segments = fc.integer({ min: 1, max: 6 }).chain((length) => {
  const bytes = fc.integer({ min: 1, max: 12 });
  const one = fc.record({
    arena: bytes,
    more: fc.nat(6),
    shared: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 })),
    inPlace: fc.boolean(),
    isSmall: fc.boolean(),
    planBytes: fc.nat(4),
    extraMacs: fc.nat(4),
    cycles: fc.nat(50),
  });
  const ranges = Array.from({ length }, (_, begin) =>
    Array.from({ length: length - begin }, (_, i) => [begin, begin + i + 1] as const),
  ).flat();
  return fc
    .tuple(
      ...ranges.map(([begin, end]) => fc.array(one, { minLength: end - begin === 1 ? 1 : 0, maxLength: 1 })),
    )
    .map((drawn): Segments => {
      const all = drawn.flatMap((list, i) =>
        list.map(({ arena, more, shared, ...rest }): Segment => {
          const [begin, end] = ranges[i] ?? [0, 0];
          const sized = (arenaBytes: number) => ({
            arenaBytes,
            ramBytes: arenaBytes + more,
          });
          const step: Step = { operations: [] };
          const less = Math.min(shared, arena);
          // With nothing shared the two are equal, as `segmentsOf` makes them.
          return withWays({
            begin,
            end,
            step,
            apart: sized(arena),
            overlapped: sized(arena - less),
            ...rest,
          });
        }),
      );
      return {
        from: Array.from({ length }, (_, at) => all.filter(({ begin }) => begin === at)),
      };
    });
});

/** A step of a schedule as its words have it: which segment, where its input and output lie, whether they share bytes. */
interface Choice {
  readonly segment: Segment;
  readonly from: Side;
  readonly to: Side;
  readonly shares: boolean;
}

/**
 * What docs/architecture.md allows: an output that shares bytes lies below its input (or, exactly in its place, at the same
 * end); else at the other end, or, if small, at any.
 */
function isAllowed({ segment, from, to, shares }: Choice): boolean {
  const { apart, overlapped, inPlace, isSmall } = segment;
  if (!shares) return from !== to || isSmall;
  if (overlapped.arenaBytes === apart.arenaBytes) return false;
  return inPlace ? from === to : from === "top" && to === "bottom";
}

/** Every schedule there is. */
function* schedules({ from }: Segments, at = 0, side?: Side): Generator<readonly Choice[]> {
  if (at === from.length) {
    yield [];
    return;
  }
  const sides: readonly Side[] = ["bottom", "top"];
  for (const segment of from[at] ?? []) {
    for (const begin of side === undefined ? sides : [side]) {
      for (const to of sides) {
        for (const shares of [false, true]) {
          const choice = { segment, from: begin, to, shares };
          if (!isAllowed(choice)) continue;
          for (const rest of schedules({ from }, segment.end, to)) yield [choice, ...rest];
        }
      }
    }
  }
}

function peakOf(choices: readonly Choice[], measure: Measure): number {
  return Math.max(
    ...choices.map(({ segment, shares }) => (shares ? segment.overlapped : segment.apart)[measure]),
  );
}

function costOf(segments: readonly Segment[], aim: Aim): [number, number] {
  const cycles = segments.reduce((sum, each) => sum + each.cycles, 0);
  return [aim === "cycles" ? 0 : segments.reduce((sum, each) => sum + each[aim], 0), cycles];
}

const isCheaper = ([a, b]: [number, number], [c, d]: [number, number]): boolean =>
  a < c || (a === c && b < d);

/** The segment that a step of an answer is: steps are copies, their empty lists of operations are not. */
function segmentOf({ from }: Segments, step: Step): Segment {
  const found = from.flat().find((segment) => segment.step.operations === step.operations);
  if (found === undefined) throw new Error("a step that was not offered");
  return found;
}

describe.each(["arenaBytes", "ramBytes"] as const)("the best of all schedules (%s)", (measure) => {
  test("has the least peak, and the least cost below any limit", () => {
    let bounded = 0;
    fc.assert(
      fc.property(
        fc.noBias(segments),
        fc.integer({ min: 0, max: 20 }),
        fc.constantFrom<Aim>("cycles", "planBytes", "extraMacs"),
        (offered, limit, aim) => {
          const all = [...schedules(offered)];
          const least = Math.min(...all.map((choices) => peakOf(choices, measure)));
          expect(leastPeak(offered, measure)).toBe(least);
          for (const most of [limit, least - 1, least, Infinity]) {
            const within = all.filter((choices) => peakOf(choices, measure) <= most);
            const steps = bestWithin(offered, measure, most, aim);
            if (within.length === 0) {
              expect(steps).toBeUndefined();
              continue;
            }
            const costs = within.map((choices) =>
              costOf(
                choices.map(({ segment }) => segment),
                aim,
              ),
            );
            const cheapest = costs.reduce((a, b) => (isCheaper(b, a) ? b : a));
            if (within.length < all.length) bounded++;
            const taken = steps?.map((step) => segmentOf(offered, step)) ?? [];
            expect(costOf(taken, aim)).toEqual(cheapest);
            // One of the schedules within the limit, as it says where outputs lie and what shares bytes.
            const said = (steps ?? []).map(({ outputAtTop, sharesBytes }, i) => ({
              segment: taken[i],
              to: outputAtTop === true ? "top" : "bottom",
              shares: sharesBytes,
            }));
            expect(
              within.some(
                (choices) =>
                  choices.length === said.length &&
                  choices.every(
                    ({ segment, to, shares }, i) =>
                      segment === said[i]?.segment && to === said[i].to && shares === said[i].shares,
                  ),
              ),
            ).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(bounded).toBeGreaterThan(100);
  });
});
