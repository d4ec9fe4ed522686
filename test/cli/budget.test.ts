import { expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import { parseArguments } from "../../src/cli/arguments.ts";
import { budgetVerdict } from "../../src/cli/budget.ts";
import { compile } from "../../src/index.ts";
import { hasShared, modelBytes } from "../shared.ts";

interface Way {
  readonly options: string;
  readonly fits: boolean;
  readonly ramBytes: number;
  readonly cycles: number;
  readonly streamedBytes: number;
  readonly extraMacs: number;
  readonly best: boolean;
}

const bytes = depthwiseNet(2);

function ask(
  budget: number,
  { model = bytes, options = [] }: { model?: Uint8Array; options?: readonly string[] } = {},
): { fits: boolean; ways: Way[] } {
  const args = parseArguments(["inspect", "net", "--variant", "mcu", ...options]);
  const { text, fits } = budgetVerdict(model, "net", budget, { ...args, json: true });
  const parsed = JSON.parse(text) as { budget: number; fits: boolean; ways: Way[] };
  expect(parsed).toMatchObject({ budget, fits });
  return parsed;
}

function tell(budget: number): string {
  const args = parseArguments(["inspect", "net", "--variant", "mcu"]);
  return budgetVerdict(bytes, "net", budget, args).text;
}

const least = (): number => ask(1).ways[0]?.ramBytes ?? NaN;

test("a model fits from its least bytes on, and not a byte below", () => {
  const bytes = least();
  expect(ask(bytes).fits).toBe(true);
  expect(ask(bytes - 1).fits).toBe(false);
});

test("the options of a way give its very plan", () => {
  for (const budget of [1000, least() + 200, 20 * 1024, 64 * 1024]) {
    const { ways } = ask(budget);
    expect(ways.length).toBeGreaterThan(2);
    for (const way of ways) {
      const { options } = parseArguments(way.options.split(" "));
      const { report } = compile(bytes, { ...options, variant: "mcu" });
      const { ramBytes, cycles, streamedBytes, extraMacs } = report;
      expect({ ramBytes, cycles, streamedBytes, extraMacs }).toEqual({
        ramBytes: way.ramBytes,
        cycles: way.cycles,
        streamedBytes: way.streamedBytes,
        extraMacs: way.extraMacs,
      });
      expect(way.fits).toBe(ramBytes <= budget);
      if (options.sram !== "unbounded") expect(options.sram).toBeLessThanOrEqual(Math.max(budget, ramBytes));
    }
  }
});

test("ways come from the fewest bytes on, and a mark tells those that nothing beats", () => {
  const { ways } = ask(20 * 1024);
  expect(ways).toEqual(ways.toSorted((a, b) => a.ramBytes - b.ramBytes || a.cycles - b.cycles));
  for (const way of ways) {
    const beaten = ways.some(
      (other) => other !== way && other.ramBytes <= way.ramBytes && other.cycles <= way.cycles,
    );
    expect(way.best).toBe(!beaten);
  }
});

test("the verdict says whether anything has to change, and to what", () => {
  expect(tell(64 * 1024)).toMatch(/^fits 65,536 bytes as it is: [\d,]+ with --sram 65536\n/);
  expect(tell(1024)).toMatch(
    /^does not fit 1,024 bytes: the least found is [\d,]+, with --schedule minimum --sram \d+[^;]*; use a smaller model/,
  );
  expect(tell(least())).toMatch(/^fits [\d,]+ bytes.* with --/);
});

test("the smallest and the fastest that fit are marked once each, and nothing where none fits", () => {
  const marks = (text: string, mark: string): number => text.split(mark).length - 1;
  for (const [budget, wanted] of [
    [64 * 1024, 1],
    [least(), 1],
    [1024, 0],
  ] as const) {
    const text = tell(budget);
    expect(marks(text, "smallest that fits")).toBe(wanted);
    expect(marks(text, "fastest that fits")).toBe(wanted);
  }
});

test.runIf(hasShared)("no more work is done twice than --max-recompute allows", () => {
  const model = modelBytes("person_detect_int8");
  const { macs } = compile(model, { variant: "mcu" }).report;
  const most = (...options: string[]): number =>
    Math.max(...ask(1, { model, options }).ways.map(({ extraMacs }) => extraMacs));
  expect(most()).toBeGreaterThan(0.01 * macs);
  expect(most()).toBeLessThanOrEqual(0.15 * macs);
  expect(most("--max-recompute", "0.01")).toBeLessThanOrEqual(0.01 * macs);
  const none = ask(1, { model, options: ["--max-recompute", "0"] });
  for (const { extraMacs, options } of none.ways) {
    expect(extraMacs).toBe(0);
    expect(options).not.toContain("recompute");
  }
});

test.each([
  ["--sram", "64K"],
  ["--schedule", "layer"],
  ["--rows", ""],
])("%s is what the question decides itself", (option, value) => {
  const options = [option, value].filter((word) => word !== "");
  expect(() => ask(1024, { options })).toThrow(/leave --sram, --schedule and --rows out/);
});
