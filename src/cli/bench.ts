import { Bench } from "tinybench";
import type { Model, TensorArray } from "../index.ts";
import { loadImage } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { imageOf } from "./model.ts";
import { grouped, shortened, table } from "./table.ts";

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
  readonly steps: readonly {
    readonly op: string;
    readonly name: string;
    readonly macs: number;
    readonly min: number;
  }[];
}

/** `thimble bench`: latency of a model on noise, and of its steps. */
export async function bench(path: string, { options, time, json }: Arguments): Promise<string> {
  const model = await loadImage(await imageOf(path, options));
  const timing = await measure(model, time);
  return json ? JSON.stringify(timing, undefined, 2) : timingText(timing);
}

/**
 * Times a loaded model for `time` milliseconds, after a warm-up: V8 runs WebAssembly about five times slower until its
 * optimising compiler has caught up.
 */
async function measure(model: Model, time: number): Promise<Timing> {
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
    steps: profile(model, inputs, time),
  };
}

function noise(model: Model): TensorArray[] {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return model.inputs.map(({ type, length }) =>
    type === "int8"
      ? Int8Array.from({ length }, () => Math.floor(next() * 256) - 128)
      : Float32Array.from({ length }, () => 2 * next() - 1),
  );
}

const LEAST_ROUNDS = 10;
const MOST_ROUNDS = 1000;

/** Least time of each step over the runs that `time` milliseconds allow, the clock's own reading included. */
function profile(model: Model, inputs: readonly TensorArray[], time: number): Timing["steps"] {
  const { steps } = model.report;
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
  return steps.map(({ op, name, macs }, i) => ({ op, name, macs, min: (least[i] ?? 0) * 1e3 }));
}

function timingText(timing: Timing): string {
  const total = timing.steps.reduce((sum, step) => sum + step.min, 0);
  return [
    `${timing.model} (${timing.variant}) on ${timing.engine}, ${grouped(timing.runs)} runs`,
    `min ${timing.min.toFixed(1)} µs, median ${timing.median.toFixed(1)} µs, p99 ${timing.p99.toFixed(1)} µs, ` +
      `${(timing.macsPerSecond / 1e9).toFixed(2)} GMAC/s at the minimum`,
    "",
    table(
      ["step", "operator", "min µs", "share", "GMAC/s", "name"],
      timing.steps.map(({ op, name, macs, min }, i) => [
        i,
        op,
        min.toFixed(1),
        `${Math.round((100 * min) / total)}%`,
        macs === 0 ? "" : (macs / min / 1e3).toFixed(2),
        shortened(name, 40),
      ]),
    ),
  ].join("\n");
}
