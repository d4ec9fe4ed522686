import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryError } from "../../src/errors.ts";
import { planMemory } from "../../src/memory/planner.ts";
import type { Layout, PlanProblem } from "../../src/memory/problem.ts";
import { copyCycles } from "../../src/memory/residency.ts";
import { faultsOf, leastArenaBytes } from "./check-layout.ts";
import { chain, problem, problems, step, storages } from "./problems.ts";

/** The layout, or the bytes that the error says are needed. */
function planOrNeed(given: PlanProblem): Layout | number {
  try {
    return planMemory(given);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    expect(error.code).toBe("arena-overflow");
    const [, need, have] = /needs (\d+) bytes of SRAM, the budget is (\d+);/.exec(error.message) ?? [];
    expect(Number(have)).toBe(given.budget);
    return Number(need);
  }
}

function streamedBytes({ steps }: PlanProblem, { weights }: Layout): number {
  return steps.reduce((sum, { weights: own }, index) => {
    return sum + (weights[index]?.kind === "streamed" && own ? own.blocks * own.blockBytes : 0);
  }, 0);
}

describe("any problem", () => {
  test("without a limit everything is resident, nothing overlaps, the figures are right", () => {
    fc.assert(
      fc.property(problems, (given) => {
        const layout = planMemory(given);
        expect(faultsOf(given, layout)).toEqual([]);
        expect(layout.weights.some((placement) => placement.kind === "streamed")).toBe(false);
        expect(layout.arenaBytes).toBeGreaterThanOrEqual(leastArenaBytes(given));
      }),
      { numRuns: 500 },
    );
  });

  test("with a limit the layout is right, or the error names the least bytes that would do", () => {
    const outcomes = { resident: 0, streamed: 0, refused: 0 };
    fc.assert(
      fc.property(problems, fc.integer({ min: 20, max: 105 }), (unlimited, percent) => {
        const { ramBytes } = planMemory(unlimited);
        const given = { ...unlimited, budget: Math.round((ramBytes * percent) / 100) };
        const plan = planOrNeed(given);
        if (typeof plan !== "number") {
          expect(faultsOf(given, plan)).toEqual([]);
          outcomes[streamedBytes(given, plan) > 0 ? "streamed" : "resident"]++;
          return;
        }
        outcomes.refused++;
        expect(plan).toBeGreaterThan(given.budget);
        const enough = { ...given, budget: plan };
        expect(faultsOf(enough, planMemory(enough))).toEqual([]);
        expect(planOrNeed({ ...given, budget: plan - 1 })).toBe(plan);
      }),
      { numRuns: 1000 },
    );
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(20);
  });

  test("the same problem gives the same layout", () => {
    fc.assert(
      fc.property(problems, (given) => {
        const tight = { ...given, budget: Math.round(planMemory(given).ramBytes * 0.8) };
        expect(planOrNeed(structuredClone(tight))).toEqual(planOrNeed(tight));
      }),
      { numRuns: 100 },
    );
  });
});

describe("placement", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 2, maxLength: 165, size: "max" });
  const aligned = sizes.map((list) => list.map((size) => 16 * size));

  test("a chain needs its largest pair of neighbours", () => {
    fc.assert(
      fc.property(aligned, (list) => {
        const pairs = list.slice(1).map((size, index) => size + (list[index] ?? 0));
        expect(planMemory(chain(list)).arenaBytes).toBe(Math.max(...pairs));
      }),
    );
  });

  test("a chain in place needs its largest tensor, of any size", () => {
    fc.assert(
      fc.property(sizes, (list) => {
        expect(planMemory(chain(list, 0)).arenaBytes).toBe(Math.max(...list));
      }),
    );
  });

  test("an output begins its distance below the input", () => {
    expect(planMemory(chain([4800, 4800], 320)).arenaBytes).toBe(5120);
    expect(planMemory(chain([4800, 9600], 320)).arenaBytes).toBe(9600);
    expect(planMemory(chain([4800, 4800], 4800)).arenaBytes).toBe(9600);
    expect(planMemory(chain([4800, 4800], 9999)).arenaBytes).toBe(9600);
    // Three in a row drift: 4800 + 2 · 320.
    expect(planMemory(chain([4800, 4800, 4800], 320)).arenaBytes).toBe(5440);
    // ... until the tensors fit side by side.
    expect(
      planMemory(
        chain(
          Array.from({ length: 40 }, () => 4800),
          320,
        ),
      ).arenaBytes,
    ).toBe(9600);
  });

  test("neighbours meet from both ends", () => {
    expect(planMemory(chain([160, 64, 48, 160])).arenaBytes).toBe(224);
  });

  test("an inverted residual of mcunet: the expanded tensor dies into its depthwise output", () => {
    const given = problem({
      storages: storages([12_800, -1, 0], [76_800, 0, 1], [76_800, 1, 2], [12_800, 2, 4], [19_200, 3, 4]),
      steps: [
        step({ name: "expand" }),
        step({ name: "depthwise", scratchBytes: 2000, overlaps: [{ input: 1, output: 2, distance: 0 }] }),
        step({ name: "project" }),
        step({ name: "next" }),
      ],
    });
    const layout = planMemory(given);
    expect(faultsOf(given, layout)).toEqual([]);
    expect(layout.arenaBytes).toBe(76_800 + 12_800);
    // In place beside 12,800 free bytes, which hold the scratch.
    expect(layout.scratchBytes).toBe(0);
  });

  test("a residual connection keeps its input beside the branch, and the sum replaces either", () => {
    const given = problem({
      storages: storages([1600, -1, 2], [3200, 0, 1], [1600, 1, 2], [1600, 2, 3]),
      steps: [
        step(),
        step(),
        step({
          overlaps: [
            { input: 0, output: 3, distance: 0 },
            { input: 2, output: 3, distance: 0 },
          ],
        }),
      ],
    });
    expect(planMemory(given).arenaBytes).toBe(6400);
  });

  test("an overlap needs an input that dies and an output that is born", () => {
    const kept = problem({
      storages: storages([1600, -1, 1], [1600, 0, 1]),
      steps: [step({ overlaps: [{ input: 0, output: 1, distance: 0 }] }), step()],
    });
    expect(planMemory(kept).arenaBytes).toBe(3200);
  });

  test("scratch lies between activations where it fits, else above them", () => {
    const beside = (scratchBytes: number): PlanProblem =>
      problem({
        storages: storages([1600, -1, 0], [1600, 0, 1], [160, 1, 2]),
        steps: [step(), step({ scratchBytes })],
      });
    expect(planMemory(beside(1440))).toMatchObject({ arenaBytes: 3200, scratchBytes: 0 });
    expect(planMemory(beside(1500))).toMatchObject({ arenaBytes: 3200, scratchBytes: 60 });
  });

  test("165 steps are planned at once, not in hours", () => {
    const given = chain(
      Array.from({ length: 166 }, (_, index) => 16 * ((index * 7919) % 5003)),
      320,
    );
    const start = performance.now();
    expect(faultsOf(given, planMemory(given))).toEqual([]);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe("weights", () => {
  /** Four layers of 10 blocks of 100 bytes between activations of 640 bytes. */
  const layers = (budget: number, overlaps = false): PlanProblem => {
    const list = chain([640, 640, 640, 640, 640], overlaps ? 0 : undefined);
    const weights = { blocks: 10, blockBytes: 100 };
    return { ...list, budget, steps: list.steps.map((own) => ({ ...own, weights })) };
  };
  /** 64 + 4 · 64 of plan, 4 · 1008 of weights, 2 · 640 of activations, slack. */
  const ALL = 320 + 4032 + 1280 + 16;

  test("stay resident when they fit", () => {
    const layout = planMemory(layers(ALL));
    expect(layout.ramBytes).toBe(ALL);
    expect(layout.weights.map((placement) => placement.kind)).toEqual(Array(4).fill("resident"));
    expect(planMemory(layers(Infinity))).toEqual(layout);
  });

  test("are streamed one layer at a time as the budget falls, in large tiles", () => {
    // One streamed layer frees 1008 bytes, and needs a fetch record and a tile above the activations.
    const layout = planMemory(layers(ALL - 1));
    expect(layout.weights.filter((placement) => placement.kind === "streamed")).toEqual([
      expect.objectContaining({ tiles: 2, blocksPerTile: 5 }),
    ]);
  });

  test("are not streamed into several tiles where the input is overwritten meanwhile", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1200, max: 5000 }), (budget) => {
        const given = layers(budget, true);
        const plan = planOrNeed(given);
        if (typeof plan !== "number") expect(faultsOf(given, plan)).toEqual([]);
      }),
    );
  });

  test("take what is left of the budget for fewer tiles", () => {
    // Two layers in four tiles take less time than one in ten.
    const tileCounts = [0, 300, 700].map((more) => {
      const { weights } = planMemory(layers(ALL - 2 * 1008 + more));
      return weights.reduce((sum, own) => sum + (own.kind === "streamed" ? own.tiles : 0), 0);
    });
    expect(tileCounts).toEqual([4, 3, 3]);
  });

  test("are streamed in several tiles where that outweighs an overlap", () => {
    const weights = { blocks: 10, blockBytes: 1000 };
    const list = chain([1600, 1600], 0);
    const given = { ...list, steps: list.steps.map((own) => ({ ...own, weights })) };
    // In place with one tile: 1600 + 10,000. Apart with tiles of one block: 3200 + 1000, and ten records.
    expect(planMemory({ ...given, budget: 13_000 })).toMatchObject({ arenaBytes: 1600 });
    const layout = planMemory({ ...given, budget: 6000 });
    expect(faultsOf(given, layout)).toEqual([]);
    expect(layout.arenaBytes).toBe(3200);
  });

  test("fill holes before they raise the arena", () => {
    // The second step has 1280 - 160 bytes free below the top of the first.
    const given = problem({
      storages: storages([640, -1, 0], [640, 0, 0], [80, 0, 1], [80, 1, 2]),
      steps: [step(), step({ weights: { blocks: 4, blockBytes: 250 } })],
      budget: 64 + 2 * 64 + 20 + 1360 + 16 + 16,
    });
    const layout = planMemory(given);
    expect(faultsOf(given, layout)).toEqual([]);
    expect(layout).toMatchObject({ arenaBytes: 1360, weightTileBytes: 0, residentWeightBytes: 0 });
    expect(layout.weights[1]).toMatchObject({ tiles: 1, blocksPerTile: 4 });
  });

  test("spends as little time on copies as an exhaustive search over what stays", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 7 }),
        fc.integer({ min: 30, max: 99 }),
        (blocks, percent) => {
          // Every blob fits the hole beside the activations, so that only the choice matters.
          const list = chain([16_000, 16_000, ...blocks.map(() => 16)]);
          const steps = list.steps.map((own, index) => {
            const count = blocks[index - 1];
            return count === undefined ? own : { ...own, weights: { blocks: count, blockBytes: 160 } };
          });
          const weightBytes = 160 * blocks.reduce((sum, count) => sum + count, 0);
          const fixed = planMemory(list).ramBytes + 16 + 20 * blocks.length;
          const budget = fixed + Math.floor((weightBytes * percent) / 100);
          const given = { ...list, steps, budget };

          let least = Infinity;
          for (let stay = 0; stay < 2 ** blocks.length; stay++) {
            const kept = blocks.filter((_, index) => (stay >> index) & 1);
            const bytes = 160 * kept.reduce((sum, count) => sum + count, 0);
            const plan = 64 + 64 * steps.length + 20 * (blocks.length - kept.length);
            const total = Math.ceil(plan / 16) * 16 + bytes + 32_000 + 16;
            if (total <= budget) {
              least = Math.min(least, copyCycles(weightBytes - bytes, blocks.length - kept.length));
            }
          }
          const layout = planMemory(given);
          const streamed = layout.weights.filter(({ kind }) => kind === "streamed").length;
          expect(copyCycles(streamedBytes(given, layout), streamed)).toBe(least);
        },
      ),
    );
  });
});

describe("over budget", () => {
  test("the error says what is needed, where the peak is, who is alive there, and what to do", () => {
    const given = problem({
      storages: [
        { id: 0, name: "image", bytes: 1600, firstStep: -1, lastStep: 0 },
        { id: 1, name: "features", bytes: 4800, firstStep: 0, lastStep: 1 },
        { id: 2, name: "scores", bytes: 16, firstStep: 1, lastStep: 2 },
      ],
      steps: [step({ name: "conv", scratchBytes: 100 }), step({ name: "pool" })],
      budget: 4096,
    });
    expect(() => planMemory(given)).toThrow(
      new MemoryError(
        "arena-overflow",
        "the model needs 6708 bytes of SRAM, the budget is 4096; " +
          "raise `sram` to 6708 or more, or use a smaller model. " +
          "Of these bytes: plan 192, resident weights 0, activations 6400, scratch 100, tiles of weights 0, slack 16; " +
          'the peak is step "conv", where these are alive, some in bytes of others: "features" (4800), "image" (1600), its scratch (100)',
        { neededBytes: 6708 },
      ),
    );
  });

  test("names of any length leave the message short", () => {
    const given = problem({
      storages: Array.from({ length: 100 }, (_, id) => {
        return { id, name: "x".repeat(10_000), bytes: 100 + id, firstStep: -1, lastStep: 0 };
      }),
      steps: [step({ name: "y".repeat(10_000) })],
      budget: 1000,
    });
    expect(() => planMemory(given)).toThrow(/^.{200,1200}$/);
    expect(() => planMemory(given)).toThrow("92 more");
  });
});
