/**
 * Whole-model latency per variant: `npm run bench:models [-- MODEL.tflite …] [--json]`. The variants are measured in turn
 * over several rounds, so that a machine that changes speed changes all; min and median are over all rounds.
 */
import { load, provesVariant, VARIANTS } from "thimble";
import { Bench } from "tinybench";
import { machine } from "./machine.ts";
import { modelsFrom } from "./models-at.ts";
import { noise } from "./noise.ts";

const ROUNDS = 5;

interface Row {
  readonly model: string;
  readonly variant: string;
  readonly macs: number;
  readonly minMicroseconds: number;
  readonly medianMicroseconds: number;
  readonly gigaMacsPerSecond: number;
}

const json = process.argv.includes("--json");
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const rows: Row[] = [];
console.error(machine());
for (const { name, bytes } of modelsFrom(paths)) {
  const models = [];
  for (const variant of VARIANTS) {
    if (await provesVariant(variant)) models.push(await load(bytes, { variant, name, sram: "unbounded" }));
  }
  const samples = models.map((): { min: number; medians: number[] } => ({ min: Infinity, medians: [] }));
  for (let round = 0; round < ROUNDS; round++) {
    const bench = new Bench({ time: 120, warmupTime: round === 0 ? 300 : 20, iterations: 3 });
    for (const model of models) {
      const inputs = noise(model);
      bench.add(model.report.variant, () => void model.run(inputs));
    }
    await bench.run();
    for (const [i, task] of bench.tasks.entries()) {
      const sample = samples[i];
      if (sample === undefined || task.result.state !== "completed") continue;
      sample.min = Math.min(sample.min, task.result.latency.min);
      sample.medians.push(task.result.latency.p50);
    }
  }
  for (const [i, model] of models.entries()) {
    const { min = NaN, medians = [] } = samples[i] ?? {};
    const { variant, macs } = model.report;
    const median = medians.sort((a, b) => a - b)[medians.length >> 1] ?? NaN;
    rows.push({
      model: name,
      variant,
      macs,
      minMicroseconds: min * 1e3,
      medianMicroseconds: median * 1e3,
      gigaMacsPerSecond: macs / min / 1e6,
    });
  }
}
if (json) console.log(JSON.stringify({ machine: machine(), rows }, undefined, 2));
else {
  console.log("model                variant        MACs    min µs    med µs   GMAC/s");
  for (const row of rows) {
    console.log(
      row.model.padEnd(20),
      row.variant.padEnd(8),
      String(row.macs).padStart(10),
      row.minMicroseconds.toFixed(1).padStart(9),
      row.medianMicroseconds.toFixed(1).padStart(9),
      row.gigaMacsPerSecond.toFixed(1).padStart(8),
    );
  }
}
