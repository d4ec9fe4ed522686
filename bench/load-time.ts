/**
 * How long models of many operators take to compile: `npm run bench:load`. Each figure is of a fresh process, because the engine
 * compiles the compiler while it runs. Elapsed and processor milliseconds, beside what docs/promises.md promises.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compile } from "thimble";
import type { WrittenModel } from "../test/model-writer.ts";
import { BUILTIN, writeModel } from "../test/model-writer.ts";
import { machine } from "./machine.ts";

const COUNTS = [1_000, 10_000, 20_000, 100_000];
const KINDS = ["reshape", "add"] as const;
const CHILD = "--child";

/** A chain: RESHAPE is planned away, each ADD is a record. */
function chain(kind: (typeof KINDS)[number], count: number): WrittenModel {
  const shapeOf = (i: number): number[] => (kind === "reshape" ? [1 + (i % 2), 2 - (i % 2)] : [1, 2]);
  return {
    tensors: Array.from({ length: count + 1 }, (_, i) => ({
      shape: shapeOf(i),
      name: "",
      type: "int8" as const,
      scales: [0.1],
      zeroPoints: [0],
    })),
    operators: Array.from({ length: count }, (_, i) => ({
      builtin: BUILTIN[kind],
      inputs: kind === "add" ? [i, i] : [i],
      outputs: [i + 1],
    })),
    inputs: [0],
    outputs: [count],
  };
}

const [flag, kind, count] = process.argv.slice(2);
if (flag === CHILD) {
  const bytes = writeModel(chain(kind as (typeof KINDS)[number], Number(count)));
  const before = process.cpuUsage();
  const begin = performance.now();
  compile(bytes, { sram: "unbounded" });
  const elapsed = performance.now() - begin;
  const { user, system } = process.cpuUsage(before);
  const figures = [elapsed, (user + system) / 1000, 250 + bytes.length / 1024].map((ms) =>
    ms.toFixed(0).padStart(9),
  );
  console.log(`${(bytes.length / 1024).toFixed(0).padStart(9)} ${figures.join(" ")}`);
} else {
  console.log(`${machine()}\n\noperators            KiB   elapsed processor  promised`);
  for (const kind of KINDS) {
    for (const count of COUNTS) {
      const child = [fileURLToPath(import.meta.url), CHILD, kind, String(count)];
      const figures = execFileSync(process.execPath, child, { encoding: "utf8" }).trimEnd();
      console.log(`${`${count} × ${kind}`.padEnd(15)} ${figures}`);
    }
  }
}
