/**
 * Speed of each distinct convolution, depthwise and fully connected shape of the models, per variant, on their real
 * packed records: `npm run bench:kernels [-- MODEL.tflite …] [--json]`; `npm run bench:tiles` prints only whether the tiles still reach
 * their stored shares of the dot-product limit, `-- --record` stores them. MAC/c is against the clock, `peak` against the
 * dot-product limit, both measured in this run; `design` is the share of the figure in docs/performance.md for the
 * nearest measured shape.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile, provesVariant, VARIANTS } from "thimble";
import type { Image, Variant } from "thimble";
import { Bench } from "tinybench";
import { convolutionOf, designFigure } from "./design.ts";
import { measureLimits } from "#internal/cli/limits";
import { machine } from "./machine.ts";
import { modelsFrom } from "./models-at.ts";
import { recordShares, sharesText } from "./tiles.ts";

interface Kernels {
  readonly memory: WebAssembly.Memory;
  step(record: number): number;
  run(entry: number): number;
}

interface Case {
  readonly label: string;
  readonly model: string;
  readonly macs: number;
  readonly record: number;
  readonly shape: readonly number[];
  readonly kernels: Kernels;
  readonly design: number | undefined;
}

interface Row {
  readonly variant: Variant;
  readonly label: string;
  readonly model: string;
  readonly macs: number;
  readonly minMicroseconds: number;
  readonly medianMicroseconds: number;
  readonly gigaMacsPerSecond: number;
  readonly macsPerCycle: number;
  readonly ofPeak: number;
  readonly ofDesign: number | undefined;
}

function instantiate(image: Image): Kernels {
  const url = import.meta.resolve(`thimble/wasm/thimble-${image.variant}.wasm`);
  const module = new WebAssembly.Module(readFileSync(fileURLToPath(url)));
  const instance = new WebAssembly.Instance(module, {
    host: { flash_read: () => undefined, input_row: () => undefined },
  });
  const kernels = instance.exports as unknown as Kernels;
  kernels.memory.grow(Math.ceil(image.report.ramBytes / 65536));
  new Uint8Array(kernels.memory.buffer).set(image.sram);
  return kernels;
}

/** One case per distinct shape of weighted operators. */
function casesOf(variant: Variant, paths: readonly string[]): Case[] {
  const cases = new Map<string, Case>();
  for (const { name, bytes } of modelsFrom(paths)) {
    // Whole layers have no convolutions by Winograd's filtering, the fastest plan has.
    for (const schedule of ["layer", "auto"] as const) {
      const image = compile(bytes, { name, variant, schedule, sram: "unbounded" });
      const kernels = instantiate(image);
      const words = new Int32Array(kernels.memory.buffer);
      for (const step of image.report.steps) {
        const record = convolutionOf(step, words);
        if (record === undefined) continue;
        const { label, shape, design } = designFigure(variant, record, words);
        const { macs } = step;
        if (!cases.has(label)) cases.set(label, { label, model: name, macs, record, shape, kernels, design });
      }
    }
  }
  return [...cases.values()];
}

async function measure(variant: Variant, paths: readonly string[]): Promise<Row[]> {
  const cases = casesOf(variant, paths);
  const bench = new Bench({ time: 40, warmupTime: 60, iterations: 20 });
  const repeats = new Map<string, number>();
  for (const { label, macs, record, kernels } of cases) {
    const repeat = Math.max(1, Math.ceil(60_000 / macs));
    repeats.set(label, repeat);
    bench.add(label, () => {
      for (let i = 0; i < repeat; i++) kernels.step(record);
    });
  }
  let peak = measureLimits(variant);
  await bench.run();
  const after = measureLimits(variant);
  peak = after.gigahertz > peak.gigahertz ? after : peak;
  console.error(
    `${variant}: clock ${peak.gigahertz.toFixed(2)} GHz, limit ${peak.macsPerCycle.toFixed(1)} MAC/c`,
  );
  return cases.map(({ label, model, macs, design }, index): Row => {
    const result = bench.tasks[index]?.result;
    if (result?.state !== "completed") throw new Error(`${label} was not measured`);
    const perCall = 1e6 / (repeats.get(label) ?? 1);
    const nanoseconds = result.latency.min * perCall;
    const macsPerCycle = macs / nanoseconds / peak.gigahertz;
    return {
      variant,
      label,
      model,
      macs,
      minMicroseconds: nanoseconds / 1e3,
      medianMicroseconds: (result.latency.p50 * perCall) / 1e3,
      gigaMacsPerSecond: macs / nanoseconds,
      macsPerCycle,
      ofPeak: macsPerCycle / peak.macsPerCycle,
      ofDesign: design === undefined ? undefined : macsPerCycle / design,
    };
  });
}

const json = process.argv.includes("--json");
const only = VARIANTS.filter((variant) => process.argv.includes(`--${variant}`));
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const rows: Row[] = [];
console.error(machine());
for (const variant of only.length > 0 ? only : VARIANTS) {
  if (await provesVariant(variant)) rows.push(...(await measure(variant, paths)));
  else console.error(`${variant}: not proved on this engine, left out`);
}
if (process.argv.includes("--record")) recordShares(rows);
if (process.argv.includes("--tiles")) console.log(sharesText(rows));
else if (json) console.log(JSON.stringify({ machine: machine(), rows }, undefined, 2));
else {
  console.log(
    "variant  shape                                    min µs   med µs   GMAC/s  MAC/c  peak  design",
  );
  for (const row of rows) {
    const percent = (share: number | undefined): string =>
      share === undefined || Number.isNaN(share) ? "–" : `${Math.round(100 * share)}%`;
    console.log(
      row.variant.padEnd(8),
      row.label.padEnd(38),
      row.minMicroseconds.toFixed(2).padStart(8),
      row.medianMicroseconds.toFixed(2).padStart(8),
      row.gigaMacsPerSecond.toFixed(1).padStart(8),
      row.macsPerCycle.toFixed(1).padStart(6),
      percent(row.ofPeak).padStart(5),
      percent(row.ofDesign).padStart(7),
    );
  }
}
