import type { CompileOptions, Report } from "../index.ts";
import { compile, MemoryError } from "../index.ts";
import { grouped } from "../memory/grouped.ts";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { table } from "./table.ts";

/** One way to plan a model, and what it takes. */
interface Way {
  /** Options of the command line that give this plan. */
  readonly options: string;
  readonly fits: boolean;
  readonly ramBytes: number;
  readonly cycles: number;
  readonly streamedBytes: number;
  readonly extraMacs: number;
  /** No other way needs less and takes less time. */
  readonly best: boolean;
}

/** What `inspect --budget` answers. */
export interface Verdict {
  readonly text: string;
  readonly fits: boolean;
}

/** Share of the MACs that is tried unless --max-recompute gives another. */
const RECOMPUTE = 0.15;
/** A budget that all models fit whose least bytes are asked for. */
const ANYTHING = 2 ** 31;

/**
 * Whether a model fits a budget, and what to change if not: the ways to plan it, from the fewest bytes on.
 * @throws UsageError with options that this question decides itself
 */
export function budgetVerdict(
  bytes: Uint8Array,
  name: string,
  budget: number,
  { options, json }: Pick<Arguments, "options" | "json">,
): Verdict {
  if (options.sram !== undefined || options.schedule !== undefined || options.input !== undefined) {
    throw new UsageError(
      "--budget tries schedules and inputs itself: leave --sram, --schedule and --rows out",
    );
  }
  const ways = paretoOf(waysOf(bytes, name, budget, options), budget);
  const fits = ways.some((way) => way.fits);
  return {
    text: json ? JSON.stringify({ budget, fits, ways }, undefined, 2) : verdictText(ways, budget),
    fits,
  };
}

interface Trial {
  readonly options: string;
  readonly report: Report;
}

/** The simplest first. */
function waysOf(bytes: Uint8Array, name: string, budget: number, options: CompileOptions): Trial[] {
  const trials: Trial[] = [];
  const { maxRecompute = RECOMPUTE, ...rest } = options;
  const tryWay = (more: CompileOptions): boolean => {
    const report = reportOf(bytes, { ...rest, name, ...more });
    if (report !== undefined) trials.push({ options: commandOptions(more, report, budget), report });
    return report !== undefined;
  };
  for (const input of ["resident", "streamed"] as const) {
    const fits = tryWay({ input, sram: budget });
    // Work is done twice only where a plan does not fit without.
    if (!fits && maxRecompute > 0) tryWay({ input, sram: budget, maxRecompute });
    tryWay({ input, schedule: "layer", sram: budget });
    tryWay({ input, schedule: "layer", sram: "unbounded" });
    tryWay({ input, schedule: "minimum", sram: ANYTHING });
    if (maxRecompute > 0) tryWay({ input, schedule: "minimum", sram: ANYTHING, maxRecompute });
  }
  return trials;
}

function reportOf(bytes: Uint8Array, options: CompileOptions): Report | undefined {
  try {
    return compile(bytes, options).report;
  } catch (error) {
    if (error instanceof MemoryError) return undefined;
    throw error;
  }
}

/** Written out in full, so that the commands give the very plan. */
function commandOptions(
  { schedule, sram, input, maxRecompute }: CompileOptions,
  { ramBytes }: Report,
  budget: number,
): string {
  const least = schedule === "minimum" ? Math.max(budget, ramBytes) : sram;
  return [
    ...(schedule === undefined ? [] : [`--schedule ${schedule}`]),
    `--sram ${least ?? budget}`,
    ...(input === "streamed" ? ["--rows"] : []),
    ...(maxRecompute === undefined ? [] : [`--max-recompute ${maxRecompute}`]),
  ].join(" ");
}

/** From the fewest bytes on; what gives the same plan twice is there once. */
function paretoOf(trials: readonly Trial[], budget: number): Way[] {
  const seen = new Set<string>();
  const distinct = trials.filter(({ report: { ramBytes, cycles, streamedBytes, extraMacs } }) => {
    const key = [ramBytes, cycles, streamedBytes, extraMacs].join();
    return !seen.has(key) && seen.add(key);
  });
  distinct.sort((a, b) => a.report.ramBytes - b.report.ramBytes || a.report.cycles - b.report.cycles);
  let least = Infinity;
  return distinct.map(({ options, report: { ramBytes, cycles, streamedBytes, extraMacs } }) => {
    const best = cycles < least;
    least = Math.min(least, cycles);
    return { options, fits: ramBytes <= budget, ramBytes, cycles, streamedBytes, extraMacs, best };
  });
}

function verdictText(ways: readonly Way[], budget: number): string {
  const fitting = ways.filter(({ fits }) => fits);
  const fastest = fitting.toSorted((a, b) => a.cycles - b.cycles)[0];
  const [smallest] = ways;
  const base = Math.min(...ways.map(({ cycles }) => cycles));
  const marksOf = (way: Way): string =>
    [
      ...(way.best ? ["*"] : []),
      ...(way === fastest ? ["fastest that fits"] : []),
      ...(way === fitting[0] ? ["smallest that fits"] : []),
    ].join(" ");
  return [
    fastest === undefined
      ? `does not fit ${grouped(budget)} bytes: the least found is ${grouped(smallest?.ramBytes ?? 0)}, with ${smallest?.options ?? ""}; ` +
        "use a smaller model or input, or more memory"
      : fitText(fastest, ways, budget),
    "",
    table(
      ["fits", "SRAM", "time", "from flash", "extra MACs", "options", ""],
      ways.map((way) => [
        way.fits ? "yes" : "no",
        grouped(way.ramBytes),
        `${(way.cycles / base).toFixed(2)}×`,
        grouped(way.streamedBytes),
        grouped(way.extraMacs),
        way.options,
        marksOf(way),
      ]),
    ),
    "",
    "time is estimated, against the fastest here; * nothing else needs less and is faster",
  ].join("\n");
}

/** As it is, or with what has to change. */
function fitText(fastest: Way, ways: readonly Way[], budget: number): string {
  const plain = ways.find(({ options, fits }) => fits && options === `--sram ${budget}`);
  if (plain !== undefined)
    return `fits ${grouped(budget)} bytes as it is: ${grouped(plain.ramBytes)} with ${plain.options}`;
  return `fits ${grouped(budget)} bytes, though not as it is: ${grouped(fastest.ramBytes)} with ${fastest.options}`;
}
