import type { Model, ModelPort, TensorArray, TraceEntry } from "../index.ts";
import { loadImage } from "../asset.ts";
import { InputError } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { NUMBERS, readInputs } from "./inputs.ts";
import { imageOf } from "./model.ts";
import { noise } from "./noise.ts";
import { table } from "./table.ts";

/** What `thimble diff --json` prints. */
interface Comparison {
  readonly models: readonly [Side, Side];
  /** Every tensor that both make is the same in both. */
  readonly equal: boolean;
  readonly tensors: readonly ComparedTensor[];
  /** Tensors that only one of them makes as a whole: the others are made row by row in streams, or not at all. */
  readonly onlyIn: readonly [readonly string[], readonly string[]];
}

interface Side {
  readonly model: string;
  readonly variant: string;
  readonly steps: number;
}

interface ComparedTensor {
  readonly name: string;
  /** The step that makes it, in each. */
  readonly steps: readonly [number, number];
  readonly op: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** Elements that differ, the first of them, and how far the furthest are apart: all if types or shapes do. */
  readonly differing: number;
  readonly first?: number;
  readonly largest?: number;
}

/**
 * `thimble diff A B`, or of one model in two variants or schedules: runs both on the same inputs, and compares what they make
 * tensor by tensor, by name. Exit code 1 if anything differs.
 */
export async function diff(path: string, args: Arguments): Promise<string> {
  const [other = path, ...rest] = args.data;
  if (rest.length > 0) throw new UsageError("diff takes one MODEL or two; give inputs with --input");
  const { variant, schedule } = args.options;
  const isOne = variant === args.otherOptions.variant && schedule === args.otherOptions.schedule;
  if (args.data.length === 0 && isOne) {
    throw new UsageError(
      "diff of one MODEL compares it with itself; give a second MODEL, or --variant A,B, or --schedule A,B",
    );
  }
  const a = await loadImage(await imageOf(path, args.options));
  const b = await loadImage(await imageOf(other, args.otherOptions));
  checkInputs(a, b);
  const inputs = args.inputs.length === 0 ? noise(a) : await readInputs(a, args.inputs, args);
  const comparison = compare(a, b, inputs);
  if (!comparison.equal) process.exitCode = 1;
  return args.json ? JSON.stringify(comparison, undefined, 2) : comparisonText(comparison);
}

function checkInputs(a: Model, b: Model): void {
  const texts = [a, b].map(({ inputs }) => inputs.map(portText).join(", "));
  if (texts[0] === texts[1]) return;
  throw new InputError(
    "diff-inputs",
    `one model takes ${texts[0] ?? ""}, the other ${texts[1] ?? ""}; only models of the same inputs can be compared`,
  );
}

function portText({ type, shape }: ModelPort): string {
  return `${type} [${shape.join(", ")}]`;
}

/** A tensor of a trace, with the index of its step. */
type Made = Omit<TraceEntry, "step"> & { readonly op: string; readonly step: number };

function compare(a: Model, b: Model, inputs: readonly TensorArray[]): Comparison {
  const [left, right] = [tensorsOf(a, inputs), tensorsOf(b, inputs)];
  const tensors: ComparedTensor[] = [];
  for (const [name, made] of left) {
    const other = right.get(name);
    if (other !== undefined) tensors.push(compareTensors(name, made, other));
  }
  if (tensors.length === 0) {
    throw new InputError(
      "diff-names",
      "the two make no tensor of the same name; tensors are compared by name, so compare models of one origin",
    );
  }
  return {
    models: [sideOf(a), sideOf(b)],
    equal: tensors.every(({ differing }) => differing === 0),
    tensors,
    onlyIn: [missing(left, right), missing(right, left)],
  };
}

/** By name; tensors without one by their index in the file, several of one name numbered. */
function tensorsOf(model: Model, inputs: readonly TensorArray[]): Map<string, Made> {
  const tensors = new Map<string, Made>();
  for (const { step, tensor, bytes } of model.trace(inputs)) {
    const name = tensor.name === "" ? `tensor ${tensor.id}` : tensor.name;
    let key = name;
    for (let number = 2; tensors.has(key); number++) key = `${name} (${number})`;
    tensors.set(key, { op: step.op, step: model.report.steps.indexOf(step), tensor, bytes });
  }
  return tensors;
}

function sideOf({ report }: Model): Side {
  return { model: report.model, variant: report.variant, steps: report.steps.length };
}

function missing(from: ReadonlyMap<string, Made>, to: ReadonlyMap<string, Made>): string[] {
  return [...from.keys()].filter((name) => !to.has(name));
}

function compareTensors(name: string, a: Made, b: Made): ComparedTensor {
  const { type, shape } = a.tensor;
  const compared = { name, steps: [a.step, b.step], op: a.op, type, shape } as const;
  const [left, right] = [valuesOf(a), valuesOf(b)];
  if (type !== b.tensor.type || shape.join() !== b.tensor.shape.join()) {
    return { ...compared, differing: left.length };
  }
  let [differing, first, largest] = [0, 0, 0];
  for (let i = 0; i < left.length; i++) {
    const [x, y] = [left[i] ?? NaN, right[i] ?? NaN];
    if (Object.is(x, y)) continue;
    if (differing === 0) first = i;
    differing++;
    largest = Math.max(largest, Math.abs(x - y));
  }
  return differing === 0 ? { ...compared, differing } : { ...compared, differing, first, largest };
}

/** Of a type that has no array of its own, the bytes. */
function valuesOf({ tensor, bytes }: Made): TensorArray {
  const numbers = Object.entries(NUMBERS).find(([type]) => type === tensor.type)?.[1];
  return numbers === undefined ? bytes : new numbers.array(Uint8Array.from(bytes).buffer);
}

function comparisonText({ models, equal, tensors, onlyIn }: Comparison): string {
  const [a, b] = models.map(({ model, variant, steps }) => `${model} (${variant}, ${steps} steps)`);
  const alone = onlyIn.flatMap((names, side) =>
    names.length === 0 ? [] : [`${names.length} more in ${side === 0 ? "the first" : "the second"} alone`],
  );
  const counted = [`${tensors.length} tensors compared`, ...alone].join(", ");
  const head = `${a ?? ""} against ${b ?? ""}: ${counted}`;
  if (equal) return `${head}\nequal, bit for bit`;
  const different = tensors.filter(({ differing }) => differing > 0);
  const [first] = different;
  const rows = different.map(({ steps, op, name, type, shape, differing, largest }) => [
    ...steps,
    op,
    `${type} [${shape.join(", ")}]`,
    differing,
    largest ?? "of another type or shape",
    name,
  ]);
  return [
    head,
    `${different.length} differ, the first in step ${first?.steps.join(" and ") ?? ""} (${first?.op ?? ""} "${first?.name ?? ""}")`,
    "",
    table(["step", "other", "op", "tensor", "differing", "largest", ""], rows),
  ].join("\n");
}
