#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { ThimbleError } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import { bench } from "./bench.ts";
import { compileToFile } from "./compile.ts";
import { inspect } from "./inspect.ts";
import { run } from "./run.ts";

const HELP = `thimble: int8 neural networks in a fixed, SRAM-sized memory

  thimble inspect MODEL              operators, every byte of SRAM, the memory map
  thimble run MODEL --input FILE     one inference; FILE is raw bytes, .npy or .json
  thimble bench MODEL                latency, and a profile of the steps
  thimble compile MODEL -o IMAGE     write the compiled image

MODEL is a .tflite file, or a .thimble image.

  --sram BYTES     plan for so much SRAM: 65536, 64K, 1M, unbounded (default 256K)
  --variant NAME   mcu, simd or relaxed (default: the fastest that this engine proves)
  --no-passes      compile the graph as the file has it
  --json           print JSON
  --plan           inspect: the records, disassembled
  --labels FILE    run: a class name a line
  --top N          run: so many classes (default 5)
  --trace FILE     run: write every tensor, a JSON object a line
  --time MS        bench: how long to measure (default 1000)

Exit codes: 0 done, 1 the model or an input is at fault, 2 wrong usage, 70 a bug in thimble.`;

const COMMANDS: Readonly<Record<string, (path: string, args: Arguments) => Promise<string>>> = {
  inspect,
  run,
  bench,
  compile: compileToFile,
};

async function answer(argv: readonly string[]): Promise<string> {
  const args = parseArguments(argv);
  if (args.version) return version();
  const [name, path, ...rest] = args.positionals;
  if (args.help) return HELP;
  if (name === undefined) throw new UsageError("no command; see thimble --help");
  const command = COMMANDS[name];
  if (command === undefined) {
    throw new UsageError(`there is no command "${name}"; choose one of ${Object.keys(COMMANDS).join(", ")}`);
  }
  if (path === undefined || rest.length > 0)
    throw new UsageError(`${name} takes one MODEL; see thimble --help`);
  return command(path, args);
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}

function exitCode(error: unknown): number {
  if (error instanceof UsageError) return 2;
  return error instanceof ThimbleError ? 1 : 70;
}

function errorText(error: unknown): string {
  if (error instanceof UsageError) return `thimble: ${error.message}`;
  if (error instanceof ThimbleError) return `thimble: ${error.code}: ${error.message}`;
  return `thimble: this is a bug in thimble, please report it: ${error instanceof Error ? (error.stack ?? "") : String(error)}`;
}

// A reader that has seen enough (`thimble inspect … | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 70);
});

try {
  process.stdout.write(`${await answer(process.argv.slice(2))}\n`);
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = exitCode(error);
}
