import { parseArgs } from "node:util";
import type { PictureOptions } from "../front/image.ts";
import { FITS, RANGES } from "../front/image.ts";
import type { CompileOptions } from "../index.ts";
import { VARIANTS } from "../index.ts";
import { SCHEDULES } from "../plan/schedule.ts";

/** Wrong use of the command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const OPTIONS = {
  input: { type: "string", multiple: true, short: "i" },
  output: { type: "string", short: "o" },
  labels: { type: "string" },
  trace: { type: "string" },
  top: { type: "string" },
  quantize: { type: "boolean" },
  fit: { type: "string" },
  range: { type: "string" },
  time: { type: "string" },
  profile: { type: "boolean" },
  plan: { type: "boolean" },
  svg: { type: "string" },
  budget: { type: "string" },
  target: { type: "string" },
  bundle: { type: "boolean" },
  schedule: { type: "string" },
  rows: { type: "boolean" },
  "max-recompute": { type: "string" },
  sram: { type: "string" },
  variant: { type: "string" },
  "no-passes": { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

export type OptionName = keyof typeof OPTIONS;

/** What the subcommands take. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** The files after the command and the model. */
  readonly data: readonly string[];
  /** Names of the options that were given. */
  readonly given: readonly OptionName[];
  readonly inputs: readonly string[];
  readonly output: string | undefined;
  readonly labels: string | undefined;
  readonly trace: string | undefined;
  readonly top: number;
  /** Inputs hold real numbers, to be quantised for int8 and int16 ports. */
  readonly quantize: boolean;
  /** How pictures become inputs. */
  readonly picture: PictureOptions;
  /** Milliseconds. */
  readonly time: number;
  /** Times every step. */
  readonly profile: boolean;
  readonly plan: boolean;
  /** File to draw into: the memory map, or the roofline. */
  readonly svg: string | undefined;
  /** Bytes that a model is to be tried in. */
  readonly budget: number | undefined;
  /** What microcontrollers are to run. */
  readonly target: Target | undefined;
  /** Kernels and image as one WebAssembly module. */
  readonly bundle: boolean;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly options: CompileOptions;
  /** Of the second model that `diff` compares: as `options`, but for what was given for each. */
  readonly otherOptions: CompileOptions;
}

/** @throws UsageError with what is wrong */
export function parseArguments(argv: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({ args: withValues(argv), allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new UsageError(`${complaintOf(error)}; see thimble --help`);
  }
  const { values, positionals } = parsed;
  // Only `diff` takes two of them: "mcu,simd".
  const sideOf = (text: string, side: 0 | 1): string => {
    const sides = positionals[0] === "diff" ? text.split(",") : [];
    return sides.length === 2 ? (sides[side] ?? text) : text;
  };
  const planning = (side: 0 | 1): CompileOptions => {
    const { sram, variant, schedule, rows, "max-recompute": share, "no-passes": noPasses } = values;
    return {
      ...(sram === undefined ? {} : { sram: sramBytes(sram) }),
      ...(variant === undefined ? {} : { variant: oneOf("--variant", VARIANTS, sideOf(variant, side)) }),
      ...(schedule === undefined ? {} : { schedule: oneOf("--schedule", SCHEDULES, sideOf(schedule, side)) }),
      ...(rows === true ? { input: "streamed" as const } : {}),
      ...(share === undefined ? {} : { maxRecompute: shareOf(share) }),
      ...(noPasses === true ? { passes: [] } : {}),
    };
  };
  return {
    positionals,
    data: positionals.slice(2),
    // parseArgs is strict: it lets only the keys of OPTIONS through.
    given: Object.keys(values) as OptionName[],
    inputs: values.input ?? [],
    output: values.output,
    labels: values.labels,
    trace: values.trace,
    top: wholeNumber("--top", values.top ?? "5"),
    quantize: values.quantize ?? false,
    picture: {
      ...(values.fit === undefined ? {} : { fit: oneOf("--fit", FITS, values.fit) }),
      ...(values.range === undefined ? {} : { range: oneOf("--range", RANGES, values.range) }),
    },
    time: wholeNumber("--time", values.time ?? "1000"),
    profile: values.profile ?? false,
    plan: values.plan ?? false,
    svg: values.svg,
    budget: values.budget === undefined ? undefined : budgetBytes(values.budget),
    target: values.target === undefined ? undefined : oneOf("--target", TARGETS, values.target),
    bundle: values.bundle ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
    options: planning(0),
    otherOptions: planning(1),
  };
}

/** "--range -1..1" as "--range=-1..1": a number below 0 is no option, though Node takes it for one. */
function withValues(argv: readonly string[]): string[] {
  const args: string[] = [];
  for (const arg of argv) {
    const last = args.at(-1) ?? "";
    const takesValue = Object.entries(OPTIONS).some(
      ([name, { type }]) => type === "string" && last === `--${name}`,
    );
    if (takesValue && /^-[\d.]/.test(arg)) args.splice(-1, 1, `${last}=${arg}`);
    else args.push(arg);
  }
  return args;
}

/** Node's own words, but of options that do not exist: it takes them for misplaced files. */
function complaintOf(error: unknown): string {
  const words = error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
  const unknown = /^Unknown option '(.+?)'/.exec(words)?.[1];
  return unknown === undefined ? words : `there is no option ${unknown}`;
}

function wholeNumber(name: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 2 ** 31)
    throw new UsageError(`${name} takes a whole number above 0, not "${text}"`);
  return value;
}

/** 65536, 64K, 256KiB, 1.5M, unbounded. */
function sramBytes(text: string): number | "unbounded" {
  if (text === "unbounded") return text;
  return bytesOf(text, `--sram takes bytes (65536, 64K, 1.5M; up to 2G) or "unbounded", not "${text}"`);
}

function budgetBytes(text: string): number {
  return bytesOf(text, `--budget takes bytes (65536, 64K, 1.5M; up to 2G), not "${text}"`);
}

function bytesOf(text: string, complaint: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+(?=[kmg]))?)([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * 1024 ** ["", "k", "m", "g"].indexOf(unit.toLowerCase()));
  if (bytes < 1 || bytes > 2 ** 31) throw new UsageError(complaint);
  return bytes;
}

function oneOf<Name extends string>(option: string, names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new UsageError(`${option} takes ${names.join(", ")}, not "${text}"`);
  return found;
}

function shareOf(text: string): number {
  const share = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (share >= 0 && share <= 10) return share;
  throw new UsageError(`--max-recompute takes a share of the model's MACs such as 0.15, not "${text}"`);
}

const TARGETS = ["mcu", "wasm2c"] as const;
export type Target = (typeof TARGETS)[number];
