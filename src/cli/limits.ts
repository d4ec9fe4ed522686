import { readFileSync } from "node:fs";

/** assembly/limits/limits.ts */
interface Loops {
  clock(iterations: number, seed: bigint): bigint;
  peak(iterations: number, at: number): void;
  peakMacs(): number;
  loads(at: number, bytes: number): void;
}

/** What the machine reaches at this moment. */
export interface Limits {
  readonly gigahertz: number;
  /** Multiply-accumulates per cycle of the variant's dot product alone; NaN for mcu, which has no vector limit. */
  readonly macsPerCycle: number;
  /** Bytes per cycle that vectors load from a first-level cache. */
  readonly bytesPerCycle: number;
}

/** What fits a first-level cache beside the rest. */
const LOADED_BYTES = 16384;
const ITERATIONS = 400;
const SAMPLES = 300;

/** Measures the clock and the limits now: machines change speed, so close to what they are compared with. */
export function measureLimits(variant: string): Limits {
  const file = new URL(`../wasm/limits-${variant === "relaxed" ? "relaxed" : "simd"}.wasm`, import.meta.url);
  const module = new WebAssembly.Module(readFileSync(file));
  const loops = new WebAssembly.Instance(module, {}).exports as unknown as Loops;
  const gigahertz = (32 * ITERATIONS) / leastNanoseconds(() => loops.clock(ITERATIONS, 1n), SAMPLES);
  const load = leastNanoseconds(() => {
    loops.loads(1024, LOADED_BYTES);
  }, SAMPLES);
  const bytesPerCycle = LOADED_BYTES / load / gigahertz;
  if (variant === "mcu") return { gigahertz, macsPerCycle: NaN, bytesPerCycle };
  const peak = leastNanoseconds(() => {
    loops.peak(ITERATIONS, 1024);
  }, SAMPLES);
  return { gigahertz, macsPerCycle: (ITERATIONS * loops.peakMacs()) / peak / gigahertz, bytesPerCycle };
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
