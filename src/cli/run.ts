import { writeFile } from "node:fs/promises";
import type { Model, ModelPort, TensorArray } from "../index.ts";
import { InputError, loadImage } from "../index.ts";
import { crc32 } from "../plan/crc32.ts";
import type { Arguments } from "./arguments.ts";
import { readInput } from "./inputs.ts";
import { imageOf, readFileOrFail } from "./model.ts";
import { grouped, table } from "./table.ts";

/** What `thimble run --json` prints. */
interface Answer {
  readonly model: string;
  readonly variant: string;
  readonly ramBytes: number;
  readonly milliseconds: number;
  readonly outputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly type: string;
    /** As the model gives them. */
    readonly values: readonly number[];
    /** Real numbers, by the output's scale and zero point. */
    readonly real: readonly number[];
    readonly top: readonly { readonly index: number; readonly label?: string; readonly score: number }[];
  }[];
}

/** `thimble run`: one inference on inputs from files. */
export async function run(path: string, args: Arguments): Promise<string> {
  const model = await loadImage(await imageOf(path, args.options));
  if (args.inputs.length !== model.inputs.length) {
    const wanted = model.inputs
      .map(({ name, type, shape }) => `"${name}" ${type} [${shape.join(", ")}]`)
      .join(", ");
    throw new InputError(
      "input-count",
      `the model has ${model.inputs.length} inputs (${wanted}), ${args.inputs.length} were given; use --input FILE for each`,
    );
  }
  const inputs: TensorArray[] = [];
  for (const [i, port] of model.inputs.entries()) inputs.push(await readInput(args.inputs[i] ?? "", port));
  const labels = args.labels === undefined ? [] : await readLabels(args.labels);
  if (args.trace !== undefined) await writeFile(args.trace, traceLines(model, inputs));
  const start = performance.now();
  const results = model.run(inputs);
  const milliseconds = performance.now() - start;
  const answer = {
    model: model.report.model,
    variant: model.report.variant,
    ramBytes: model.report.ramBytes,
    milliseconds,
    outputs: model.outputs.map((port, i) => describe(port, results[i] ?? new Int8Array(0), labels, args.top)),
  };
  return args.json ? JSON.stringify(answer, undefined, 2) : answerText(answer);
}

function describe(
  port: ModelPort,
  values: TensorArray,
  labels: readonly string[],
  top: number,
): Answer["outputs"][number] {
  const real = port.type === "int8" ? port.dequantize(values) : values;
  const ranked = Array.from(real, (score, index) => ({ index, score }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, top)
    .map(({ index, score }) => ({
      index,
      ...(labels[index] === undefined ? {} : { label: labels[index] }),
      score,
    }));
  return {
    name: port.name,
    shape: port.shape,
    type: port.type,
    values: [...values],
    real: [...real],
    top: ranked,
  };
}

function answerText({ model, variant, ramBytes, milliseconds, outputs }: Answer): string {
  return [
    `${model} (${variant}): ${milliseconds.toFixed(3)} ms cold, ${grouped(ramBytes)} bytes of SRAM`,
    ...outputs.flatMap(({ name, shape, values, top }) => [
      "",
      `${name} [${shape.join(", ")}]`,
      table(
        ["class", "value", "score", ""],
        top.map(({ index, score, label }) => [
          index,
          String(values[index]),
          score.toPrecision(4),
          label ?? "",
        ]),
      ),
    ]),
  ].join("\n");
}

async function readLabels(path: string): Promise<string[]> {
  return Buffer.from(await readFileOrFail(path))
    .toString("utf8")
    .trimEnd()
    .split(/\r?\n/);
}

/**
 * A JSON object a line: step, operator, source (its index in the file), tensor id, name, shape, type, CRC-32 of the bytes,
 * and the values in base64, little-endian.
 */
function traceLines(model: Model, inputs: readonly TensorArray[]): string {
  let lines = "";
  for (const { step, tensor, bytes } of model.trace(inputs)) {
    const line = {
      step: model.report.steps.indexOf(step),
      op: step.op,
      source: step.source,
      tensor: tensor.id,
      name: tensor.name,
      shape: tensor.shape,
      type: tensor.type,
      crc32: crc32(bytes).toString(16).padStart(8, "0"),
      data: Buffer.from(bytes).toString("base64"),
    };
    lines += `${JSON.stringify(line)}\n`;
  }
  return lines;
}
