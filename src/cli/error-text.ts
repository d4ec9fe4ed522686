import { ThimbleError } from "../index.ts";
import { UsageError } from "./arguments.ts";
import { printable } from "./table.ts";

/** What the command line says of an error, a line for stderr. */
export function errorText(error: unknown): string {
  return `thimble: ${printable(reasonOf(error), false)}\n`;
}

function reasonOf(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof ThimbleError) return `${error.code}: ${error.message}`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `this is a bug in thimble, please report it: ${stack}`;
}
