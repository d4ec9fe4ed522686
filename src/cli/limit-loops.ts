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

/** Milliseconds: fifty steps of a page's clock, which moves by 5 µs. */
const SAMPLE_TIME = 0.25;
const SAMPLES = 200;

/** Times the loops of a limits-*.wasm, in Node or in a page. */
export function timeLimits(module: WebAssembly.Module, variant: string): Limits {
  const loops = new WebAssembly.Instance(module, {}).exports as unknown as Loops;
  const gigahertz = (32 * ITERATIONS) / leastNanoseconds(() => loops.clock(ITERATIONS, 1n));
  const load = leastNanoseconds(() => {
    loops.loads(1024, LOADED_BYTES);
  });
  const bytesPerCycle = LOADED_BYTES / load / gigahertz;
  if (variant === "mcu") return { gigahertz, macsPerCycle: NaN, bytesPerCycle };
  const peak = leastNanoseconds(() => {
    loops.peak(ITERATIONS, 1024);
  });
  return { gigahertz, macsPerCycle: (ITERATIONS * loops.peakMacs()) / peak / gigahertz, bytesPerCycle };
}

/** Least time of `run` over many short samples. */
function leastNanoseconds(run: () => void): number {
  let least = Infinity;
  let calls = 1;
  for (let sample = 0; sample < SAMPLES;) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    const taken = performance.now() - start;
    if (taken < SAMPLE_TIME) calls *= 2;
    else {
      least = Math.min(least, (taken * 1e6) / calls);
      sample++;
    }
  }
  return least;
}
