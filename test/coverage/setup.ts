import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, expect, inject, vi } from "vitest";

/** Tests run on kernels whose blocks tell whether they ran. In place of test/emulate-dot.ts. */
const marked = inject("coverage");

/** These take the module apart, and so get it as it is. */
const isReader = /(dot|firmware)\.test\.ts$/.test(expect.getState().testPath ?? "");

const SIGNED = new URL("../../dist/wasm/thimble-signed.wasm", import.meta.url);

vi.mock("../../src/runtime/kernel-bytes.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../src/runtime/kernel-bytes.ts")>();
  return {
    ...original,
    kernelBytes: (variant: Parameters<typeof original.kernelBytes>[0]) => {
      const { module } = marked[variant] ?? {};
      if (module !== undefined && !isReader) return new Uint8Array(Buffer.from(module, "base64"));
      return variant === "signed" ? new Uint8Array(readFileSync(SIGNED)) : original.kernelBytes(variant);
    },
  };
});

const globals = Object.entries(marked).map(([variant, { blocks }]) => ({
  variant,
  ran: Array.from({ length: blocks }, () => new WebAssembly.Global({ value: "i32", mutable: true }, 0)),
}));

const Instance = WebAssembly.Instance;
WebAssembly.Instance = class extends Instance {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    const names = new Set(WebAssembly.Module.imports(module).map((entry) => entry.module));
    const own = globals.find(({ variant }) => names.has(`coverage of ${variant}`));
    super(
      module,
      own === undefined
        ? imports
        : { ...imports, [`coverage of ${own.variant}`]: Object.fromEntries(own.ran.entries()) },
    );
  }
};

afterAll(() => {
  const name = `${process.pid}-${Math.random().toString(36).slice(2)}`;
  for (const { variant, ran } of globals) {
    writeFileSync(
      `${inject("coverageFolder")}/${variant}-${name}.bin`,
      Uint8Array.from(ran, ({ value }) => value),
    );
  }
});
