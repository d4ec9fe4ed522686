/**
 * What `compile --target wasm2c` writes, by wabt's wasm2c and gcc, on this machine, under the address and undefined-behaviour
 * sanitizers: the linear memory is an array of exactly the bytes that the model needs, with guards of the sanitizer's on both sides.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";
import { buildNative, engineCase, expectAnswers, runnableModels, translate } from "./cases.ts";

const parent = mkdtempSync(join(tmpdir(), "thimble-native-"));
afterAll(() => {
  rmSync(parent, { recursive: true });
});

const MODES = [
  ["as little as it needs", { schedule: "minimum" }],
  ["input in rows, all weights in SRAM", { input: "streamed", sram: "unbounded" }],
] as const;

test.each(runnableModels().flatMap((name) => MODES.map(([how, options]) => [name, how, options] as const)))(
  "%s answers as the reference, %s",
  (name, _, options) => {
    const engine = engineCase(name, "wasm2c", parent, options);
    translate(engine.folder);
    const run = buildNative(
      engine.folder,
      ["goldens.c", "native.c"],
      ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    );
    expectAnswers(engine, run());
  },
);
