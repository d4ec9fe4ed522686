import type { Model, ModelPort, TensorArray } from "../index.ts";
import { loadImage } from "../asset.ts";
import { InputError, ThimbleError } from "../index.ts";
import { grouped } from "../memory/grouped.ts";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { errorText } from "./error-text.ts";
import { readFileOrFail, writeFileOrFail } from "./files.ts";
import { inputsText, readInputs } from "./inputs.ts";
import { imageOf } from "./model.ts";
import { Progress } from "./progress.ts";
import { counted, printable, table } from "./table.ts";
import { traceLines } from "./trace.ts";

/** What `thimble run --json` prints. */
interface Answer {
  readonly model: string;
  readonly variant: string;
  readonly ramBytes: number;
  /** Of this run; the first one's before the engine has optimised the kernels. */
  readonly milliseconds: number;
  readonly outputs: readonly OutputAnswer[];
}

interface OutputAnswer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: string;
  /** As the model gives them. */
  readonly values: readonly number[];
  /** Real numbers, by the output's scale and zero point. */
  readonly real: readonly number[];
  readonly top: readonly Ranked[];
}

interface Ranked {
  readonly index: number;
  readonly label?: string;
  readonly score: number;
}

/**
 * `thimble run`: an inference on inputs from files; with more files one after the other, each from the model's first state, a
 * line per inference. Files of several runs that cannot be read are named on stderr, and make the exit code 1.
 */
export async function* run(path: string, args: Arguments): AsyncGenerator<string> {
  const model = await loadImage(await imageOf(path, args.options));
  const files = [...args.inputs, ...args.data];
  if (files.length === 0 && model.inputs.length > 0) {
    throw new UsageError(
      `run needs an input: ${model.report.model} takes ${inputsText(model.inputs)}; give FILE, or --input FILE once for each`,
    );
  }
  const runs = filesOfRuns(model, files);
  if (runs.length > 1 && args.trace !== undefined) {
    throw new UsageError("--trace takes the inputs of one run; give the files of one");
  }
  const labels = args.labels === undefined ? [] : await readLabels(args.labels, model);
  const progress = new Progress(process.stderr);
  try {
    for (const [i, files] of runs.entries()) {
      if (runs.length > 1) progress.show(`${i + 1} of ${runs.length}: ${printable(files.join(", "), false)}`);
      let inputs: TensorArray[];
      try {
        inputs = await readInputs(model, files, args);
      } catch (error) {
        // A damaged file ends its own run, not those of the others.
        if (runs.length === 1 || !(error instanceof ThimbleError)) throw error;
        progress.clear();
        process.stderr.write(errorText(error));
        process.exitCode = 1;
        continue;
      }
      const answer = answerOf(model, inputs, labels, args.top);
      progress.clear();
      if (args.trace !== undefined) await writeFileOrFail(args.trace, traceLines(model, inputs));
      if (runs.length > 1) {
        yield args.json ? JSON.stringify({ inputs: files, ...answer }) : answerLine(files, answer);
      } else {
        yield args.json ? JSON.stringify(answer, undefined, 2) : answerText(answer, args.top);
      }
    }
  } finally {
    progress.clear();
  }
}

/** The files of each run, one for every input of the model. */
function filesOfRuns({ inputs }: Model, files: readonly string[]): (readonly string[])[] {
  const runs = Math.floor(files.length / inputs.length);
  if (runs === 0 || files.length % inputs.length !== 0) return [files];
  return Array.from({ length: runs }, (_, i) => files.slice(i * inputs.length, (i + 1) * inputs.length));
}

function answerOf(
  model: Model,
  inputs: readonly TensorArray[],
  labels: readonly string[],
  top: number,
): Answer {
  model.reset();
  const start = performance.now();
  const results = model.run(inputs);
  const milliseconds = performance.now() - start;
  const { model: name, variant, ramBytes } = model.report;
  const outputs = model.outputs.map((port, i) => describe(port, results[i] ?? new Int8Array(0), labels, top));
  return { model: name, variant, ramBytes, milliseconds, outputs };
}

async function readLabels(path: string, model: Model): Promise<string[]> {
  const text = Buffer.from(await readFileOrFail(path)).toString("utf8");
  const labels = text.trimEnd().split(/\r?\n/);
  const lengths = model.outputs.map(({ length }) => length);
  if (lengths.includes(labels.length)) return labels;
  throw new InputError(
    "labels",
    `${path} has ${counted(labels.length, "line")}, the model's outputs have ${lengths.join(" and ")} values; write a name a line ` +
      "for every class",
  );
}

function describe(
  port: ModelPort,
  values: TensorArray,
  labels: readonly string[],
  top: number,
): OutputAnswer {
  const real = port.type === "int8" || port.type === "int16" ? port.dequantize(values) : values;
  const named = labels.length === port.length;
  const ranked = Array.from(real, (score, index) => ({ index, score }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, top)
    .map(({ index, score }) => ({ index, ...(named ? { label: labels[index] ?? "" } : {}), score }));
  const { name, shape, type } = port;
  return { name, shape, type, values: [...values], real: [...real], top: ranked };
}

function answerText({ model, variant, ramBytes, milliseconds, outputs }: Answer, top: number): string {
  const head = `${model} (${variant}): ${milliseconds.toFixed(3)} ms cold, ${grouped(ramBytes)} bytes of SRAM`;
  return [head, ...outputs.map((output) => outputText(output, top))].join("\n\n");
}

/** "cat.png: tabby 0.91, lynx 0.06": the files, and of every output its best classes or first values. */
function answerLine(files: readonly string[], { outputs }: Answer): string {
  const answers = outputs.map(({ top }) =>
    top.map(({ index, label, score }) => `${label ?? index} ${decimal(score)}`).join(", "),
  );
  return `${files.join(", ")}: ${answers.join("; ")}`.replaceAll("\n", "?");
}

/** The best classes of a vector; of anything else its first values. */
function outputText({ name, shape, values, real, top }: OutputAnswer, limit: number): string {
  const isVector = values.length > 1 && shape.at(-1) === values.length;
  const rows = isVector
    ? top.map(({ index, score, label }) => [index, values[index] ?? "", decimal(score), label ?? ""])
    : values.slice(0, limit).map((value, index) => [index, value, decimal(real[index] ?? NaN), ""]);
  const more = isVector || values.length <= limit ? [] : [`… ${grouped(values.length - limit)} more`];
  const heads = isVector ? ["class", "value", "score", ""] : ["index", "value", "real", ""];
  return [`${name} [${shape.join(", ")}]`, table(heads, rows), ...more].join("\n");
}

function decimal(value: number): string {
  return value === 0 ? "0" : value.toPrecision(4);
}
