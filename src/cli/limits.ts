import { readFileSync } from "node:fs";
import type { Limits } from "./limit-loops.ts";
import { timeLimits } from "./limit-loops.ts";

/** Measures the clock and the limits now: machines change speed, so close to what they are compared with. */
export function measureLimits(variant: string): Limits {
  const name = variant === "relaxed" || variant === "signed" ? "relaxed" : "simd";
  const module = readFileSync(new URL(`../wasm/limits-${name}.wasm`, import.meta.url));
  return timeLimits(new WebAssembly.Module(module), variant);
}
