import { vi } from "vitest";
import { withExactDot } from "./exact-dot.ts";

/** Where the engine knows relaxed SIMD but the processor's dot product is another one, tests run the one that is meant. */
vi.mock("../src/runtime/kernel-bytes.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/runtime/kernel-bytes.ts")>();
  const relaxed = original.kernelBytes("relaxed");
  if (!WebAssembly.validate(relaxed)) return original;
  const imports = { host: { flash_read: () => undefined, input_row: () => undefined } };
  const { instance } = await WebAssembly.instantiate(relaxed, imports);
  const { probe } = instance.exports as { probe: (scratch: number) => number };
  if (probe(0) === 1) return original;
  const emulated = withExactDot(relaxed);
  return {
    ...original,
    kernelBytes: (variant: Parameters<typeof original.kernelBytes>[0]) =>
      variant === "relaxed" ? emulated : original.kernelBytes(variant),
  };
});
