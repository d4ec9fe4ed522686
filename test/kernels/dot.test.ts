import { expect, test } from "vitest";
import { kernelBytes } from "../../src/runtime/kernel-bytes.ts";
import { provesVariant } from "../../src/runtime/index.ts";
import { withExactDot } from "../exact-dot.ts";

const relaxed = kernelBytes("relaxed");
const known = WebAssembly.validate(relaxed);

// test/emulate-dot.ts stands in for the processor's instruction where that is another one: the probe must accept both.
test.runIf(known)(
  "wherever the engine knows relaxed SIMD its kernels are tested, emulated if need be",
  async () => {
    expect(await provesVariant("relaxed")).toBe(true);
  },
);

test.runIf(known)(
  "calls in place of dot products make a module that validates and passes the probe",
  async () => {
    let emulated: Uint8Array<ArrayBuffer>;
    try {
      emulated = withExactDot(relaxed);
    } catch (error) {
      // These kernels are emulated already.
      expect((error as Error).message).toBe("the kernels have no relaxed dot product");
      emulated = relaxed;
    }
    const { instance } = await WebAssembly.instantiate(emulated, {
      host: { flash_read: () => undefined, input_row: () => undefined },
    });
    const { probe } = instance.exports as { probe: (scratch: number) => number };
    expect(probe(0)).toBe(1);
    expect(() => withExactDot(emulated)).toThrow("no relaxed dot product");
  },
);
