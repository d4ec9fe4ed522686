/**
 * What little memory costs in time: `npm run bench:schedules [-- MODEL.tflite …] [--json]`. Every schedule of a model against
 * its whole layers with all weights in SRAM, interleaved over many rounds in one process; ratios of minima and of medians.
 */
import type { CompileOptions, Model } from "thimble";
import { load, MemoryError } from "thimble";
import { Bench } from "tinybench";
import { machine } from "./machine.ts";
import { modelsFrom } from "./models-at.ts";
import { noise } from "./noise.ts";

const ROUNDS = 12;

const SCHEDULES: readonly (readonly [string, CompileOptions])[] = [
  ["layer", { schedule: "layer", sram: "unbounded" }],
  ["auto, 256 KiB", { sram: 256 * 1024 }],
  ["auto, 64 KiB", { sram: 64 * 1024 }],
  ["minimum, weights resident", { schedule: "minimum", sram: "unbounded" }],
  ["minimum, weights in flash", { schedule: "minimum", sram: 2 ** 31 }],
];

interface Row {
  readonly model: string;
  readonly schedule: string;
  readonly ramBytes: number;
  readonly streamedBytes: number;
  readonly minMicroseconds: number;
  readonly medianMicroseconds: number;
  /** Against whole layers. */
  readonly minRatio: number;
  readonly medianRatio: number;
}

async function tryToLoad(bytes: Uint8Array, options: CompileOptions): Promise<Model | undefined> {
  try {
    return await load(bytes, options);
  } catch (error) {
    if (error instanceof MemoryError) return undefined;
    throw error;
  }
}

async function measure(model: string, bytes: Uint8Array): Promise<Row[]> {
  const loaded: { schedule: string; model: Model; min: number; medians: number[] }[] = [];
  for (const [schedule, options] of SCHEDULES) {
    const model = await tryToLoad(bytes, options);
    if (model !== undefined) loaded.push({ schedule, model, min: Infinity, medians: [] });
  }
  for (let round = 0; round < ROUNDS; round++) {
    const bench = new Bench({ time: 60, warmupTime: round === 0 ? 300 : 10, iterations: 3 });
    for (const { schedule, model } of loaded) {
      const inputs = noise(model);
      bench.add(schedule, () => void model.run(inputs));
    }
    await bench.run();
    for (const [i, { result }] of bench.tasks.entries()) {
      const sample = loaded[i];
      if (sample === undefined || result.state !== "completed") continue;
      sample.min = Math.min(sample.min, result.latency.min * 1e3);
      sample.medians.push(result.latency.p50 * 1e3);
    }
  }
  const rows = loaded.map(({ schedule, model: { report }, min, medians }) => ({
    model,
    schedule,
    ramBytes: report.ramBytes,
    streamedBytes: report.streamedBytes,
    minMicroseconds: min,
    medianMicroseconds: medians.sort((a, b) => a - b)[medians.length >> 1] ?? NaN,
  }));
  const [layer] = rows;
  return rows.map((row) => ({
    ...row,
    minRatio: row.minMicroseconds / (layer?.minMicroseconds ?? NaN),
    medianRatio: row.medianMicroseconds / (layer?.medianMicroseconds ?? NaN),
  }));
}

const json = process.argv.includes("--json");
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const rows: Row[] = [];
console.error(machine());
if (!json)
  console.log(
    `${"model".padEnd(20)} ${"schedule".padEnd(26)}     SRAM  from flash    min µs  ratio min, median`,
  );
for (const { name, bytes } of modelsFrom(paths)) {
  for (const row of await measure(name, bytes)) {
    rows.push(row);
    if (json) continue;
    console.log(
      row.model.padEnd(20),
      row.schedule.padEnd(26),
      String(row.ramBytes).padStart(8),
      String(row.streamedBytes).padStart(11),
      row.minMicroseconds.toFixed(1).padStart(9),
      row.minRatio.toFixed(3).padStart(7),
      row.medianRatio.toFixed(3).padStart(7),
    );
  }
}
if (json) console.log(JSON.stringify({ machine: machine(), rows }, undefined, 2));
