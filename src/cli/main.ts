#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { InputError, ThimbleError } from "../index.ts";
import type { Arguments, OptionName } from "./arguments.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import { bench } from "./bench.ts";
import { compileToFile } from "./compile.ts";
import { diff } from "./diff.ts";
import { errorText } from "./error-text.ts";
import { refuseOverwriting } from "./files.ts";
import { inspect } from "./inspect.ts";
import { operators } from "./operators.ts";
import { quantizeToFile } from "./quantize.ts";
import { run } from "./run.ts";
import { printable } from "./table.ts";

const HELP = `thimble: int8 neural networks in a fixed, SRAM-sized memory

  thimble inspect MODEL              operators, every byte of SRAM, the memory map
  thimble run MODEL --input FILE     one inference; --input once for each input of the model
  thimble run MODEL FILE FILE …      as many inferences, a line each
  thimble diff MODEL MODEL           compare all that two models make; one MODEL: in two variants or schedules
  thimble bench MODEL                latency; --profile: of every step
  thimble compile MODEL -o IMAGE     write the compiled image; --target mcu -o DIR: write what firmware needs
  thimble operators                  what models may use
  thimble quantize FLOAT-MODEL SAMPLES.npy -o MODEL  float32 .tflite to int8, scales set by float32 samples; a .npy per input

MODEL is a .tflite file, or a .thimble image. FILE is .npy, .json (an array of numbers), or the tensor's bytes; .png or .jpg
where the input is a picture, .wav where it is the features of keywords.

  -i, --input FILE   run, diff: the values of an input
  -o, --output FILE  compile, quantize: what to write; with --target a folder
  --sram BYTES     plan for so much SRAM: 65536, 64K, 1.5M, unbounded (default 256K)
  --schedule NAME  auto: the fastest plan that fits (default); minimum: the fewest bytes; layer: whole layers
  --rows           give inputs row by row: they take no place in SRAM but the rows in use
  --max-recompute SHARE  extra MACs allowed where they save SRAM: 0.15 allows 15 %
  --variant NAME   mcu, simd, relaxed or signed (default: the fastest that this engine proves)
  --variant A,B    diff: the one and the other; --schedule A,B likewise
  --no-passes      compile the graph as the file has it
  --json           print JSON; of several runs an object a line
  --plan           inspect: the records, disassembled
  --svg FILE       inspect: draw the memory map over time; bench: the roofline of the steps
  --budget BYTES   inspect: does it fit so much SRAM, and what to change if not (exit code 1)
  --quantize       run: FILE holds real numbers (float32), to be quantised for int8 and int16 inputs
  --fit NAME       run: pictures: crop: the middle (default); pad: all, on black; stretch: all, out of proportion
  --range=RANGE    run: pictures: 0..1, -1..1 or 0..255: what the model takes for black and white (default: by its quantisation)
  --labels FILE    run: a class name a line
  --top N          run: so many classes or values (default 5)
  --trace FILE     run: write every tensor, a JSON object a line: CRC-32, and the bytes in base64
  --target NAME    compile: mcu: image, kernels and C for wasm3; wasm2c: the kernels as C (needs wabt's wasm2c)
  --bundle         compile: image and kernels as one self-contained WebAssembly module
  --time MS        bench: how long to measure (default 1000)
  --profile        bench: time, MAC per cycle and share of the machine's limit of every step
  --help, --version

Exit codes: 0 done, 1 the model or a file is at fault, nothing fits --budget or models differ, 2 wrong usage, 70 a bug in thimble.`;

interface Command {
  readonly answer: (path: string, args: Arguments) => Promise<string> | AsyncIterable<string>;
  /** Its options, besides those of all commands. */
  readonly takes: readonly OptionName[];
  /** Files may follow the model. */
  readonly takesData?: true;
}

/** How a model is planned. */
const PLANNING: readonly OptionName[] = ["sram", "schedule", "rows", "max-recompute", "variant", "no-passes"];
const COMMON: readonly OptionName[] = ["json", "help", "version"];

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
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
