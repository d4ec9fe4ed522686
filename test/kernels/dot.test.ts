import { expect, test } from "vitest";
import { kernelBytes } from "../../src/runtime/kernel-bytes.ts";
import { provesVariant } from "../../src/runtime/index.ts";
import { withExactDot } from "../exact-dot.ts";

const known = WebAssembly.validate(kernelBytes("relaxed"));

// test/emulate-dot.ts stands in for the processor's instruction where that is another one: the probe must accept both.
test.runIf(known).each(["relaxed", "signed"] as const)(
  "wherever the engine knows relaxed SIMD its kernels are tested, emulated if need be (%s)",
  async (variant) => {
    expect(await provesVariant(variant)).toBe(true);
  },
);

test.runIf(known).each(["relaxed", "signed"] as const)(
  "calls in place of dot products make a module that validates and passes its own probe alone (%s)",
  async (variant) => {
    const kernels = kernelBytes(variant);
    let emulated: Uint8Array<ArrayBuffer>;
    try {
      emulated = withExactDot(kernels, variant);
    } catch (error) {
      // These kernels are emulated already.
      expect((error as Error).message).toBe("the kernels have no relaxed dot product");
      emulated = kernels;
    }
    const probe = async (module: Uint8Array<ArrayBuffer>): Promise<number> => {
      const { instance } = await WebAssembly.instantiate(module, {
        host: { flash_read: () => undefined, input_row: () => undefined },
      });
      return (instance.exports as { probe: (scratch: number) => number }).probe(0);
    };
    expect(await probe(emulated)).toBe(1);
    expect(() => withExactDot(emulated, variant)).toThrow("no relaxed dot product");
    if (emulated === kernels) return;
    expect(await probe(withExactDot(kernels, variant === "relaxed" ? "signed" : "relaxed"))).toBe(0);
  },
);
