import { Bench } from "tinybench";
import type { Model, TensorArray } from "../index.ts";
import { loadImage } from "../asset.ts";
import { grouped } from "../memory/grouped.ts";
import type { Arguments } from "./arguments.ts";
import { writeFileOrFail } from "./files.ts";
import type { Limits } from "./limit-loops.ts";
import { measureLimits } from "./limits.ts";
import { imageOf } from "./model.ts";
import { noise } from "./noise.ts";
import { rooflineSvg } from "./roofline.ts";
import { shortened, table } from "./table.ts";

/** What `thimble bench --json` prints; times in microseconds. */
interface Timing {
  readonly model: string;
  readonly variant: string;
  readonly engine: string;
  readonly runs: number;
  readonly min: number;
  readonly median: number;
  readonly p99: number;
  readonly macs: number;
  readonly macsPerSecond: number;
  /** With `--profile`. */
  readonly profile?: Profile;
}

/** Every step against what the machine could do, both measured in this run. */
export interface Profile {
  readonly limits: Limits;
  readonly steps: readonly ProfiledStep[];
}

export interface ProfiledStep {
  readonly op: string;
  readonly name: string;
  readonly macs: number;
  /** Of its weights, and of the activations that are alive in it. */
  readonly bytes: number;
  readonly min: number;
}

/** `thimble bench`: latency of a model on noise; with `--profile` that of its steps, which `--svg` draws. */
export async function bench(path: string, args: Arguments): Promise<string> {
  const { options, time, json, svg } = args;
  const model = await loadImage(await imageOf(path, options));
  const timing = await measure(model, time, args.profile || svg !== undefined);
  if (svg !== undefined && timing.profile !== undefined) {
    const title = `${timing.model} (${timing.variant}) on ${timing.engine}`;
    await writeFileOrFail(svg, rooflineSvg(title, timing.profile));
  }
  return json ? JSON.stringify(timing, undefined, 2) : timingText(timing);
}

/**
 * Times a loaded model for `time` milliseconds, after a warm-up: V8 runs WebAssembly about five times slower until its
 * optimising compiler has caught up.
 */
async function measure(model: Model, time: number, profiles: boolean): Promise<Timing> {
  const inputs = noise(model);
  const bench = new Bench({ time, warmupTime: Math.min(500, time) });
  bench.add("run", () => {
    model.run(inputs);
  });
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result?.state !== "completed") throw new Error("the benchmark did not complete");
  const { latency } = result;
  const { report } = model;
  return {
    model: report.model,
    variant: report.variant,
    engine: `node ${process.versions.node} (V8 ${process.versions.v8})`,
    runs: latency.samplesCount,
    min: latency.min * 1e3,
    median: latency.p50 * 1e3,
    p99: latency.p99 * 1e3,
    macs: report.macs,
    macsPerSecond: (report.macs / latency.min) * 1e3,
    ...(profiles && { profile: profile(model, inputs, time) }),
  };
}

const LEAST_ROUNDS = 10;
const MOST_ROUNDS = 1000;

/** Least time of each step over the runs that `time` milliseconds allow, the clock's own reading included. */
function profile(model: Model, inputs: readonly TensorArray[], time: number): Profile {
  const { steps, variant } = model.report;
  const limits = measureLimits(variant);
  const least = steps.map(() => Infinity);
  const end = performance.now() + time;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (round >= LEAST_ROUNDS && performance.now() > end) break;
    let last = performance.now();
    model.runSteps(inputs, (step) => {
      const now = performance.now();
      // The first step's lap includes copying the inputs in.
      least[step] = Math.min(least[step] ?? Infinity, now - last);
      last = now;
    });
  }
  return {
    limits,
    steps: steps.map(({ op, name, macs, weightBytes, liveBytes }, i) => {
      return { op, name, macs, bytes: weightBytes + liveBytes, min: (least[i] ?? 0) * 1e3 };
    }),
  };
}

function timingText(timing: Timing): string {
  return [
    `${timing.model} (${timing.variant}) on ${timing.engine}, ${grouped(timing.runs)} runs`,
    `min ${timing.min.toFixed(1)} µs, median ${timing.median.toFixed(1)} µs, p99 ${timing.p99.toFixed(1)} µs, ` +
      `${(timing.macsPerSecond / 1e9).toFixed(2)} GMAC/s at the minimum`,
    ...(timing.profile === undefined ? [] : profileLines(timing.profile)),
  ].join("\n");
}

function profileLines({ limits, steps }: Profile): string[] {
  const { gigahertz, macsPerCycle } = limits;
  const total = steps.reduce((sum, step) => sum + step.min, 0);
  const slowest = steps.reduce((most, step, i) => (step.min > (steps[most]?.min ?? 0) ? i : most), 0);
  const { op = "", name = "", min = 0 } = steps[slowest] ?? {};
  const limit = Number.isNaN(macsPerCycle)
    ? ""
    : `, ${macsPerCycle.toFixed(1)} MAC/c is the dot product's limit`;
  return [
    `clock ${gigahertz.toFixed(2)} GHz${limit}; ` +
      `the slowest step is ${slowest} (${op} ${shortened(name, 40)}), ${percent(min / total)} of the time`,
    "",
    table(
      ["step", "operator", "min µs", "share", "MAC/c", "of limit", "name"],
      steps.map(({ op, name, macs, min }, i) => {
        const speed = macs / min / gigahertz / 1e3;
        return [
          i,
          op,
          min.toFixed(1),
          percent(min / total),
          macs === 0 ? "" : speed.toFixed(1),
          macs === 0 || Number.isNaN(macsPerCycle) ? "" : percent(speed / macsPerCycle),
          shortened(name, 40),
        ];
      }),
    ),
  ];
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
