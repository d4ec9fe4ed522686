// Runs a small model 100,000 times on the built package and prints how much the JavaScript heap grew, and how often it was
// collected. With "rows" its input comes from a function, row by row. Run with --expose-gc by session.test.ts and rows.test.ts.
import { performance, PerformanceObserver } from "node:perf_hooks";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { load } from "../../dist/index.js";

const isStreamed = process.argv[2] === "rows";
const model = await load(fileURLToPath(import.meta.resolve("../../models/digits/digits.tflite")), {
  sram: isStreamed ? 16 * 1024 : 20 * 1024,
  input: isStreamed ? "streamed" : "resident",
});
if (model.report.streamedBytes === 0) throw new Error("the weights should be streamed");
const input = isStreamed ? (row, into) => into.fill(row) : new Int8Array(model.inputs[0].length);
function repeat(runs) {
  for (let i = 0; i < runs; i++) model.run(input);
}
// Compiled by the engine before the count begins.
for (let i = 0; i < 20; i++) {
  repeat(1000);
  await setTimeout(10);
}

let collections = 0;
let began = Infinity;
const observer = new PerformanceObserver((list) => {
  // The engine tells of a collection when it finds the time: of those before the count too.
  collections += list.getEntries().filter(({ startTime }) => startTime >= began).length;
});
globalThis.gc();
await setTimeout(20);
observer.observe({ entryTypes: ["gc"] });
began = performance.now();
const before = process.memoryUsage().heapUsed;
repeat(100_000);
const grown = process.memoryUsage().heapUsed - before;
await setTimeout(20);
process.stdout.write(JSON.stringify({ grown, collections }));
