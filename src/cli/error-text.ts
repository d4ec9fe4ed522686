import { ThimbleError } from "../index.ts";
import { UsageError } from "./arguments.ts";
import { printable } from "./table.ts";

/** What the command line says of an error, a line for stderr. */
export function errorText(error: unknown): string {
  return `thimble: ${printable(reasonOf(error), false)}\n`;
}

function reasonOf(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof ThimbleError) return `${error.code}: ${withOptions(error.message)}`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `this is a bug in thimble, please report it: ${stack}`;
}

/** What a program gives to `compile`, as it is given here. */
const OPTIONS: readonly (readonly [RegExp, string])[] = [
  [/`sram`/g, "--sram"],
  [/`schedule: "(\w+)"`/g, "--schedule $1"],
  [/`variant: "(\w+)"`/g, "--variant $1"],
  [/`input: "streamed"`/g, "--rows"],
  [/`maxRecompute: ([\d.]+)`/g, "--max-recompute $1"],
];

function withOptions(message: string): string {
  return OPTIONS.reduce((text, [code, option]) => text.replace(code, option), message);
}
