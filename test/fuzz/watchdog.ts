/**
 * The thread beside the fuzzer: an input that does not end is written to a file, and the process ended. Shares one
 * buffer with it: the number of the input, its length, its bytes.
 */
import { writeFileSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

const { shared, path, stallMs } = workerData as {
  shared: SharedArrayBuffer;
  path: string;
  stallMs: number;
};
const words = new Int32Array(shared, 0, 2);
let last = -1;
setInterval(() => {
  const now = Atomics.load(words, 0);
  if (now === last) {
    const length = Atomics.load(words, 1);
    writeFileSync(path, new Uint8Array(shared, 8, length).slice());
    // Not the console, which passes through the thread that does not answer.
    writeSync(2, `\nFOUND: input ${now} has not ended in ${stallMs / 1000} s: ${path}\n`);
    process.kill(process.pid);
  }
  last = now;
}, stallMs);
