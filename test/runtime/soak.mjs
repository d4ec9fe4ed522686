// Runs a small model many times, then loads, runs and drops it many times, on the built package; prints how the JavaScript heap and the
// resident set grew. `node --expose-gc test/runtime/soak.mjs RUNS CYCLES`; session.test.ts runs a short one.
import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { compile, load } from "../../dist/index.js";

const [runs, cycles] = process.argv.slice(2).map(Number);
const bytes = readFileSync(fileURLToPath(import.meta.resolve("../../models/digits/digits.tflite")));
const image = compile(bytes, { sram: 20 * 1024 });

async function settled() {
  // Memories go when what held them has been collected, and the pages when the engine gets to it.
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await setTimeout(20);
  }
  return process.memoryUsage();
}

const model = await load(image);
const input = new Int8Array(model.inputs[0].length);
for (let i = 0; i < 5000; i++) model.run(input);
const beforeRuns = await settled();
for (let i = 0; i < runs; i++) model.run(input);
const afterRuns = await settled();

async function cycle(count) {
  for (let i = 0; i < count; i++) {
    const dropped = await load(image);
    // All of its page becomes resident, so that a memory that stayed would show.
    const { buffer } = dropped.run(input);
    if (buffer.byteLength !== 65_536) throw new Error("the output should lie in linear memory");
    new Uint8Array(buffer).fill(1);
    // Half of them are disposed of, the others only forgotten.
    if (i % 2 === 0) dropped[Symbol.dispose]();
  }
}
await cycle(200);
const beforeCycles = await settled();
await cycle(cycles);
const afterCycles = await settled();
process.stdout.write(
  JSON.stringify({
    heapGrownByRuns: afterRuns.heapUsed - beforeRuns.heapUsed,
    rssGrownByRuns: afterRuns.rss - beforeRuns.rss,
    heapGrownByCycles: afterCycles.heapUsed - beforeCycles.heapUsed,
    rssGrownByCycles: afterCycles.rss - beforeCycles.rss,
  }),
);
