import type { CompileOptions, Report } from "../index.ts";
import { compile, MemoryError } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { grouped, table } from "./table.ts";

/** One way to plan a model, and what it takes. */
interface Way {
  /** Options of the command line. */
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

const RECOMPUTE = 0.15;

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
  const ways: Omit<Way, "best">[] = [];
  const tryWay = (text: string, more: CompileOptions): void => {
    const report = reportOf(bytes, { ...options, name, ...more });
    if (report === undefined) return;
    const { ramBytes, cycles, streamedBytes, extraMacs } = report;
    ways.push({ options: text, fits: ramBytes <= budget, ramBytes, cycles, streamedBytes, extraMacs });
  };
  for (const [rows, input] of [
    ["", "resident"],
    [" --rows", "streamed"],
  ] as const) {
    tryWay(`--schedule layer${rows}`, { schedule: "layer", input, sram: "unbounded" });
    tryWay(`--sram ${budget}${rows}`, { input, sram: budget });
    tryWay(`--schedule minimum${rows}`, { schedule: "minimum", input, sram: ANYTHING });
    tryWay(`--schedule minimum${rows} --max-recompute ${RECOMPUTE}`, {
      schedule: "minimum",
      input,
      sram: ANYTHING,
      maxRecompute: RECOMPUTE,
    });
  }
  ways.sort((a, b) => a.ramBytes - b.ramBytes || a.cycles - b.cycles);
  let least = Infinity;
  const judged = ways.map((way): Way => {
    const best = way.cycles < least;
    least = Math.min(least, way.cycles);
    return { ...way, best };
  });
  const fits = judged.some((way) => way.fits);
  return {
    text: json ? JSON.stringify({ budget, fits, ways: judged }, undefined, 2) : verdictText(judged, budget),
    fits,
  };
}

/** A budget that all models fit whose least bytes are asked for. */
const ANYTHING = 2 ** 31;

function reportOf(bytes: Uint8Array, options: CompileOptions): Report | undefined {
  try {
    return compile(bytes, options).report;
  } catch (error) {
    if (error instanceof MemoryError) return undefined;
    throw error;
  }
}

function verdictText(ways: readonly Way[], budget: number): string {
  const fitting = ways.filter(({ fits }) => fits);
  const fastest = fitting.reduce<Way | undefined>(
    (best, way) => (best && best.cycles <= way.cycles ? best : way),
    undefined,
  );
  const [smallest] = ways;
  const verdict =
    fastest === undefined
      ? `does not fit ${grouped(budget)} bytes: the least is ${grouped(smallest?.ramBytes ?? 0)}, with ${smallest?.options ?? ""}; ` +
        "use a smaller model or input, or more memory"
      : `fits ${grouped(budget)} bytes: fastest with ${fastest.options} (${grouped(fastest.ramBytes)} bytes)`;
  const base = Math.min(...ways.map(({ cycles }) => cycles));
  return [
    verdict,
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
        way.best ? "*" : "",
      ]),
    ),
    "",
    "time is estimated, against the fastest here; * nothing else needs less and is faster",
  ].join("\n");
}
