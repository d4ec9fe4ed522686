/**
 * Attacks the promises: `npm run fuzz [-- --seconds N] [--seed S] [--first I]`. Damages valid models and images, loads and runs
 * them (check.ts says what must hold), and writes what breaks a promise to build/finds, named by seed and index. An index alone
 * decides its input, so `--seed S --first I` begins with that one again.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { Coverage } from "./coverage.ts";
import { Fuzzer } from "./fuzz.ts";
import { seedModels } from "./seeds.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
  },
});
const [seconds, seed, first] = [Number(values.seconds), Number(values.seed), Number(values.first)];
const STALL_MS = 15_000;
const MAX_INPUT = 1 << 24;
/** Files of one kind of find. */
const MAX_FILES = 3;

const folder = fileURLToPath(new URL("../../finds/", import.meta.url));
mkdirSync(folder, { recursive: true });
const shared = new SharedArrayBuffer(8 + MAX_INPUT);
const [words, copy] = [new Int32Array(shared, 0, 2), new Uint8Array(shared, 8)];
const watchdog = new Worker(new URL("watchdog.js", import.meta.url), {
  workerData: { shared, path: `${folder}${seed}-stalled`, stallMs: STALL_MS },
});
watchdog.unref();

const seeds = seedModels();
const fuzzer = new Fuzzer(seed, seeds);
const coverage = new Coverage();
const outcomes = new Map<string, number>();
const operators = new Map<string, number>();
const finds = new Map<string, number>();
const count = (of: Map<string, number>, key: string): number => {
  const total = (of.get(key) ?? 0) + 1;
  of.set(key, total);
  return total;
};

/** What two finds of one cause have in common: message without numbers, and where it was thrown. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = error.name === "BrokenPromise" ? "" : (error.stack?.split("\n")[1]?.trim() ?? "");
  return `${error.name}: ${error.message.slice(0, 200)} ${where}`.replaceAll(/\d+/g, "#");
}

console.log(`${seeds.length} valid models, seed ${seed}, from ${first} on, ${seconds} s`);
const begin = performance.now();
let index = first;
for (; performance.now() - begin < 1000 * seconds; index++) {
  const input = fuzzer.input(index);
  copy.set(input.bytes.subarray(0, MAX_INPUT));
  Atomics.store(words, 1, Math.min(input.bytes.length, MAX_INPUT));
  Atomics.store(words, 0, index);
  try {
    const outcome = await input.check();
    if ("code" in outcome) count(outcomes, `${input.kind === "image" ? "image" : "model"} ${outcome.code}`);
    else {
      count(outcomes, `${input.kind} accepted`);
      for (const operator of new Set(outcome.operators)) count(operators, operator);
    }
  } catch (error) {
    if (count(finds, causeOf(error)) > MAX_FILES) continue;
    const path = `${folder}${seed}-${index}.${input.kind === "image" ? "thimble" : "tflite"}`;
    writeFileSync(path, input.bytes);
    const after = ((performance.now() - begin) / 1000).toFixed(1);
    console.error(`\nFOUND after ${after} s: ${path}`, error);
  }
}
const took = (performance.now() - begin) / 1000;

const sorted = (of: Map<string, number>): [string, number][] => [...of].sort(([, a], [, b]) => b - a);
console.log(`\n${index - first} executions, ${((index - first) / took).toFixed(0)} per second`);
console.log("\noutcomes");
for (const [outcome, times] of sorted(outcomes)) console.log(`${String(times).padStart(9)} ${outcome}`);
console.log(`\n${outcomes.size} outcomes; ${operators.size} operators run:`);
console.log(
  sorted(operators)
    .map(([name, times]) => `${name} ${times}`)
    .join(", "),
);
console.log("\nblocks of src/ reached");
for (const [name, { ran, all }] of coverage.take()) {
  console.log(`${name.padEnd(10)} ${ran} of ${all}, ${((100 * ran) / all).toFixed(0)} %`);
}
console.log(`\n${finds.size} finds`);
for (const [cause, times] of sorted(finds)) console.log(`${String(times).padStart(9)} ${cause}`);
process.exitCode = finds.size > 0 ? 1 : 0;
