import { parseArgs } from "node:util";
import type { CompileOptions } from "../index.ts";
import { VARIANTS } from "../index.ts";

/** Wrong use of the command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What the subcommands take. */
export interface Arguments {
  readonly positionals: readonly string[];
  readonly inputs: readonly string[];
  readonly output: string | undefined;
  readonly labels: string | undefined;
  readonly trace: string | undefined;
  readonly top: number;
  readonly time: number;
  readonly plan: boolean;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly options: CompileOptions;
}

/** @throws UsageError with what is wrong */
export function parseArguments(argv: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        input: { type: "string", multiple: true, short: "i" },
        output: { type: "string", short: "o" },
        labels: { type: "string" },
        trace: { type: "string" },
        top: { type: "string", default: "5" },
        time: { type: "string", default: "1000" },
        sram: { type: "string" },
        variant: { type: "string" },
        "no-passes": { type: "boolean", default: false },
        plan: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        version: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  return {
    positionals,
    inputs: values.input ?? [],
    output: values.output,
    labels: values.labels,
    trace: values.trace,
    top: wholeNumber("--top", values.top),
    time: wholeNumber("--time", values.time),
    plan: values.plan,
    json: values.json,
    help: values.help,
    version: values.version,
    options: {
      ...(values.sram === undefined ? {} : { sram: sramBytes(values.sram) }),
      ...(values.variant === undefined ? {} : { variant: variantOf(values.variant) }),
      ...(values["no-passes"] ? { passes: [] } : {}),
    },
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`${name} takes a whole number above 0, not "${text}"`);
  return value;
}

/** 65536, 64K, 64KiB, 1M, unbounded. */
function sramBytes(text: string): number | "unbounded" {
  if (text === "unbounded") return text;
  const match = /^(\d+)\s*(k|m)?(i?b)?$/i.exec(text);
  if (match === null)
    throw new UsageError(`--sram takes bytes (65536, 64K, 1M) or "unbounded", not "${text}"`);
  const unit = { k: 1024, m: 1024 * 1024 }[(match[2] ?? "").toLowerCase()] ?? 1;
  return Number(match[1]) * unit;
}

function variantOf(text: string): NonNullable<CompileOptions["variant"]> {
  const variant = VARIANTS.find((name) => name === text);
  if (variant === undefined) throw new UsageError(`--variant takes ${VARIANTS.join(", ")}, not "${text}"`);
  return variant;
}
