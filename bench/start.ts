/**
 * The first inferences: `npm run bench:start [-- MODEL.tflite …]`. Each sample is a fresh process of this Node that imports the package, loads a model,
 * with `warmUp` and without, and runs it until it is steady: until the median of seven runs is within a tenth of the last hundred's.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { machine } from "./machine.ts";
import { modelsFrom } from "./models-at.ts";
import { noise } from "./noise.ts";

const SAMPLES = 5;
const RUNS = 500;
const WINDOW = 7;
const CHILD = "--sample";

/** Milliseconds, but for `runs`. */
interface Start {
  readonly imported: number;
  readonly load: number;
  readonly first: number;
  /** Runs before the steady ones, and the time that they take. */
  readonly runs: number;
  readonly until: number;
  readonly steady: number;
}

async function sample(path: string, warmUp: boolean): Promise<Start> {
  const bytes = readFileSync(path);
  const first = performance.now();
  const { load } = await import("thimble");
  const begin = performance.now();
  const model = await load(bytes, { warmUp });
  const loaded = performance.now() - begin;
  const inputs = noise(model);
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    model.run(inputs);
    times.push(performance.now() - start);
  }
  const steady = median(times.slice(-100));
  const runs = times.findIndex((_, i) => median(times.slice(i, i + WINDOW)) < 1.1 * steady);
  const until = times.slice(0, runs).reduce((sum, time) => sum + time, 0);
  return { imported: begin - first, load: loaded, first: times[0] ?? NaN, runs, until, steady };
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;
}

/** Least and most of one figure. */
function range(starts: readonly Start[], figure: keyof Start, digits: number): string {
  const values = starts.map((start) => start[figure]);
  return `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`.padStart(14);
}

const args = process.argv.slice(2);
const at = args.indexOf(CHILD);
if (at >= 0) {
  console.log(JSON.stringify(await sample(args[at + 1] ?? "", args[at + 2] === "true")));
} else {
  console.error(machine());
  console.log(
    "model                 warmUp      import ms        load ms      first, ms    runs before      ms before     steady, ms",
  );
  for (const { name, path } of modelsFrom(args)) {
    for (const warmUp of [false, true]) {
      const starts = Array.from({ length: SAMPLES }, (): Start => {
        const child = [fileURLToPath(import.meta.url), CHILD, path, String(warmUp)];
        return JSON.parse(execFileSync(process.execPath, child, { encoding: "utf8" })) as Start;
      });
      const figures = [
        range(starts, "imported", 1),
        range(starts, "load", 1),
        range(starts, "first", 2),
        range(starts, "runs", 0),
        range(starts, "until", 1),
        range(starts, "steady", 3),
      ];
      console.log(name.padEnd(21), String(warmUp).padEnd(5), ...figures);
    }
  }
}
