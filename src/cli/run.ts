import type { Model, ModelPort, TensorArray } from "../index.ts";
import { InputError, loadImage } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { readFileOrFail, writeFileOrFail } from "./files.ts";
import { readInput } from "./inputs.ts";
import { imageOf } from "./model.ts";
import { grouped, table } from "./table.ts";
import { traceLines } from "./trace.ts";

/** What `thimble run --json` prints. */
interface Answer {
  readonly model: string;
  readonly variant: string;
  readonly ramBytes: number;
  /** Of the first run, before the engine has optimised the kernels. */
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

/** `thimble run`: one inference on inputs from files. */
export async function run(path: string, args: Arguments): Promise<string> {
  const model = await loadImage(await imageOf(path, args.options));
  const inputs = await readInputs(model, args);
  const labels = args.labels === undefined ? [] : await readLabels(args.labels, model);
  const start = performance.now();
  const results = model.run(inputs);
  const milliseconds = performance.now() - start;
  const { report } = model;
  const answer = {
    model: report.model,
    variant: report.variant,
    ramBytes: report.ramBytes,
    milliseconds,
    outputs: model.outputs.map((port, i) => describe(port, results[i] ?? new Int8Array(0), labels, args.top)),
  };
  if (args.trace !== undefined) await writeFileOrFail(args.trace, traceLines(model, inputs));
  return args.json ? JSON.stringify(answer, undefined, 2) : answerText(answer, args.top);
}

async function readInputs(model: Model, { inputs, quantize }: Arguments): Promise<TensorArray[]> {
  if (inputs.length !== model.inputs.length) {
    const wanted = model.inputs.map(({ name, type, shape }) => `"${name}" ${type} [${shape.join(", ")}]`);
    throw new InputError(
      "input-count",
      `${inputs.length} inputs were given, the model takes ${wanted.length}: ${wanted.join(", ")}; use --input FILE ` +
        "once for each, in this order",
    );
  }
  const values: TensorArray[] = [];
  for (const [i, port] of model.inputs.entries())
    values.push(await readInput(inputs[i] ?? "", port, quantize));
  return values;
}

async function readLabels(path: string, model: Model): Promise<string[]> {
  const text = Buffer.from(await readFileOrFail(path)).toString("utf8");
  const labels = text.trimEnd().split(/\r?\n/);
  const lengths = model.outputs.map(({ length }) => length);
  if (lengths.includes(labels.length)) return labels;
  throw new InputError(
    "labels",
    `${path} has ${labels.length} lines, the model's outputs have ${lengths.join(" and ")} values; write a name a line ` +
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
