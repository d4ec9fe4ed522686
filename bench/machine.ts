import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Engine and CPU, for the head of every table. */
export function machine(): string {
  const [cpu] = cpus();
  return `node ${process.versions.node} (V8 ${process.versions.v8}), ${cpu?.model ?? "unknown CPU"}, ${process.platform} ${process.arch}`;
}

interface PeakExports {
  clock(iterations: number, seed: bigint): bigint;
  peak(iterations: number, at: number): void;
  peakMacs(): number;
}

/** What the machine reaches at this moment: its clock, and the dot product's limit for a variant. */
export interface Peak {
  readonly gigahertz: number;
  /** Multiply-accumulates per cycle; NaN for mcu, which has no vector limit. */
  readonly macsPerCycle: number;
}

/** Least time of `run` in nanoseconds over many short samples. */
export function leastNanoseconds(run: () => void, samples: number): number {
  let least = Infinity;
  for (let i = 0; i < samples; i++) {
    const start = process.hrtime.bigint();
    for (let j = 0; j < 10; j++) run();
    least = Math.min(least, Number(process.hrtime.bigint() - start) / 10);
  }
  return least;
}

/** Measures clock and limit now, with bench/assembly/peak.ts. */
export function measurePeak(variant: string): Peak {
  const file = new URL(`./peak-${variant === "relaxed" ? "relaxed" : "simd"}.wasm`, import.meta.url);
  const module = new WebAssembly.Module(readFileSync(file));
  const loops = new WebAssembly.Instance(module, {}).exports as unknown as PeakExports;
  const iterations = 400;
  const clock = leastNanoseconds(() => loops.clock(iterations, 1n), 300);
  const gigahertz = (32 * iterations) / clock;
  if (variant === "mcu") return { gigahertz, macsPerCycle: NaN };
  const peak = leastNanoseconds(() => {
    loops.peak(iterations, 1024);
  }, 300);
  return { gigahertz, macsPerCycle: (iterations * loops.peakMacs()) / peak / gigahertz };
}
