#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { InputError, ThimbleError } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import { COMMANDS, COMMON } from "./commands.ts";
import { errorText } from "./error-text.ts";
import { refuseOverwriting } from "./files.ts";
import { HELP } from "./help.ts";
import { operators } from "./operators.ts";
import { printable } from "./table.ts";

async function* answer(args: Arguments): AsyncGenerator<string, void> {
  if (args.version || args.help) {
    yield args.version ? version() : HELP;
    return;
  }
  const [name, path, ...rest] = args.positionals;
  if (name === undefined) throw new UsageError("no command; see thimble --help");
  if (name === "operators") {
    if (path !== undefined || args.given.some((option) => option !== "json"))
      throw new UsageError("operators takes no MODEL and no option but --json");
    yield operators(args);
    return;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    throw new UsageError(
      `there is no command "${name}"; choose one of ${[...COMMANDS.keys(), "operators"].join(", ")}`,
    );
  }
  if (path === undefined || (rest.length > 0 && command.takesData !== true))
    throw new UsageError(`${name} takes one MODEL; see thimble --help`);
  const foreign = args.given.find((option) => !COMMON.includes(option) && !command.takes.includes(option));
  if (foreign !== undefined) throw new UsageError(`${name} takes no --${foreign}; see thimble --help`);
  await refuseOverwriting(readBy(args), writtenBy(args));
  const parts = command.answer(path, args);
  if (parts instanceof Promise) yield parts;
  else yield* parts;
}

/** The files that a command reads: the model, and what is given to it. */
function readBy({ positionals, inputs, labels }: Arguments): string[] {
  return [...positionals.slice(1), ...inputs, labels].filter((path) => path !== undefined);
}

function writtenBy({ output, svg, trace }: Arguments): string[] {
  return [output, svg, trace].filter((path) => path !== undefined);
}

function version(): string {
  // The package's own manifest, which npm has checked.
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}

function exitCode(error: unknown): number {
  if (error instanceof UsageError) return 2;
  return error instanceof ThimbleError ? 1 : 70;
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`thimble inspect … | head`) is no error.
  if (error.code === "EPIPE") process.exit(0);
  const words = `the answer could not be written (${error.message}); send it to where there is room`;
  process.stderr.write(errorText(new InputError("unwritable", words)));
  process.exit(1);
});

try {
  const args = parseArguments(process.argv.slice(2));
  for await (const text of answer(args)) process.stdout.write(`${printable(text, args.json)}\n`);
} catch (error) {
  process.stderr.write(errorText(error));
  process.exitCode = exitCode(error);
}
