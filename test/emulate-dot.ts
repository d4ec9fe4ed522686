import { readFileSync } from "node:fs";
import { vi } from "vitest";
import { runnable } from "./exact-dot.ts";

/**
 * Where the engine knows relaxed SIMD but the processor's dot product is another one, tests run the one that is meant; and the kernels
 * that come as a file are among the others.
 */
vi.mock("../src/runtime/kernel-bytes.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../src/runtime/kernel-bytes.ts")>();
  const shipped = {
    relaxed: original.kernelBytes("relaxed"),
    signed: new Uint8Array(readFileSync(new URL("../dist/wasm/thimble-signed.wasm", import.meta.url))),
  };
  const emulated = {
    relaxed: (await runnable(shipped.relaxed, "relaxed")) ?? shipped.relaxed,
    signed: (await runnable(shipped.signed, "signed")) ?? shipped.signed,
  };
  return {
    ...original,
    kernelBytes: (variant: Parameters<typeof original.kernelBytes>[0]) =>
      variant === "relaxed" || variant === "signed" ? emulated[variant] : original.kernelBytes(variant),
  };
});
