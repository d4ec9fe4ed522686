import type { FloatModel, FloatSample } from "../index.ts";
import { load } from "../asset.ts";
import { InputError, quantize, readFloatModel, runFloat } from "../index.ts";
import { grouped } from "../memory/grouped.ts";
import { elementCount } from "../plan/shape.ts";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { readFileOrFail, writeFileOrFail } from "./files.ts";
import { modelName } from "./model.ts";
import { npyData } from "./npy.ts";
import { counted, table } from "./table.ts";

/** How far an output is from the float32 reference over all samples. */
interface OutputError {
  readonly name: string;
  readonly maxError: number;
  readonly meanError: number;
  /** Share of the samples whose greatest value is at the same place. */
  readonly sameBest: number;
}

/** `thimble quantize`: a float32 model and samples to an int8 model, which is compared with the float model on the samples. */
export async function quantizeToFile(path: string, { output, json, data }: Arguments): Promise<string> {
  if (output === undefined) throw new UsageError("quantize needs -o MODEL, the file to write");
  const model = readFloatModel(await readFileOrFail(path));
  const samples = await readSamples(model, data);
  const bytes = quantize(model, samples);
  await writeFileOrFail(output, bytes);
  const outputs = await compare(model, bytes, samples, modelName(output));
  if (json)
    return JSON.stringify({ output, bytes: bytes.length, samples: samples.length, outputs }, undefined, 2);
  const rows = outputs.map(({ name, maxError, meanError, sameBest }) => [
    name,
    maxError.toPrecision(3),
    meanError.toPrecision(3),
    `${(100 * sameBest).toFixed(1)}%`,
  ]);
  return (
    `${output}: ${grouped(bytes.length)} bytes, int8; against float32 on ${samples.length === 1 ? "the sample" : `the ${grouped(samples.length)} samples`}:\n\n` +
    table(["output", "max error", "mean error", "same best"], rows)
  );
}

/** A file for every input; the same number of samples in each. */
async function readSamples({ inputs }: FloatModel, paths: readonly string[]): Promise<FloatSample[]> {
  if (paths.length !== inputs.length) {
    const wanted = inputs.map(({ name, shape }) => `"${name}" [${shape.join(", ")}]`);
    throw new UsageError(
      `the model takes ${counted(wanted.length, "file")} of samples, not ${paths.length}: ${wanted.join(", ")}; give a .npy ` +
        "file for each, in this order",
    );
  }
  const files: Float32Array[][] = [];
  for (const [i, { name, shape }] of inputs.entries()) {
    const path = paths[i] ?? "";
    const data = npyData(path, await readFileOrFail(path), {
      dtype: "<f4",
      // Without a batch of 1.
      shape: shape[0] === 1 ? shape.slice(1) : shape,
      many: true,
      text: `input "${name}"`,
      conversion: () => "scale the samples as in training, and save x.astype('<f4')",
    });
    // A copy, which is aligned whatever the bytes' offset.
    const values = new Float32Array(Uint8Array.from(data).buffer);
    const length = elementCount(shape);
    files.push(
      Array.from({ length: values.length / length }, (_, k) => values.slice(k * length, (k + 1) * length)),
    );
  }
  const [first = []] = files;
  for (const [i, file] of files.entries()) {
    if (file.length === first.length) continue;
    throw new InputError(
      "sample-count",
      `${paths[i] ?? ""} has ${counted(file.length, "sample")}, ${paths[0] ?? ""} ${first.length}; each sample needs all inputs`,
    );
  }
  return first.map((_, k) => files.map((file) => file[k] ?? new Float32Array(0)));
}

async function compare(
  model: FloatModel,
  bytes: Uint8Array,
  samples: readonly FloatSample[],
  name: string,
): Promise<OutputError[]> {
  const quantized = await load(bytes, { sram: "unbounded", name });
  const sums = quantized.outputs.map(() => ({ max: 0, sum: 0, same: 0, count: 0 }));
  for (const sample of samples) {
    const inputs = ArrayBuffer.isView(sample) ? [sample] : sample;
    const answers = quantized.run(quantized.inputs.map((port, i) => port.quantize(inputs[i] ?? [])));
    for (const [i, wanted] of runFloat(model, sample).entries()) {
      const total = sums[i];
      const real = quantized.outputs[i]?.dequantize(answers[i] ?? []);
      if (total === undefined || real === undefined) continue;
      for (const [k, value] of wanted.entries()) {
        const error = Math.abs(value - (real[k] ?? NaN));
        total.max = Math.max(total.max, error);
        total.sum += error;
        total.count++;
      }
      if (indexOfGreatest(wanted) === indexOfGreatest(real)) total.same++;
    }
  }
  return sums.map(({ max, sum, same, count }, i) => ({
    name: quantized.outputs[i]?.name ?? "",
    maxError: max,
    meanError: sum / count,
    sameBest: same / samples.length,
  }));
}

function indexOfGreatest(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > (values[best] ?? NaN) ? i : best), 0);
}
