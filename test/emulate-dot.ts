import { vi } from "vitest";
import { runnable } from "./exact-dot.ts";

/** Where the engine knows relaxed SIMD but the processor's dot product is another one, tests run the one that is meant. */
vi.mock("../src/runtime/kernel-bytes.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/runtime/kernel-bytes.ts")>();
  const relaxed = original.kernelBytes("relaxed");
  const emulated = (await runnable(relaxed)) ?? relaxed;
  return {
    ...original,
    kernelBytes: (variant: Parameters<typeof original.kernelBytes>[0]) =>
      variant === "relaxed" ? emulated : original.kernelBytes(variant),
  };
});
