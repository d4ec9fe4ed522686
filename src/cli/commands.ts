import type { Arguments, OptionName } from "./arguments.ts";
import { bench } from "./bench.ts";
import { compileToFile } from "./compile.ts";
import { diff } from "./diff.ts";
import { inspect } from "./inspect.ts";
import { quantizeToFile } from "./quantize.ts";
import { run } from "./run.ts";

export interface Command {
  readonly answer: (path: string, args: Arguments) => Promise<string> | AsyncIterable<string>;
  /** Its options, besides those of all commands. */
  readonly takes: readonly OptionName[];
  /** Files may follow the model. */
  readonly takesData?: true;
}

/** How a model is planned. */
export const PLANNING: readonly OptionName[] = [
  "sram",
  "schedule",
  "rows",
  "max-recompute",
  "variant",
  "no-passes",
];
export const COMMON: readonly OptionName[] = ["json", "help", "version"];

export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["inspect", { answer: inspect, takes: [...PLANNING, "plan", "svg", "budget"] }],
  [
    "run",
    {
      answer: run,
      takes: [...PLANNING, "input", "quantize", "fit", "range", "labels", "top", "trace"],
      takesData: true,
    },
  ],
  ["bench", { answer: bench, takes: [...PLANNING, "time", "profile", "svg"] }],
  ["diff", { answer: diff, takes: [...PLANNING, "input", "quantize", "fit", "range"], takesData: true }],
  ["compile", { answer: compileToFile, takes: [...PLANNING, "output", "target", "bundle"] }],
  ["quantize", { answer: quantizeToFile, takes: ["output"], takesData: true }],
]);
