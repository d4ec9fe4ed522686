/**
 * The first run: `npm start` for a small generated network, `npm start -- MODEL.tflite [--input FILE]` for any other model
 * (FILE: the bytes of its input). Prints the plan, the memory map, peak RAM, latency and the answer.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import type { Model, TensorArray } from "thimble";
import { compile, load, ThimbleError } from "thimble";
import { textMap } from "../../src/memory/text-map.ts";
import { depthwiseNet } from "./model.ts";

/** A gradient with a bright disc, or noise for inputs of other shapes. */
function picture(model: Model): TensorArray[] {
  return model.inputs.map(({ shape, length, type }) => {
    const [, height = 1, width = 1, channels = 1] = shape;
    const value = (i: number): number => {
      const y = Math.floor(i / (width * channels));
      const x = Math.floor(i / channels) % width;
      const inside = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (height / 4) ** 2;
      return (inside ? 0.9 : (x + y) / (height + width) - 0.5) * 2 - 0.5;
    };
    const real = Array.from({ length }, (_, i) => Math.max(-1, Math.min(1, value(i))));
    return type === "int8" ? Int8Array.from(real, (x) => Math.round(127 * x)) : Float32Array.from(real);
  });
}

/** Median of many runs, after V8's optimising compiler has caught up. */
async function latencyMicroseconds(model: Model, inputs: readonly TensorArray[]): Promise<number> {
  const until = performance.now() + 200;
  while (performance.now() < until) model.run(inputs);
  // Compiled code is swapped in between tasks.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const times = Array.from({ length: 301 }, () => {
    const start = performance.now();
    model.run(inputs);
    return performance.now() - start;
  });
  return (times.sort((a, b) => a - b)[150] ?? NaN) * 1e3;
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { input: { type: "string" } },
  });
  const [path] = positionals;
  const bytes = path === undefined ? depthwiseNet(7) : readFileSync(path);
  const name =
    path === undefined ? "a generated depthwise-separable network (seeded weights)" : basename(path);
  const model = await load(bytes);
  const { report } = model;
  let inputs = picture(model);
  if (values.input !== undefined) {
    const raw = Uint8Array.from(readFileSync(values.input)).buffer;
    inputs = [model.inputs[0]?.type === "float32" ? new Float32Array(raw) : new Int8Array(raw)];
  }

  console.log(`${name}, ${report.variant} kernels\n`);
  const kilobytes = (value: number): string => `${(value / 1024).toFixed(1).padStart(7)} KiB`;
  for (const step of report.steps) {
    const shape = step.outputs[0]?.shape.join("×") ?? "";
    const op = step.op === "stream" ? `stream of ${step.operators.length}` : step.op;
    console.log(`  ${op.padEnd(16)} → ${shape.padEnd(14)} ${kilobytes(step.liveBytes)} alive`);
  }
  console.log(`\n${textMap(report.map, report.steps.length, report.ramBytes, 90)}`);
  const budget = report.budgetBytes ?? report.ramBytes;
  const rest = report.scratchBytes + report.weightTileBytes + report.slackBytes;
  console.log(`\npeak RAM  ${kilobytes(report.ramBytes)} of ${kilobytes(budget)}:`);
  console.log(
    `  activations ${kilobytes(report.arenaBytes)}, weights ${kilobytes(report.residentWeightBytes)}, ` +
      `plan ${kilobytes(report.planBytes)}, the rest ${kilobytes(rest)}`,
  );
  const least = compile(bytes, { schedule: "minimum", sram: 2 ** 31, variant: report.variant }).report;
  const streams = least.steps.filter(({ op }) => op === "stream").length;
  console.log(
    `least RAM ${kilobytes(least.ramBytes)} with schedule: "minimum": ${least.steps.length} steps, ${streams} of them streams, ` +
      `${kilobytes(least.streamedBytes).trim()} from flash`,
  );
  const [scores = new Int8Array(0)] = model.run(inputs);
  const real = model.outputs[0]?.type === "int8" ? model.outputs[0].dequantize(scores) : scores;
  const best = real.indexOf(Math.max(...real));
  const answer = `class ${best} of ${real.length}, score ${(real[best] ?? NaN).toFixed(3)}`;
  const latency = await latencyMicroseconds(model, inputs);
  const speed = (report.macs / latency / 1e3).toFixed(1);
  console.log(`latency   ${latency.toFixed(1).padStart(7)} µs, median of 301 runs, ${speed} GMAC/s`);
  console.log(`answer    ${answer}`);
} catch (error) {
  if (!(error instanceof ThimbleError) && !(error instanceof Error && "code" in error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
